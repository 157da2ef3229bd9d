"""Requests of data subjects in the browser: the queue with its clocks, one request, the intake form."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_GET

from access.pages.page import refusal_of, render_page
from access.selectors import may, people_named
from compliance.api.request_results import as_download
from compliance.api.requests import form_address
from compliance.models import LegalBasis as ErasureBasis
from compliance.models import SubjectRequest
from compliance.models.request import (
    Channel,
    Direction,
    IdentityMethod,
    Law,
    LegalBasis,
    RefusalGround,
    RequestType,
    SubjectRequestState,
)
from compliance.pages.request_search import search_card
from compliance.pages.request_timeline import clock_shown, timeline_of
from compliance.requests import cases
from compliance.requests.corrections import corrections_of
from compliance.requests.erasures import start_erasure
from compliance.requests.form import form_settings, set_form
from compliance.requests.intake import MANAGE, Intake, create_request
from compliance.requests.letters import add_letter
from compliance.requests.matches import entered_of, matches_of, set_matches
from compliance.requests.packages import mail_link, newest_package, open_package, request_package
from compliance.requests.restrictions import impose, lift
from compliance.requests.sealed import MAX_TEXT, Letter, SubjectFacts
from compliance.requests.searches import start_search
from compliance.requests.selectors import (
    Position,
    RequestFilter,
    get_request,
    list_requests,
    may_see_subject,
)
from compliance.requests.states import DONE
from datasets.models import Dataset
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
_STATES: Final = (("open", "not answered"), *SubjectRequestState.choices, ("all", "all"))


def requests_page(request: HttpRequest) -> HttpResponse:
    """The queue, those due first first; posted, the public form is opened or closed."""
    principal, refusal = resolve_principal(request), None
    if request.method == "POST":
        refusal = refusal_of(lambda: _set_form(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:subject_requests"))
    criteria, state = _criteria(request.GET)
    found = list_requests(principal, criteria, limit=PAGE_SIZE + 1, after=_after(request.GET.get("after", "")))
    shown = found[:PAGE_SIZE]
    kept = {name: value for name, value in request.GET.items() if name != "after" and value}
    last = shown[-1] if len(found) > PAGE_SIZE else None
    context = {
        "title": "Requests of data subjects",
        "rows": [(one, clock_shown(one)) for one in shown],
        "names": people_named(principal, [one.assignee for one in shown]),
        "states": _STATES,
        "state": state,
        "types": RequestType.choices,
        "laws": Law.choices,
        "criteria": criteria,
        "is_filtered": bool(kept),
        "next_query": urlencode(kept | {"after": f"{last.due_on.isoformat()}~{last.pk}"}) if last else "",
        "may_manage": may(principal, MANAGE),
        "form": form_settings(principal),
        "form_address": form_address(),
    }
    return render_page(request, "vault/subject_requests.html", context, refusal=refusal)


def _after(text: str) -> Position | None:
    """Raises InvalidCursor."""
    return Position.of((text[:10], text[11:])) if text else None


def _criteria(given: QueryDict) -> tuple[RequestFilter, str]:
    state = given.get("state") or "open"
    kind, law = given.get("type", ""), given.get("law", "")
    if state not in dict(_STATES) or kind not in {"", *RequestType.values} or law not in {"", *Law.values}:
        raise InvalidInput
    return RequestFilter(state="" if state == "all" else state, type=kind, law=law), state


def _set_form(request: HttpRequest, principal: Principal) -> None:
    law, is_open = _choice(Law, request.POST.get("law", ""), "/law"), request.POST.get("do") == "open"
    set_form(principal, is_open=is_open, law=law)
    messages.success(request, "The public form is open." if is_open else "The public form is closed.")


def _choice(kind: Any, value: str, field: str) -> Any:
    if value not in kind.values:
        raise InvalidInput(errors=[FieldProblem(field, "choose one")])
    return kind(value)


def new_request_page(request: HttpRequest) -> HttpResponse:
    """Enter a request that came by post, phone, mail or in person."""
    principal, refusal = resolve_principal(request), None
    get_form = form_settings(principal)  # decides that the page may be seen
    if request.method == "POST":
        made: list[SubjectRequest] = []
        refusal = refusal_of(lambda: made.append(_entered(principal, request.POST)))
        if refusal is None:
            messages.success(request, "The request is entered; its clock runs.")
            return HttpResponseRedirect(reverse("admin:subject_request", args=[made[0].pk]))
    context = {
        "title": "Enter a request",
        "types": RequestType.choices,
        "laws": Law.choices,
        "channels": [one for one in Channel.choices if one[0] not in {Channel.FORM, Channel.PROGRAM}],
        "bases": LegalBasis.choices,
        "methods": [(one.value, one.label) for one in cases.METHODS],
        "given": request.POST,
        "law": request.POST.get("law") or get_form.law,
    }
    return render_page(request, "vault/subject_request_new.html", context, refusal=refusal)


def _entered(principal: Principal, given: QueryDict) -> SubjectRequest:
    return create_request(
        principal,
        intake=Intake(
            _choice(RequestType, given.get("type", ""), "/type"),
            _choice(Law, given.get("law", ""), "/law"),
            _choice(Channel, given.get("channel", ""), "/channel"),
            _received(given.get("received_on", "")),
            _choice(LegalBasis, given.get("legal_basis", ""), "/legal_basis"),
        ),
        facts=SubjectFacts(
            given.get("name", "").strip(),
            given.get("contact", "").strip(),
            tuple(line.strip() for line in given.get("identifiers", "").splitlines() if line.strip()),
            given.get("details", "").strip(),
        ),
        identity=_choice(IdentityMethod, given.get("identity", ""), "/identity"),
    )


def _received(text: str) -> datetime | None:
    """The beginning of a day, in UTC; None for today."""
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/received_on", "a date")]) from None
    return None if day.date() == datetime.now(UTC).date() else day


def request_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One request: who asks, the clock, what happened, what to do next; posted, it is done."""
    principal, refusal = resolve_principal(request), None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, request_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:subject_request", args=[request_id]))
    case = get_request(principal, request_id)
    is_open, may_manage = case.state not in DONE, may_see_subject(principal)
    context = {
        "title": f"Request {case.reference}",
        "case": case,
        "clock": clock_shown(case),
        "subject": SubjectFacts.of(case) if may_manage else None,
        "timeline": timeline_of(case, with_text=may_manage),
        "may_manage": may_manage,
        "is_open": is_open,
        **search_card(principal, case),
        "package": newest_package(case),
        "corrections": corrections_of(case),
        **(_to_do(case) if may_manage else {}),
    }
    known = [case.assignee, case.verified_by, *(entry.who for entry in context["timeline"])]
    context["names"] = people_named(principal, known)
    return render_page(request, "vault/subject_request.html", context, refusal=refusal)


