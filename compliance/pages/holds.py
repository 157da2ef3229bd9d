"""Legal holds in the browser: what is kept for which matter, and who has a say in it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import people_named
from compliance.holds.notices import Answered, answered_of, record_acknowledgement, send_notice
from compliance.holds.place import MAX_MATTER, Wanted, confirm_hold, place_hold
from compliance.holds.release import confirm_release, request_release, withdraw_release
from compliance.holds.selectors import CONDITIONS, HoldFilter, find_hold, kept_by, list_holds, may_do, people_offered
from compliance.holds.texts import (
    MAX_REASON,
    NoticeText,
    checked_notice,
    note_of,
    notice_text,
    query_of,
    reason_of,
    release_reason_of,
)
from compliance.models import HoldNotice, LegalHold
from datasets.models import HoldKind
from datasets.query import parse_filter
from datasets.services.holds import HoldScope, Identifier
from datasets.services.ingest.subjects import INDEXED
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
_OFFERED: Final = 500
_STATES: Final = (
    ("in-force", "in force"),
    ("overdue", "overdue"),
    ("releasing", "to be released"),
    ("released", "released"),
    ("all", "all"),
)


def holds_page(request: HttpRequest) -> HttpResponse:
    """The holds of the organization, those in force unless others are asked for; posted, one is placed."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        placed: list[LegalHold] = []
        refusal = refusal_of(lambda: placed.append(_place(principal, request.POST)))
        if refusal is None:
            messages.success(request, "Placed: what it names is kept from now on. Another person is asked to confirm.")
            return HttpResponseRedirect(reverse("admin:hold", args=[placed[0].pk]))
    else:
        open_page(request, "hold.read", ResourceRef("legal_hold"))
    criteria, state = _criteria(request.GET)
    found = list_holds(principal, criteria, limit=PAGE_SIZE + 1, after=_id(request.GET, "after"))
    shown = found[:PAGE_SIZE]
    kept = {name: value for name, value in request.GET.items() if name != "after" and value}
    answered = answered_of([hold.pk for hold in shown])
    context: dict[str, Any] = {
        "title": "Legal holds",
        "rows": [_row(hold, answered[hold.pk]) for hold in shown],
        "datasets_named": _names(shown),
        "names": people_named(principal, [hold.custodian for hold in shown]),
        "states": _STATES,
        "state": state,
        "is_filtered": bool(criteria.dataset_id or state != "in-force"),
        "next_query": urlencode(kept | {"after": str(shown[-1].pk)}) if len(found) > PAGE_SIZE else "",
        "given": request.POST,
        "days": settings.HOLD_CONFIRM_DAYS,
        **(_form(principal) if may_do(principal, "hold.place") else {}),
    }
    return render_page(request, "vault/holds.html", context, refusal=refusal)


def _criteria(given: QueryDict) -> tuple[HoldFilter, str]:
    state = given.get("state") or "in-force"
    if state not in dict(_STATES):
        raise InvalidInput
    wanted = state if state in CONDITIONS else ""
    return HoldFilter(state=wanted, dataset_id=_id(given, "dataset")), state


def _id(given: QueryDict, name: str) -> UUID | None:
    try:
        return UUID(str(given[name])) if given.get(name) else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _row(hold: LegalHold, answered: Answered) -> dict[str, Any]:
    datasets = sorted({scope.dataset_id for scope in hold.scopes.all()})
    return {"hold": hold, "datasets": datasets, "answered": answered}


def _names(holds: list[LegalHold]) -> dict[UUID, str]:
    wanted = {scope.dataset_id for hold in holds for scope in hold.scopes.all()}
    return {known_id: known.name for known_id, known in dataset_directory().describe(sorted(wanted)).items()}


def _form(principal: Principal) -> dict[str, Any]:
    return {
        "may_place": True,
        "datasets": dataset_directory().listed(principal, limit=_OFFERED),
        **_people_offered(),
        "kinds": HoldKind.choices,
        "types": sorted(INDEXED),
        "max_matter": MAX_MATTER,
        "max_reason": MAX_REASON,
    }


def _people_offered() -> dict[str, Any]:
    """The people to choose from, and how many of them where there are more."""
    people = people_offered(limit=_OFFERED + 1)
    return {"people": people[:_OFFERED], "people_cut": _OFFERED if len(people) > _OFFERED else 0}


def _place(principal: Principal, given: QueryDict) -> LegalHold:
    dataset_id, custodian = _chosen(given, "dataset"), _chosen(given, "custodian")
    if given.get("kind") not in HoldKind.values:
        raise InvalidInput(errors=[FieldProblem("kind", "Choose one.")])
    value, text = given.get("identifier", "").strip(), given.get("filter", "").strip()
    scope = HoldScope(
        HoldKind(str(given["kind"])),
        version=given.get("version", "").strip(),
        identifiers=(Identifier(given.get("type", ""), value),) if value else (),
        filter=parse_filter(text) if text else None,
    )
    return place_hold(
        principal,
        matter=given.get("matter", ""),
        reason=given.get("reason", ""),
        custodian=custodian,
        wanted=[Wanted(dataset_id, scope)],
        notice=_notice(given) if given.get("keep") or given.get("contact") else None,
    )


def _notice(given: QueryDict) -> NoticeText:
    return checked_notice(given.get("keep", ""), given.get("contact", ""))


def _chosen(given: QueryDict, name: str) -> UUID:
    try:
        return UUID(given.get(name, ""))
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "Choose one.")]) from None


