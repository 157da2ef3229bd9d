"""The screens of decisions: the log, one decision explained, and who can see what."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from access.models import Purpose, User
from access.pages.page import render_page
from access.policy.question import as_uuid
from access.services import explain, who
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal

_SHOWN = 100


def decisions_page(request: HttpRequest) -> HttpResponse:
    """The newest decisions; ``denied=1`` shows denials alone."""
    denied_only = request.GET.get("denied") == "1"
    found = explain.recent_decisions(resolve_principal(request), limit=_SHOWN, denied_only=denied_only)
    names = dict(User.objects.filter(pk__in={one.actor_id for one in found}).values_list("pk", "username"))
    context = {
        "title": "Decisions",
        "rows": [(one, names.get(one.actor_id, str(one.actor_id))) for one in found],
        "denied_only": denied_only,
    }
    return render_page(request, "vault/access_decisions.html", context)


def decision_page(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Why a decision came out as it did."""
    why = explain.explain_decision(resolve_principal(request), event_id=event_id)
    return render_page(request, "vault/access_decision.html", {"title": "Why", "why": why, "one": why.recorded})


def who_page(request: HttpRequest) -> HttpResponse:
    """People against actions on a dataset, or datasets against actions for one person."""
    principal = resolve_principal(request)
    dataset_id, subject_id = _id(request, "dataset"), _id(request, "person")
    purpose = request.GET.get("purpose") or None
    context: dict[str, Any] = {
        "title": "Who can see what",
        "columns": list(who.COLUMNS.values()),
        "purposes": list(Purpose.objects.filter(is_active=True).order_by("code").values_list("code", flat=True)),
        "purpose": purpose or "",
        "dataset": dataset_id or "",
        "person": subject_id or "",
        "limit": who.SHOWN,
    }
    if dataset_id is not None:
        context["rows"] = who.who_can_see(principal, dataset_id=dataset_id, purpose=purpose)
        context["kind"] = "people"
    elif subject_id is not None:
        context["rows"] = who.reach_of(principal, subject_id=subject_id, purpose=purpose)
        context["kind"] = "datasets"
    else:
        context["people"] = who.people(principal)
    return render_page(request, "vault/access_who.html", context)


def _id(request: HttpRequest, name: str) -> UUID | None:
    text = request.GET.get(name, "").strip()
    found = as_uuid(text) if text else None
    if text and found is None:
        raise InvalidInput(errors=[FieldProblem(name, "is no id")])
    return found