def _to_do(case: SubjectRequest) -> dict[str, Any]:
    found = matches_of(case)
    named = dict(Dataset.objects.filter(pk__in=[one.dataset_id for one in found]).values_list("pk", "name"))
    return {
        "matches": [(named.get(one.dataset_id, ""), one) for one in found],
        "people": sorted(cases.assignable().items(), key=lambda one: one[1]),
        "methods": [(one.value, one.label) for one in cases.METHODS],
        "grounds": [(one.value, one.label) for one in cases.GROUNDS],
        "next_states": [(one.value, one.label) for one in cases.next_states(case)],
        "bases": LegalBasis.choices,
        "directions": Direction.choices,
        "channels": Channel.choices,
        "max_text": MAX_TEXT,
        "takes_correction": case.type == RequestType.RECTIFICATION,
        "takes_package": case.type in {RequestType.ACCESS, RequestType.PORTABILITY},
    }


def _act(request: HttpRequest, principal: Principal, request_id: UUID) -> None:
    """Raises InvalidInput for what is none of _DEEDS, and what each of them raises."""
    deed = _DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise InvalidInput
    said = deed(principal, request_id, request.POST)
    messages.success(request, said)


def _assign(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    text = given.get("assignee", "")
    cases.assign(principal, request_id=request_id, assignee=_uuid(text) if text else None)
    return "Assigned." if text else "Nobody is assigned any more."


def _verify(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    method = _choice(IdentityMethod, given.get("method", ""), "/method")
    cases.verify(principal, request_id=request_id, method=method)
    return "Verified."


def _ask(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    cases.ask_for_identity(principal, request_id=request_id)
    return "A link is on its way to the subject."


def _move(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    to = _choice(SubjectRequestState, given.get("to", ""), "/to")
    cases.advance(principal, request_id=request_id, to=to)
    return f"The request is now: {to.label}."


def _basis(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    basis = _choice(LegalBasis, given.get("legal_basis", ""), "/legal_basis")
    cases.set_basis(principal, request_id=request_id, legal_basis=basis)
    return "The legal basis is entered."


def _extend(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    done = cases.extend(principal, request_id=request_id, reason=given.get("text", ""))
    return f"Extended: the last day is now {done.due_on:%Y-%m-%d}."


def _refuse(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    ground = _choice(RefusalGround, given.get("ground", ""), "/ground")
    cases.refuse(principal, request_id=request_id, ground=ground, explanation=given.get("text", ""))
    return "Refused; the subject is told why."


def _answer(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    ground = _choice(RefusalGround, given.get("ground", ""), "/ground")
    cases.answer(principal, request_id=request_id, message=given.get("text", ""), ground=ground)
    return "Answered; the subject is told what is refused." if ground else "Answered."


def _search(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    start_search(principal, request_id=request_id)
    return "The search has been queued: the index first, then everything stored."


def _erase(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    basis = _choice(ErasureBasis, given.get("basis", ""), "/basis")
    if given.get("confirmed") != "1":
        raise InvalidInput(errors=[FieldProblem("/confirmed", "say that you know it cannot be undone")])
    start_erasure(principal, request_id=request_id, legal_basis=basis)
    return "The erasure has begun."


def _write(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    add_letter(
        principal,
        request_id=request_id,
        direction=_choice(Direction, given.get("direction", ""), "/direction"),
        channel=_choice(Channel, given.get("channel", ""), "/channel"),
        letter=Letter(given.get("subject", "").strip(), given.get("text", "").strip()),
    )
    return "Entered into the log."


def _restrict(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    impose(principal, request_id=request_id, purposes=given.getlist("purpose"))
    return "The person's records are left out of reads."


def _lift(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    lift(principal, request_id=request_id, message=given.get("text", ""))
    return "The records are read again; the person is told."


def _match(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    """One dataset's records, beside those of the others."""
    dataset_id = _uuid(given.get("dataset", "").strip())
    case = get_request(principal, request_id, action=MANAGE)
    found = {one.dataset_id: list(one.record_ids) for one in entered_of(case)}
    found[dataset_id] = given.get("records", "").split()
    if not found[dataset_id]:
        del found[dataset_id]
    set_matches(principal, request_id=request_id, found=found)
    return "The records are entered."


def _package(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    request_package(principal, request_id=request_id)
    return "The package is being written."


def _send(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    mail_link(principal, request_id=request_id)
    return "A link to the package is on its way to the subject."


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/id", "an id")]) from None


_DEEDS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], str]]] = {
    "assign": _assign,
    "verify": _verify,
    "ask": _ask,
    "move": _move,
    "basis": _basis,
    "extend": _extend,
    "refuse": _refuse,
    "answer": _answer,
    "write": _write,
    "search": _search,
    "erase": _erase,
    "restrict": _restrict,
    "lift": _lift,
    "match": _match,
    "package": _package,
    "send": _send,
}


@require_GET
def request_file(request: HttpRequest, request_id: UUID) -> HttpResponseBase:
    """The package of a request."""
    principal = resolve_principal(request)
    return as_download(open_package(principal, request_id=request_id), principal, facts_of(request))


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("requests/", requests_page, "subject_requests"),
    ("requests/new/", new_request_page, "subject_request_new"),
    ("requests/<uuid:request_id>/", request_page, "subject_request"),
    ("requests/<uuid:request_id>/package/", request_file, "subject_request_file"),
)
