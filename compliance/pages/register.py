"""The register of processing in the browser: generated when it is opened, printed, saved; its parties; assessments."""

from typing import Any, Final
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET

from access.pages.page import open_page, refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import may
from compliance.api.subjects import file_answer
from compliance.models import PartyRole, Safeguard
from compliance.register.art30 import as_csv, controller_register, processor_register
from compliance.register.dpia import draft_assessment
from compliance.register.parties import (
    PartyFacts,
    add_party,
    change_party,
    end_party,
    find_party,
    list_ended_parties,
    list_parties,
)
from compliance.register.transfers import MISSING
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

#: Datasets that an assessment is offered for.
_OFFERED: Final = 500
_REGISTERS: Final = {"controller": controller_register, "processor": processor_register}
_FACTS: Final = ("role", "name", "contact", "country", "safeguard", "contract_reference", "does")


def register_page(request: HttpRequest) -> HttpResponse:
    """The records of processing as they are now: as controller (Art. 30(1)) or as processor (Art. 30(2))."""
    principal = resolve_principal(request)
    role = _role(request.GET)
    register = _REGISTERS[role](principal)
    context = {
        "title": "Register of processing",
        "role": role,
        "register": register,
        "missing": _missing(register),
        "word": MISSING,
        "datasets": dataset_directory().listed(principal, limit=_OFFERED),
        "may_manage": may(principal, "register.manage"),
    }
    return render_page(request, "vault/register.html", context)


def _role(given: QueryDict) -> str:
    role = given.get("role", "controller")
    if role not in _REGISTERS:
        raise InvalidInput
    return role


def _missing(value: Any) -> int:
    """How many answers are to be completed."""
    if isinstance(value, dict):
        return sum(map(_missing, value.values()))
    if isinstance(value, list):
        return sum(map(_missing, value))
    return int(value == MISSING)


@require_GET
def register_file(request: HttpRequest) -> HttpResponse:
    """The same as a file, JSON or CSV."""
    role, kind = _role(request.GET), request.GET.get("as", "json")
    if kind not in {"json", "csv"}:
        raise InvalidInput
    register = _REGISTERS[role](resolve_principal(request))
    if kind == "csv":
        return file_answer(as_csv(register), f"register-{role}.csv", "text/csv; charset=utf-8")
    text = orjson.dumps(register, option=orjson.OPT_INDENT_2).decode()
    return file_answer(text, f"register-{role}.json", "application/json")


def parties_page(request: HttpRequest) -> HttpResponse:
    """Who takes part in the processing; posted, one more."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: add_party(principal, facts=_facts(request.POST)))
        if refusal is None:
            messages.success(request, "Added: the register names it from now on.")
            return HttpResponseRedirect(reverse("admin:register_parties"))
    context = {
        "title": "Parties of the register",
        "parties": list_parties(principal),
        "ended": list_ended_parties(principal),
        "facts": _facts(request.POST) if refusal else PartyFacts(PartyRole.PROCESSOR, ""),
        **_form(principal),
    }
    return render_page(request, "vault/register_parties.html", context, refusal=refusal)


def party_page(request: HttpRequest, party_id: UUID) -> HttpResponse:
    """One party; posted, it is changed or takes part no more."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, party_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:register_parties"))
    party = find_party(principal, party_id=party_id)
    context = {
        "title": "Party of the register",
        "party": party,
        "facts": _facts(request.POST) if refusal else party.facts,
        **_form(principal),
    }
    return render_page(request, "vault/register_party.html", context, refusal=refusal)


def _act(request: HttpRequest, principal: Principal, party_id: UUID) -> None:
    if request.POST.get("do") == "end":
        end_party(principal, party_id=party_id)
        messages.success(request, "It takes part no more. What it was is kept.")
        return
    change_party(principal, party_id=party_id, facts=_facts(request.POST))
    messages.success(request, "Saved.")


def _facts(given: QueryDict) -> PartyFacts:
    said = {name: given.get(name, "").strip() for name in _FACTS}
    return PartyFacts(**said | {"country": said["country"].upper()})


def _form(principal: Principal) -> dict[str, Any]:
    return {
        "roles": PartyRole.choices,
        "safeguards": Safeguard.choices,
        "may_manage": may(principal, "register.manage"),
    }


def assessments_page(request: HttpRequest) -> HttpResponse:
    """The dataset that an assessment is wanted of leads to it."""
    principal = open_page(request, "register.read", ResourceRef("register"))
    try:
        dataset_id = UUID(request.GET.get("dataset", ""))
    except ValueError:
        datasets = dataset_directory().listed(principal, limit=_OFFERED)
        context = {"title": "Impact assessments", "datasets": datasets}
        return render_page(request, "vault/register_assessments.html", context)
    return HttpResponseRedirect(reverse("admin:register_assessment", args=[dataset_id]))


def assessment_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """An impact assessment of one dataset, begun: facts filled in, what people must answer marked."""
    text = draft_assessment(resolve_principal(request), dataset_id=dataset_id)
    title, begun, parts = _parts(text)
    context = {"title": title, "begun": begun, "parts": parts, "dataset_id": dataset_id, "open": text.count(_OPEN)}
    return render_page(request, "vault/register_assessment.html", context)


#: How the Markdown marks what people must answer.
_OPEN: Final = "- [ ] "


def _parts(text: str) -> tuple[str, str, list[dict[str, Any]]]:
    """The Markdown of an assessment by its headings: lines that are filled in, and lines to be answered."""
    head, *rest = text.split("\n## ")
    title, _, begun = head.partition("\n")
    parts = []
    for part in rest:
        name, *lines = part.split("\n")
        told = [line.removeprefix(_OPEN).removeprefix("- ") for line in lines if line]
        parts.append({"title": name, "lines": [(one, f"{_OPEN}{one}" in lines) for one in told]})
    return title.removeprefix("# "), begun.strip(), parts


@require_GET
def assessment_file(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The same as a file, to be worked on."""
    text = draft_assessment(resolve_principal(request), dataset_id=dataset_id)
    return file_answer(text, f"dpia-{dataset_id}.md", "text/markdown; charset=utf-8")


PATHS: Final = (
    ("register/", register_page, "register"),
    ("register/file/", register_file, "register_file"),
    ("register/parties/", parties_page, "register_parties"),
    ("register/parties/<uuid:party_id>/", party_page, "register_party"),
    ("register/assessments/", assessments_page, "register_assessments"),
    ("register/assessments/<uuid:dataset_id>/", assessment_page, "register_assessment"),
    ("register/assessments/<uuid:dataset_id>/file/", assessment_file, "register_assessment_file"),
)
