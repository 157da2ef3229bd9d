"""Access reviews: campaigns, and the grants of one."""

from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from access.models import AccessReview, GrantKind, ReviewItem, User, Verdict
from access.pages.page import open_page, refusal_of, render_page
from access.pages.requests import uuid_of
from access.policy import builtin
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.authorize import may
from access.services.review_report import CSV_TYPE, report_of
from access.services.reviews import (
    Campaign,
    close_review,
    count_verdicts,
    decide_item,
    find_review,
    list_items,
    list_reviews,
    start_review,
)
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_SHOWN: Final = 50
PAGE_SIZE: Final = 50
_OFFERED: Final = 500


def reviews_page(request: HttpRequest) -> HttpResponse:
    """The campaigns; posted, one is started."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        made: list[AccessReview] = []
        refusal = refusal_of(lambda: made.append(start_review(principal, _campaign(request.POST))))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:access_review", args=[made[0].pk]))
    else:
        open_page(request, "review.read", ResourceRef("access_review"))
    rows = list_reviews(limit=_SHOWN)
    counts = count_verdicts([row.pk for row in rows])
    may_manage = may(principal, "review.manage")
    context: dict[str, Any] = {
        "title": "Access reviews",
        "reviews": [{"row": row, "counts": counts[row.pk], "total": sum(counts[row.pk].values())} for row in rows],
        "may_manage": may_manage,
        "kinds": GrantKind.choices,
        "reviewers": _able() if may_manage else [],
        "datasets": dataset_directory().listed(principal, limit=_OFFERED) if may_manage else [],
    }
    return render_page(request, "vault/access_reviews.html", context, refusal=refusal)


def _able() -> list[User]:
    """Who may be asked to review."""
    users = User.objects.filter(is_active=True).order_by("username")[:_OFFERED]
    return [user for user in users if builtin.permits(user.permissions, "review.decide")]


def _campaign(given: QueryDict) -> Campaign:
    day = parse_date(given.get("deadline", "")[:10]) if given.get("deadline") else None
    if day is None:
        raise InvalidInput(errors=[FieldProblem("/deadline", "a day")])
    try:
        reviewers = [UUID(one) for one in given.getlist("reviewers")]
        datasets = [UUID(one) for one in given.getlist("datasets")]
    except ValueError:
        raise InvalidInput from None
    deadline = datetime.combine(day, time(23, 59, 59), tzinfo=timezone.get_current_timezone())
    return Campaign(given.get("name", ""), given.getlist("kinds"), reviewers, deadline, datasets)


def review_page(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """The grants of one campaign; posted, one is decided on, or the campaign is closed. ``?report=1``: as CSV."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, review_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:access_review", args=[review_id]))
    else:
        review = find_review(principal, review_id)
        open_page(request, "review.read", ResourceRef("access_review", str(review.pk)))
        if request.GET.get("report") == "1":
            return _report(review)
    return _shown(request, principal, find_review(principal, review_id), refusal)


def _shown(request: HttpRequest, principal: Principal, review: AccessReview, refusal: Any) -> HttpResponse:
    verdict = request.GET.get("verdict", "")
    if verdict not in {"", *Verdict.values}:
        raise InvalidInput
    after = (request.GET["after"],) if request.GET.get("after") else None
    rows = list_items(review, verdict=verdict, after=after, limit=PAGE_SIZE + 1)
    shown = rows[:PAGE_SIZE]
    counts = count_verdicts([review.pk])[review.pk]
    reviewers = [UUID(one) for one in review.reviewers]
    people = [*reviewers, *(row.holder for row in shown), *(row.decided_by for row in shown if row.decided_by)]
    names = people_named(principal, people)
    datasets = dataset_directory().describe([row.dataset_id for row in shown if row.dataset_id])
    context = {
        "title": review.name,
        "review": review,
        "items": [_item(row, names, datasets, principal) for row in shown],
        "counts": [(label, counts[value], value) for value, label in Verdict.choices],
        "reviewers": [names[one] for one in reviewers],
        "verdict": verdict,
        "next_after": shown[-1].pk if len(rows) > PAGE_SIZE else None,
        "is_open": review.closed_at is None and review.deadline > timezone.now(),
        "may_decide": may(principal, "review.decide") and principal.id in reviewers,
        "may_close": may(principal, "review.manage") and review.closed_at is None and not counts[Verdict.OPEN],
    }
    return render_page(request, "vault/access_review.html", context, refusal=refusal)


def _item(row: ReviewItem, names: dict[UUID, str], datasets: Any, principal: Principal) -> dict[str, Any]:
    known = datasets.get(row.dataset_id)
    return {
        "row": row,
        "who": names[row.holder],
        "dataset": known.name if known else "",
        "by": names.get(row.decided_by, "") if row.decided_by else "",
        "is_own": row.holder == principal.id,
    }


def _report(review: AccessReview) -> HttpResponse:
    response = HttpResponse(report_of(review), content_type=CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="access-review-{review.pk}.csv"'
    return response


def _act(request: HttpRequest, principal: Principal, review_id: UUID) -> None:
    given = request.POST
    if given.get("do") == "close":
        close_review(principal, review_id=review_id)
        messages.success(request, "The review is closed.")
        return
    if given.get("do") not in {Verdict.KEEP.value, Verdict.REVOKE.value}:
        raise InvalidInput
    item = decide_item(
        principal,
        review_id=review_id,
        item_id=uuid_of(given),
        verdict=Verdict(given["do"]),
        reason=given.get("reason", ""),
    )
    messages.success(request, f"Decided: {item.get_verdict_display()}.")
