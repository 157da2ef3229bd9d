"""The screens of many questions at once: the form with one's own earlier ones, and the answers of one."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import BulkEvaluation
from access.pages.page import refusal_of, render_page
from access.policy.question import as_uuid
from access.ports import dataset_directory
from access.selectors import people_named
from access.services import bulk_evaluations
from access.services.bulk_evaluations import MAX_QUESTIONS
from access.services.inquiries import Asked
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal

_LISTED: Final = 50
_PAGE: Final = 100
#: Members of one line: who, action, dataset, and the purpose, which may be left out.
_MEMBERS: Final = (3, 4)
_EFFECTS: Final = {"allow": "allowed", "allow_with_conditions": "with conditions", "deny": "denied"}


def evaluations_page(request: HttpRequest) -> HttpResponse:
    """A form for questions, one a line, and the earlier ones; posted, the questions are queued."""
    principal, text = resolve_principal(request), request.POST.get("questions", "")
    made: list[BulkEvaluation] = []

    def ask() -> None:
        made.append(bulk_evaluations.start_evaluation(principal, asked=list(_read(text))))

    refusal = refusal_of(ask) if request.method == "POST" else None
    if made:
        return HttpResponseRedirect(reverse("admin:access_evaluation", args=[made[0].pk]))
    context = {
        "title": "Many questions at once",
        "rows": [] if refusal else bulk_evaluations.list_evaluations(principal, limit=_LISTED),
        "is_listing": refusal is None,
        "text": text,
        "most": MAX_QUESTIONS,
    }
    return render_page(request, "vault/access_evaluations.html", context, refusal=refusal)


def evaluation_page(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """How far one is, and its answers, a page at a time; ``effect`` picks one kind of them."""
    principal = resolve_principal(request)
    bulk = bulk_evaluations.get_evaluation(principal, bulk_id=bulk_id)
    effect = request.GET.get("effect", "")
    effect = effect if effect in _EFFECTS else ""
    after = request.GET.get("after", "")
    start = int(after) if after.isdecimal() and len(after) < 6 else -1  # noqa: PLR2004
    found = bulk_evaluations.answers_of(bulk, effect=effect, after=start, limit=_PAGE + 1)
    shown = [(row, bulk_evaluations.question_in(row)) for row in found[:_PAGE]]
    people = people_named(principal, [as_uuid(asked.subject_id) for _, asked in shown])
    datasets = dataset_directory().describe({key for _, asked in shown if (key := as_uuid(asked.resource_id))})
    context = {
        "title": "Answers",
        "bulk": bulk,
        "is_current": bulk_evaluations.is_of_today(bulk),
        "effect": effect,
        "effects": _EFFECTS,
        "rows": [_row(row, asked, people, datasets) for row, asked in shown],
        "next_after": shown[-1][0].number if len(found) > _PAGE else None,
    }
    return render_page(request, "vault/access_evaluation.html", context)


def _row(row: Any, asked: Asked, people: Any, datasets: Any) -> dict[str, Any]:
    subject, dataset = as_uuid(asked.subject_id), as_uuid(asked.resource_id)
    known = datasets.get(dataset)
    return {
        "number": row.number + 1,
        "who": people.get(subject, asked.subject_id),
        "action": asked.action,
        "dataset": known.name if known else asked.resource_id,
        "purpose": asked.purpose,
        "effect": row.effect,
        "word": _EFFECTS[row.effect],
        "obligations": [_said(one) for one in row.obligations],
        "reason": row.reason,
    }


def _said(told: dict[str, Any]) -> str:
    """An obligation of the contract in a few words."""
    how = next((told[name] for name in ("operator", "policy", "value", "level") if told.get(name)), "")
    return f"{told['type']} {how or ', '.join(told.get('fields', ()))}".strip()


def _read(text: str) -> Iterator[Asked]:
    """The questions of the form. Raises InvalidInput naming the line that is none."""
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        parts = line.replace(",", " ").split()
        if not parts:
            continue
        if len(parts) not in _MEMBERS or as_uuid(parts[2]) is None or max(map(len, parts)) > 200:  # noqa: PLR2004
            rule = f"line {number}: who, action, id of a dataset and, where it takes one, the purpose"
            raise InvalidInput(errors=[FieldProblem("questions", rule)])
        yield Asked(parts[0], parts[1], resource_id=parts[2], purpose=parts[3] if len(parts) > 3 else None)  # noqa: PLR2004
