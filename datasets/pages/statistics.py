"""The statistics page: questions about the people of a version, their answers with noise, and what is left to ask.

What is asked for travels in the body of a form, never in an address: addresses end up in logs and histories.
"""

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict

from anonymization.pages.gauge import Gauge, gauges_of
from anonymization.privacy.errors import BudgetExhausted
from anonymization.services.budget import BudgetState, state_of
from datasets.models.version import DEFAULT_BRANCH
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.query import parse_expression
from datasets.selectors import get_dataset
from datasets.services.families import family_of
from datasets.services.release_rules import rules_of
from datasets.services.statistics.ask import Statistics, answer, open_statistics, release
from datasets.services.statistics.request import Kind, parse_request
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

#: Questions of the form.
ROWS: Final = 3
#: Records that a page waits for; larger versions are asked over REST.
PAGE_RECORDS: Final = 200_000
_SHARES: Final = 100
_MEMBERS: Final = ("kind", "field", "low", "high", "keys", "quantile", "epsilon", "delta")


@dataclass(frozen=True)
class Question:
    """One row of the form as it was filled in; a row without a kind asks nothing."""

    kind: str = ""
    field: str = ""
    low: str = ""
    high: str = ""
    keys: str = ""
    quantile: str = ""
    epsilon: str = ""
    delta: str = ""

    def as_query(self, number: int) -> dict[str, Any]:
        query: dict[str, Any] = {"type": self.kind, "epsilon": self.epsilon or None}
        query["name"] = f"{number}. {self.kind}{' of ' + self.field if self.field else ''}"[:64]
        given = {"field": self.field, "delta": self.delta, "quantile": self.quantile}
        query |= {name: value for name, value in given.items() if value}
        if self.low or self.high:
            query["bounds"] = [self.low, self.high]
        if self.keys:
            query["keys"] = [key.strip() for key in self.keys.split(",")]
        return query


@dataclass(frozen=True)
class Bar:
    """A value as a bar with its margin as a whisker; places are percents of the width."""

    title: str
    value: str
    margin: str
    width: float
    low: float
    high: float


@dataclass(frozen=True)
class ShownResult:
    """An answer as the page shows it."""

    title: str
    bars: tuple[Bar, ...]
    confidence: int
    epsilon: str
    note: str = ""


@dataclass
class Form:
    """What was typed, and what came of it."""

    subject: str = ""
    version: str = DEFAULT_BRANCH
    expression: str = ""
    contributions: str = "1"
    questions: tuple[Question, ...] = (Question("count", epsilon="0.1"), *(Question(),) * (ROWS - 1))
    found: Statistics | None = None
    results: tuple[ShownResult, ...] = field(default=())

    @classmethod
    def of(cls, given: QueryDict) -> "Form":
        rows = zip(*(given.getlist(name) for name in _MEMBERS), strict=False)
        questions = tuple(Question(*(value.strip()[:4000] for value in row)) for row in rows)[:ROWS]
        return cls(
            subject=given.get("subject", "").strip()[:500],
            version=given.get("version", "").strip()[:100] or DEFAULT_BRANCH,
            expression=given.get("expression", "")[:16384],
            contributions=given.get("contributions", "").strip()[:4],
            questions=questions or cls.questions,
        )


def statistics_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The form; posted, its questions are paid for and answered."""
    if request.method != "POST":
        open_dataset(request, dataset_id, action="budget.read")
        return _page(request, dataset_id, Form())
    form = Form.of(request.POST)
    return _page(request, dataset_id, form, _refusal_of_asking(request, dataset_id, form))


def _refusal_of_asking(request: HttpRequest, dataset_id: UUID, form: Form) -> VaultError | None:
    """A budget that is used up is said on the page, like what is wrong with the form."""
    try:
        return refusal_of(lambda: _ask(request, dataset_id, form))
    except BudgetExhausted as refusal:
        current_scope().fail(refusal)
        return refusal


def _ask(request: HttpRequest, dataset_id: UUID, form: Form) -> None:
    asked = open_statistics(
        resolve_principal(request),
        dataset_id=dataset_id,
        version=form.version,
        request=parse_request(
            subject=form.subject or None,
            queries=[row.as_query(number) for number, row in enumerate(form.questions, start=1) if row.kind],
            filter_=parse_expression(form.expression).as_json() if form.expression.strip() else None,
            contributions=int(form.contributions) if form.contributions.isdecimal() else None,
        ),
        most=PAGE_RECORDS,
    )
    form.found = release(asked, answer(asked))
    form.results = tuple(map(_shown, form.found.content["results"]))


def _page(request: HttpRequest, dataset_id: UUID, form: Form, refusal: VaultError | None = None) -> HttpResponse:
    dataset = get_dataset(resolve_principal(request), dataset_id, action="statistics.query")
    state = state_of(family_of(dataset.pk), resolve_principal(request).id)
    context: dict[str, Any] = {
        "title": f"{dataset.name}: statistics",
        "form": form,
        "kinds": [str(kind) for kind in Kind],
        "refusal": refusal,
        "mine": _mine(state),
        "all": gauges_of(state.total, state.spent, state.left),
        "family_id": state.family_id,
        "purpose": current_scope().purpose,
        "rules": rules_of(dataset.pk),
    }
    page = render_page(request, "vault/statistics.html", context, dataset=dataset, tab="datasets_statistics")
    page.status_code = refusal.status if refusal else 200
    return page


def _mine(state: BudgetState) -> tuple[Gauge, Gauge]:
    return gauges_of(state.share, state.recipient_spent, state.recipient_left)


def _shown(result: dict[str, Any]) -> ShownResult:
    margin = result.get("margin")
    values = [(str(_title(found)), found["value"]) for found in result.get("bins", [])] or [("", result.get("value"))]
    scale = max([abs(value) for _, value in values if value is not None] + [1e-9]) + (margin or 0)
    bars = tuple(_bar(title, value, margin or 0.0, scale) for title, value in values if value is not None)
    note = ""
    if "threshold" in result:
        note = f"Keys with fewer than about {result['threshold']} people are not told."
    if "rank_margin" in result:
        note = f"As ranks: at most {result['rank_margin']:.0f} records off."
    return ShownResult(result["name"], bars, round(result["confidence"] * 100), result["epsilon"], note)


def _title(found: dict[str, Any]) -> Any:
    return found["key"] if "key" in found else f"{found['from']:g} to {found['to']:g}"


def _bar(title: str, value: float, margin: float, scale: float) -> Bar:
    """Bars grow from the left; what is below zero has a whisker alone."""
    place = [min(max(at / scale * _SHARES, 0.0), 100.0) for at in (value, value - margin, value + margin)]
    return Bar(title, f"{value:,.6g}", f"{margin:,.3g}" if margin else "", *place)
