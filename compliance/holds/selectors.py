"""Reading holds: all of the organization, or of the datasets that a credential is held to."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from access.models import User
from access.policy.builtin import RULES
from access.services.authorize import may
from access.work_selectors import COUNTED, Waiting
from compliance.errors.holds import HoldNotFound
from compliance.models import HoldScope, LegalHold
from datasets.models import HeldRecord, HoldKind, HoldMark
from datasets.selectors import not_visible
from datasets.services.holds import is_behind
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: A condition for each state a list can be narrowed to.
CONDITIONS: Final = {
    "placed": Q(released_at=None, release_requested_at=None, confirmed_at=None),
    "confirmed": Q(released_at=None, release_requested_at=None, confirmed_at__isnull=False),
    "releasing": Q(released_at=None, release_requested_at__isnull=False),
    "released": Q(released_at__isnull=False),
    "in-force": Q(released_at=None),
    "overdue": Q(released_at=None, confirmed_at=None, confirm_by__lte=Now()),
}


@dataclass(frozen=True)
class HoldFilter:
    """What to look for; empty does not restrict. ``state`` is a key of CONDITIONS."""

    state: str = ""
    dataset_id: UUID | None = None


@dataclass(frozen=True)
class Kept:
    """What one scope keeps now: records by their ids (None where it keeps more than a list), and whether a filter's
    records are still being looked for, so that all of the dataset is kept.
    """

    scope: HoldScope
    records: int | None
    is_searching: bool


def visible_holds(principal: Principal) -> QuerySet[LegalHold]:
    if not may(principal, "hold.read"):
        return LegalHold.objects.none()
    if not principal.datasets:
        return LegalHold.objects.all()
    beyond = HoldScope.objects.filter(hold=OuterRef("pk")).exclude(dataset_id__in=principal.datasets)
    return LegalHold.objects.exclude(Exists(beyond))


def list_holds(principal: Principal, criteria: HoldFilter, *, limit: int, after: UUID | None = None) -> list[LegalHold]:
    """At most ``limit`` holds, newest first, following the one of id ``after``."""
    rows = visible_holds(principal).prefetch_related("scopes").order_by("-id")
    if criteria.state:
        rows = rows.filter(CONDITIONS[criteria.state])
    if criteria.dataset_id is not None:
        of_dataset = HoldScope.objects.filter(hold=OuterRef("pk"), dataset_id=criteria.dataset_id)
        rows = rows.filter(Exists(of_dataset))
    return list((rows.filter(pk__lt=after) if after is not None else rows)[:limit])


def find_hold(principal: Principal, hold_id: UUID, *, action: str = "hold.read") -> LegalHold:
    """Raises HoldNotFound, after recording the denied ``action``."""
    found = visible_holds(principal).prefetch_related("scopes").filter(pk=hold_id).first()
    if found is None:
        raise not_visible(HoldNotFound(), ResourceRef("legal_hold", str(hold_id)), action)
    return found


def kept_by(hold: LegalHold) -> list[Kept]:
    """What each scope of a hold keeps now; of a released one nothing."""
    marks = {mark.pk: mark for mark in HoldMark.objects.filter(hold_id=hold.pk)}
    return [_kept(scope, marks.get(scope.mark_id)) for scope in hold.scopes.all()]


def _kept(scope: HoldScope, mark: HoldMark | None) -> Kept:
    if mark is None:
        return Kept(scope, None, is_searching=False)
    if mark.kind not in {HoldKind.SUBJECT, HoldKind.QUERY}:
        return Kept(scope, None, is_searching=False)
    is_searching = mark.kind == HoldKind.QUERY and is_behind(mark)
    return Kept(scope, HeldRecord.objects.filter(mark=mark).count(), is_searching)


def may_do(principal: Principal, action: str) -> bool:
    """Whether a button for ``action`` makes sense: programs confirm nothing."""
    assert action in RULES
    return may(principal, action) and principal.kind == "user"


def holds_to_confirm(principal: Principal) -> Waiting:
    """Holds that others placed and nobody has confirmed; due when the first of them is overdue."""
    return _waiting(principal, CONDITIONS["placed"], "placed_by", "confirm_by")


def releases_to_confirm(principal: Principal) -> Waiting:
    """Holds that others asked to release and that are about somebody else than who is asked."""
    return _waiting(principal, CONDITIONS["releasing"] & ~Q(custodian=principal.id), "release_requested_by", "")


def _waiting(principal: Principal, condition: Q, first: str, due: str) -> Waiting:
    if not may_do(principal, "hold.confirm"):
        return Waiting(0)
    rows: QuerySet[Any] = visible_holds(principal).filter(condition).exclude(**{first: principal.id})
    count = rows.order_by()[:COUNTED].count()
    soonest: datetime | None = rows.aggregate(first=Min(due))["first"] if count and due else None
    return Waiting(count, soonest)


def people_offered(*, limit: int) -> list[tuple[UUID, str]]:
    """Who may be a custodian: id and name of the people of the organization, in order of name."""
    rows = User.objects.order_by("username").values_list("pk", "full_name", "username")[:limit]
    return [(user_id, full_name or username) for user_id, full_name, username in rows]
