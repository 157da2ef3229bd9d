"""Consent of people in the browser: looked up, recorded, withdrawn, imported; and what withdrawals left open."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import may, people_named
from compliance.consents.find import consents_of
from compliance.consents.imports import FORMATS, MAX_BYTES, MAX_LINES
from compliance.consents.people import MAX_VALUE, Identifier, problems_of
from compliance.consents.purposes import list_purposes
from compliance.consents.record import MAX_EVIDENCE, record_consent
from compliance.consents.tasks import MAX_GROUND, OUTCOMES, ShownTask, decide_task, list_tasks
from compliance.consents.withdraw import Withdrawn, withdraw_consent, withdraw_of_person
from compliance.models import WithdrawalEffect
from compliance.pages.consent_forms import CHANNELS, read_after, read_consent, read_effect, read_id, read_person
from datasets.services.ingest.subjects import INDEXED
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
#: Identifiers of one person that the form has room for.
ROWS: Final = 3


def consent_people_page(request: HttpRequest) -> HttpResponse:
    """One person by their identifiers, which are posted and kept nowhere: what stands, and what is done about it."""
    principal = resolve_principal(request)
    refusal, said = None, ""
    if request.method == "POST":
        done: list[str] = []
        refusal = refusal_of(lambda: done.append(_act(principal, request.POST)))
        said = done[0] if done else ""
    else:
        open_page(request, "consent.read", ResourceRef("consent"))
    person = read_person(request.POST)
    context = {
        "title": "Consent of a person",
        "said": said,
        "rows": _rows(person),
        "is_asked": bool(person) and refusal is None,
        "consents": consents_of(principal, identifiers=person) if person and refusal is None else [],
        "types": sorted(INDEXED),
        "purposes": [one.code for one in list_purposes(principal) if one.terms.is_active],
        "effects": WithdrawalEffect.choices,
        "channels": CHANNELS,
        "given": request.POST,
        "max_value": MAX_VALUE,
        "max_evidence": MAX_EVIDENCE,
        "may_manage": may(principal, "consent.manage"),
    }
    return render_page(request, "vault/consent_people.html", context, refusal=refusal)


def _rows(person: tuple[Identifier, ...]) -> list[Identifier]:
    """What was typed, shown again to who typed it, and room for more."""
    return [*person, *[Identifier("EMAIL_ADDRESS", "")] * max(1, ROWS - len(person))]


def _act(principal: Principal, given: QueryDict) -> str:
    act = _ACTS.get(given.get("do", ""))
    if act is None:
        raise InvalidInput
    return act(principal, given)


def _find(_: Principal, given: QueryDict) -> str:
    """What is found is looked up, and decided on, when the page is made."""
    if problems := problems_of(read_person(given)):
        raise InvalidInput(errors=problems)
    return ""


def _record(principal: Principal, given: QueryDict) -> str:
    recorded = record_consent(principal, purpose=given.get("purpose", ""), given=read_consent(given))
    return "Recorded." if recorded.is_new else "The same was recorded before; nothing changed."


def _withdraw(principal: Principal, given: QueryDict) -> str:
    done = withdraw_of_person(
        principal,
        purpose=given.get("purpose", ""),
        identifiers=read_person(given),
        channel=given.get("channel", ""),
        effect=read_effect(given),
    )
    return told(done)


def told(done: Withdrawn) -> str:
    """What a withdrawal led to, in words."""
    what = "It waits for somebody to decide on the records." if done.task_id else "Nothing is released from now on."
    ended = "1 consent" if done.consents == 1 else f"{done.consents} consents"
    found = "1 dataset" if done.datasets == 1 else f"{done.datasets} datasets"
    return f"Withdrawn: {ended} ended; the person is in {found}. {what}"


def consent_withdraw_page(request: HttpRequest, consent_id: UUID) -> HttpResponse:
    """Posted from a purpose's list: the consent of a pseudonym ends, with whatever stands beside it for the purpose."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return HttpResponseRedirect(reverse("admin:consent"))
    done: list[Withdrawn] = []
    given = request.POST
    refusal = refusal_of(lambda: done.append(_end(principal, consent_id, given)))
    if refusal is None:
        messages.success(request, told(done[0]))
    else:
        detail = refusal.detail or "; ".join(one.detail for one in refusal.errors)
        messages.error(request, f"{refusal.title}. {detail}".strip())
    page = reverse("admin:consent_purpose", args=[given["purpose"]]) if given.get("purpose") else ""
    return HttpResponseRedirect(page or reverse("admin:consent"))


def _end(principal: Principal, consent_id: UUID, given: QueryDict) -> Withdrawn:
    return withdraw_consent(
        principal, consent_id=consent_id, channel=given.get("channel", ""), effect=read_effect(given)
    )


def consent_import_page(request: HttpRequest) -> HttpResponse:
    """Where a file is chosen; the browser sends it to the API as it is, so that it is never parsed as a form."""
    principal = open_page(request, "consent.manage", ResourceRef("consent"))
    context = {
        "title": "Import consents",
        "purposes": [one.code for one in list_purposes(principal) if one.terms.is_active],
        "formats": FORMATS,
        "max_lines": MAX_LINES,
        "max_bytes": MAX_BYTES,
        "chosen": request.GET.get("purpose", ""),
    }
    return render_page(request, "vault/consent_import.html", context)


def consent_tasks_page(request: HttpRequest) -> HttpResponse:
    """Withdrawals that ask for erasure, those that wait first of all; posted, one is decided on."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _decide(principal, request.POST))
        if refusal is None:
            messages.success(request, "Decided, and recorded.")
            return HttpResponseRedirect(reverse("admin:consent_tasks"))
    state = request.GET.get("state", "open")
    if state not in {"open", "all"}:
        raise InvalidInput
    after = read_after(request.GET)
    found = list_tasks(principal, after=after, limit=PAGE_SIZE + 1, is_open=state == "open")
    shown = found[:PAGE_SIZE]
    context = {
        "title": "Withdrawals to decide on",
        "rows": _named(shown),
        "state": state,
        "names": people_named(principal, [one.decided_by for one in shown]),
        "next_query": urlencode({"state": state, "after": shown[-1].id}) if len(found) > PAGE_SIZE else "",
        "outcomes": OUTCOMES,
        "max_ground": MAX_GROUND,
        "given": request.POST,
        "may_manage": may(principal, "consent.manage"),
    }
    return render_page(request, "vault/consent_tasks.html", context, refusal=refusal)


def _named(tasks: list[ShownTask]) -> list[dict[str, Any]]:
    known = dataset_directory().describe([one.dataset_id for task in tasks for one in task.found])
    return [
        {
            "task": task,
            "found": [
                (one.dataset_id, known[one.dataset_id].name if one.dataset_id in known else "", one.records)
                for one in task.found
            ],
        }
        for task in tasks
    ]


def _decide(principal: Principal, given: QueryDict) -> None:
    task_id = read_id(given.get("task", ""), "task")
    decide_task(principal, task_id=task_id, outcome=given.get("outcome", ""), ground=given.get("ground", ""))


_ACTS: Final[Mapping[str, Callable[[Principal, QueryDict], str]]] = MappingProxyType(
    {"find": _find, "record": _record, "withdraw": _withdraw}
)

PATHS: Final = (
    ("consent/people/", consent_people_page, "consent_people"),
    ("consent/import/", consent_import_page, "consent_import"),
    ("consent/tasks/", consent_tasks_page, "consent_tasks"),
    ("consent/given/<uuid:consent_id>/withdraw/", consent_withdraw_page, "consent_withdraw"),
)
