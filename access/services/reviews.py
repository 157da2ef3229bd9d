"""Access reviews: every grant of a scope is kept with a reason, or it ends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from access.errors import SamePerson
from access.lease_selectors import hidden, people_behind
from access.leases.errors import (
    AlreadyDecided,
    NotReviewer,
    PersonRequired,
    ReviewClosed,
    ReviewNotFound,
    ReviewUnfinished,
)
from access.leases.terms import refuse_problems, text_problem
from access.models import AccessReview, GrantKind, ReviewItem, User, Verdict
from access.policy import builtin
from access.ports import dataset_directory
from access.services.authorize import authorize, may
from access.services.reviewed_grants import Reviewed, end_grant, grants_under_review, lives, move_end
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope, tenant_scope

SOONEST: Final = timedelta(hours=1)
LATEST: Final = timedelta(days=180)
MAX_REVIEWERS: Final = 50
MAX_NAME: Final = 200
#: Reviews that one turn of the task closes.
_CLOSED_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Campaign:
    """What a review is to be about; ``kinds`` are GrantKinds, ``datasets`` empty for all, ``reviewers`` users' ids."""

    name: str
    kinds: Sequence[str]
    reviewers: Sequence[UUID]
    deadline: datetime
    datasets: Sequence[UUID] = ()


def start_review(principal: Principal, campaign: Campaign) -> AccessReview:
    """Begin a review: from now on its grants end at the deadline, by the database's clock, unless they are kept.

    Raises AccessDenied, PersonRequired, InvalidInput, and the directory's refusal of personal data in its name.
    """
    authorize(principal, "review.manage", ResourceRef("access_review"), facts={"kinds": list(campaign.kinds)[:9]})
    if principal.kind != "user":
        raise PersonRequired
    _check(campaign)
    dataset_directory().refuse_personal_data(name=campaign.name)
    review = AccessReview.objects.create(
        name=campaign.name.strip(),
        kinds=sorted(set(campaign.kinds)),
        datasets=[str(one) for one in campaign.datasets],
        reviewers=[str(one) for one in campaign.reviewers],
        deadline=campaign.deadline,
        started_by=principal.id,
    )
    items = [_item(review, grant) for grant in grants_under_review(campaign.kinds, campaign.datasets)]
    ReviewItem.objects.bulk_create(items, batch_size=1000)
    for item in items:
        if item.ended_at is None or item.ended_at > review.deadline:
            move_end(item.kind, item.grant, at=review.deadline)
    review.refresh_from_db()
    emit(_event(EventType.REVIEW_STARTED, review, {"grants": len(items), "deadline": review.deadline.isoformat()}))
    return review


def _item(review: AccessReview, grant: Reviewed) -> ReviewItem:
    return ReviewItem(
        review=review,
        kind=grant.kind,
        grant=grant.grant,
        holder=grant.holder,
        holder_kind=grant.holder_kind,
        dataset_id=grant.dataset_id,
        what=grant.what[:300],
        ended_at=grant.ends_at,
    )


def _check(campaign: Campaign) -> None:
    now = timezone.now()
    unknown = set(campaign.kinds) - set(GrantKind.values)
    known = dataset_directory().describe(campaign.datasets)
    refuse_problems(
        {
            "name": "" if 0 < len(campaign.name.strip()) <= MAX_NAME else f"1 to {MAX_NAME} characters",
            "kinds": "" if campaign.kinds and not unknown else f"some of {', '.join(GrantKind.values)}",
            "deadline": "" if SOONEST <= campaign.deadline - now <= LATEST else "between an hour and 180 days from now",
            "datasets": "" if set(campaign.datasets) <= set(known) else "There is no such dataset",
            "reviewers": _reviewers_problem(campaign),
        }
    )


def _reviewers_problem(campaign: Campaign) -> str:
    """Two for roles, since nobody decides on their own: else the reviewer's own role would always lapse."""
    wanted = set(campaign.reviewers)
    least = 2 if GrantKind.ROLE in campaign.kinds else 1
    if not least <= len(wanted) <= MAX_REVIEWERS:
        return f"{least} to {MAX_REVIEWERS} people"
    users = User.objects.filter(pk__in=wanted, is_active=True)
    able = {user.pk for user in users if builtin.permits(user.permissions, "review.decide")}
    return "" if able == wanted else "each must be a user who may decide on reviews"


def decide_item(principal: Principal, *, review_id: UUID, item_id: UUID, verdict: Verdict, reason: str) -> ReviewItem:
    """Keep a grant, or revoke it at once, with a reason; nobody decides on what they hold themselves.

    Raises ReviewNotFound, AccessDenied, PersonRequired, NotReviewer, SamePerson, ReviewClosed, AlreadyDecided,
    InvalidInput, and the directory's refusal of personal data.
    """
    review = find_review(principal, review_id)
    facts = {"item": str(item_id), "verdict": str(verdict)}
    authorize(principal, "review.decide", ResourceRef("access_review", str(review.pk)), facts=facts)
    _require_reviewer(principal, review)
    refuse_problems(
        {
            "reason": text_problem(reason),
            "verdict": "" if verdict in {Verdict.KEEP, Verdict.REVOKE} else "keep or revoke",
        }
    )
    dataset_directory().refuse_personal_data(reason=reason)
    item = _open_item(review, item_id)
    if principal.id in people_behind([item.holder]) or item.holder in principal.groups:
        raise SamePerson
    if verdict == Verdict.REVOKE:
        is_there = end_grant(item.kind, item.grant, by=principal.id, reason="revoked in an access review")
    else:
        is_there = _keep(review, item)
    _decide(item, verdict if is_there else Verdict.GONE, by=principal.id, reason=reason.strip())
    emit(_event(EventType.REVIEW_DECIDED, review, {"item": str(item.pk), "kind": item.kind, "verdict": item.verdict}))
    return item