def hold_page(request: HttpRequest, hold_id: UUID) -> HttpResponse:
    """One hold: what it keeps and what became of it; posted, it is confirmed or released."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, hold_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:hold", args=[hold_id]))
    else:
        open_page(request, "hold.read", ResourceRef("legal_hold", str(hold_id)))
    hold = find_hold(principal, hold_id)
    notices = list(hold.notices.order_by("id"))
    is_open = may_do(principal, "hold.place")
    context = {
        "title": f"Legal hold {hold.matter}",
        "hold": hold,
        "kept": [_kept(kept, is_open=is_open) for kept in kept_by(hold)],
        "datasets_named": _names([hold]),
        "names": people_named(principal, _people(hold, notices)),
        "history": _history(hold),
        "notices": [_noticed(notice, is_open=is_open) for notice in notices],
        **(_untold(hold, notices) if is_open and hold.released_at is None else {}),
        "is_open": is_open,
        "reason": reason_of(hold) if is_open else "",
        "release_reason": release_reason_of(hold) if is_open else "",
        "max_reason": MAX_REASON,
        **_buttons(principal, hold),
    }
    return render_page(request, "vault/hold.html", context, refusal=refusal)


def _kept(kept: Any, *, is_open: bool) -> dict[str, Any]:
    wanted = query_of(kept.scope) if is_open else None
    return {"scope": kept.scope, "records": kept.records, "is_searching": kept.is_searching, "filter": wanted}


def _noticed(notice: HoldNotice, *, is_open: bool) -> dict[str, Any]:
    return {
        "notice": notice,
        "text": notice_text(notice) if is_open else None,
        "note": note_of(notice) if is_open else "",
    }


def _untold(hold: LegalHold, notices: list[HoldNotice]) -> dict[str, Any]:
    """Who can still be told of a hold, its custodian first."""
    told, offered = {notice.person for notice in notices}, _people_offered()
    people = [one for one in offered["people"] if one[0] not in told]
    return offered | {"people": sorted(people, key=lambda one: one[0] != hold.custodian)}


def _people(hold: LegalHold, notices: list[HoldNotice]) -> list[UUID | None]:
    told = [who for notice in notices for who in (notice.person, notice.recorded_by)]
    return [hold.custodian, *(who for _, who, _ in _history(hold)), *told]


def _history(hold: LegalHold) -> list[tuple[str, UUID | None, Any]]:
    """What happened, who did it and when; oldest first."""
    steps = [
        ("Placed", hold.placed_by, hold.placed_at),
        ("Confirmed", hold.confirmed_by, hold.confirmed_at),
        ("Release asked for", hold.release_requested_by, hold.release_requested_at),
        ("Released", hold.released_by, hold.released_at),
    ]
    return sorted((step for step in steps if step[2] is not None), key=lambda step: step[2])


def _buttons(principal: Principal, hold: LegalHold) -> dict[str, bool]:
    """What this reader can do now: nobody is offered what another person has to do."""
    is_second, has_part = may_do(principal, "hold.confirm"), principal.id == hold.custodian
    is_releasing = hold.state == "releasing"
    is_unconfirmed = hold.confirmed_at is None and hold.released_at is None
    return {
        "may_confirm": is_second and is_unconfirmed and hold.placed_by != principal.id,
        "may_ask": may_do(principal, "hold.place") and not has_part and hold.state in {"placed", "confirmed"},
        "may_agree": is_second and not has_part and is_releasing and hold.release_requested_by != principal.id,
        "may_withdraw": is_second and is_releasing,
    }


def _act(request: HttpRequest, principal: Principal, hold_id: UUID) -> None:
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise InvalidInput
    messages.success(request, act(principal, hold_id, request.POST))


def _confirm(principal: Principal, hold_id: UUID, _: QueryDict) -> str:
    confirm_hold(principal, hold_id=hold_id)
    return "Confirmed."


def _ask(principal: Principal, hold_id: UUID, given: QueryDict) -> str:
    request_release(principal, hold_id=hold_id, reason=given.get("reason", ""))
    return "Asked for. The hold keeps everything until another person agrees."


def _withdraw(principal: Principal, hold_id: UUID, _: QueryDict) -> str:
    withdraw_release(principal, hold_id=hold_id)
    return "The hold stands as before."


def _agree(principal: Principal, hold_id: UUID, _: QueryDict) -> str:
    confirm_release(principal, hold_id=hold_id)
    return "Released: what no other hold keeps can be deleted again."


def _tell(principal: Principal, hold_id: UUID, given: QueryDict) -> str:
    person = _chosen(given, "person")
    notice = send_notice(principal, hold_id=hold_id, person=person, text=_notice(given))
    return "Told." if notice.reached else "Written down; the vault could not tell them: their account takes no notice."


def _record(principal: Principal, hold_id: UUID, given: QueryDict) -> str:
    notice_id = _chosen(given, "notice")
    record_acknowledgement(principal, hold_id=hold_id, notice_id=notice_id, note=given.get("note", ""))
    return "Written down."


_ACTS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], str]]] = MappingProxyType(
    {"confirm": _confirm, "ask": _ask, "withdraw": _withdraw, "agree": _agree, "tell": _tell, "record": _record}
)

PATHS: Final = (
    ("holds/", holds_page, "holds"),
    ("holds/<uuid:hold_id>/", hold_page, "hold"),
)
