"""Triage: what readers said of findings, turned into rules and test cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import DetectionCase, FindingFeedback
from anonymization.pages.page import refusal_of, render_page
from anonymization.services.cases import CaseRun, run_cases
from anonymization.services.feedback import Settlement, Snippet, list_feedback, settle_feedback, snippet_of
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 20
_CASES_SHOWN: Final = 100
_OUTCOMES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = MappingProxyType(
    {
        "false_positive": (
            ("allow", "Allow this value"),
            ("field", "Never in this field"),
            ("case", "Make a test case"),
            ("dismiss", "Dismiss"),
        ),
        "missed": (
            ("deny", "Always find this value"),
            ("field", "This field is personal"),
            ("case", "Make a test case"),
            ("dismiss", "Dismiss"),
        ),
    }
)


@dataclass(frozen=True)
class Card:
    """One piece of feedback with its text, for who may see it, and what it can be turned into."""

    row: FindingFeedback
    snippet: Snippet | None
    outcomes: tuple[tuple[str, str], ...]


def feedback_page(request: HttpRequest) -> HttpResponse:
    """Feedback by state and the test cases; posted, one is settled or the cases are run."""
    if request.method != "POST":
        return _page(request, _rows(request))
    if request.POST.get("do") == "run":
        runs: list[CaseRun] = []
        refusal = refusal_of(lambda: runs.append(run_cases(resolve_principal(request))))
        return _page(request, [], refusal, run=runs[0] if runs else None)
    refusal = refusal_of(lambda: _settle(request, request.POST))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:privacy_feedback"))
    return _page(request, [], refusal)


def _settle(request: HttpRequest, given: QueryDict) -> None:
    try:
        feedback_id = UUID(given.get("id", ""))
    except ValueError:
        raise InvalidInput from None
    settlement = Settlement(
        outcome=given.get("do", ""),
        reason=given.get("reason", "")[:1000],
        is_for_dataset=given.get("is_for_dataset") == "1",
    )
    settle_feedback(resolve_principal(request), feedback_id=feedback_id, settlement=settlement)


def _rows(request: HttpRequest) -> list[FindingFeedback]:
    state = request.GET.get("state", "open")
    if state not in dict(FindingFeedback.STATES):
        raise InvalidInput
    try:
        after = UUID(request.GET["after"]) if request.GET.get("after") else None
    except ValueError:
        raise InvalidInput from None
    return list_feedback(resolve_principal(request), state=state, after=after, limit=PAGE_SIZE + 1)


def _outcomes(principal: Principal, row: FindingFeedback) -> tuple[tuple[str, str], ...]:
    """What the reader may make of it: of what they gave themselves nothing."""
    every = _OUTCOMES[row.verdict]
    return every[-1:] if row.created_by == principal.id else every


def _page(
    request: HttpRequest,
    rows: list[FindingFeedback],
    refusal: VaultError | None = None,
    run: CaseRun | None = None,
) -> HttpResponse:
    principal = resolve_principal(request)
    shown = rows[:PAGE_SIZE]
    context: dict[str, Any] = {
        "title": "Feedback on findings",
        "cards": [Card(row, snippet_of(principal, row), _outcomes(principal, row)) for row in shown],
        "people": people_named(principal, [who for row in shown for who in (row.created_by, row.settled_by)]),
        "state": request.GET.get("state", "open"),
        "states": FindingFeedback.STATES,
        "next_after": shown[-1].pk if len(rows) > PAGE_SIZE else None,
        "cases": DetectionCase.objects.order_by("-id")[:_CASES_SHOWN] if may(principal, "detection.read") else [],
        "run": run,
        "is_listing": request.method != "POST",
        "may_run": may(principal, "detection.manage"),
        "may_change": may(principal, "detection.manage"),
    }
    return render_page(request, "vault/feedback.html", context, refusal=refusal)