def _keep(review: AccessReview, item: ReviewItem) -> bool:
    """Give a grant its own end back, unless it was given another one meanwhile; False when it has ended."""
    if item.ended_at is None or item.ended_at > review.deadline:
        move_end(item.kind, item.grant, at=item.ended_at, only_from=review.deadline)
    return lives(item.kind, item.grant)


def _require_reviewer(principal: Principal, review: AccessReview) -> None:
    if principal.kind != "user":
        raise PersonRequired
    if str(principal.id) not in review.reviewers:
        raise NotReviewer


def _open_item(review: AccessReview, item_id: UUID) -> ReviewItem:
    if not AccessReview.objects.filter(pk=review.pk, closed_at=None, deadline__gt=Now()).exists():
        raise ReviewClosed
    item = ReviewItem.objects.select_for_update(no_key=True).filter(review=review, pk=item_id).first()
    if item is None:
        raise ReviewNotFound
    if item.verdict != Verdict.OPEN:
        raise AlreadyDecided
    return item


def _decide(item: ReviewItem, verdict: Verdict, *, by: UUID | None, reason: str) -> None:
    ReviewItem.objects.filter(pk=item.pk).update(verdict=verdict, decided_by=by, decided_at=Now(), reason=reason)
    item.refresh_from_db()


def close_review(principal: Principal, *, review_id: UUID) -> AccessReview:
    """Close a review that is decided on altogether.

    Raises ReviewNotFound, AccessDenied, ReviewClosed, ReviewUnfinished.
    """
    review = find_review(principal, review_id)
    authorize(principal, "review.manage", ResourceRef("access_review", str(review.pk)), facts={"change": "close"})
    waiting = review.items.filter(verdict=Verdict.OPEN).count()
    if waiting and timezone.now() < review.deadline:
        raise ReviewUnfinished(open=waiting)
    return _close(review)


def close_due_reviews() -> int:
    """Close what is past its deadline in every tenant, as vault_system; returns how many. The grants ended by then."""
    due = AccessReview.objects.using("system").filter(closed_at=None, deadline__lte=Now()).order_by("deadline")
    found = list(due.values_list("tenant_id", "pk")[:_CLOSED_AT_ONCE])
    for tenant_id, review_id in found:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            review = AccessReview.objects.filter(pk=review_id, closed_at=None).first()
            if review is not None:
                _close(review)
    return len(found)


def _close(review: AccessReview) -> AccessReview:
    """Take away what nobody decided on, and write the result down."""
    if not AccessReview.objects.filter(pk=review.pk, closed_at=None).update(closed_at=Now()):
        raise ReviewClosed
    by = current_scope().principal.id
    for item in review.items.select_for_update(no_key=True).filter(verdict=Verdict.OPEN).order_by("id"):
        was_there = end_grant(item.kind, item.grant, by=by, reason="nobody decided to keep it")
        _decide(item, Verdict.LAPSED if was_there else Verdict.GONE, by=None, reason="")
    review.refresh_from_db()
    emit(_event(EventType.REVIEW_CLOSED, review, dict(count_verdicts([review.pk])[review.pk])))
    return review


def find_review(principal: Principal, review_id: UUID) -> AccessReview:
    """A review, for who may read reviews. Raises ReviewNotFound, recorded as a refusal."""
    review = AccessReview.objects.filter(pk=review_id).first()
    if review is None or not may(principal, "review.read"):
        raise hidden(ReviewNotFound(), ResourceRef("access_review", str(review_id)))
    return review


def count_verdicts(reviews: Collection[UUID]) -> dict[UUID, dict[str, int]]:
    """How many grants of each review have which verdict."""
    counts: dict[UUID, dict[str, int]] = {review: dict.fromkeys(Verdict.values, 0) for review in reviews}
    rows = ReviewItem.objects.filter(review__in=reviews).values_list("review_id", "verdict").annotate(Count("id"))
    for review_id, verdict, count in rows.order_by():
        counts[review_id][verdict] = count
    return counts


def list_reviews(*, after: tuple[str, ...] | None = None, limit: int) -> list[AccessReview]:
    """Newest first. Raises InvalidCursor."""
    rows = AccessReview.objects.order_by("-id")
    return list((rows.filter(id__lt=_id_of(after)) if after else rows)[:limit])


def list_items(
    review: AccessReview, *, verdict: str = "", after: tuple[str, ...] | None = None, limit: int
) -> list[ReviewItem]:
    """The grants of a review in order of id. Raises InvalidCursor."""
    rows = review.items.order_by("id")
    rows = rows.filter(verdict=verdict) if verdict else rows
    return list((rows.filter(id__gt=_id_of(after)) if after else rows)[:limit])


def _id_of(after: tuple[str, ...]) -> UUID:
    try:
        return UUID(after[0])
    except ValueError:
        raise InvalidCursor from None


def _event(kind: EventType, review: AccessReview, facts: dict[str, Any]) -> Event:
    return Event(type=kind, operation="update", resource=ResourceRef("access_review", str(review.pk)), metadata=facts)
