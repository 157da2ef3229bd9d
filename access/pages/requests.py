"""Requests for access: the inbox of those who approve, and what somebody asked for and holds themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone

from access.lease_selectors import list_leases, list_requests
from access.leases.terms import level_of
from access.models import AccessRequest, Lease, RequestState
from access.pages.page import open_page, refusal_of, render_page
from access.pages.spans import SPANS, number_or_none, whole_number
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.access_requests import (
    approve_request,
    refuse_request,
    request_extension,
    withdraw_request,
)
from access.services.authorize import may
from access.services.leases import revoke_lease
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 25
_STATES: Final = (
    (RequestState.PENDING, "Waiting"),
    (RequestState.APPROVED, "Approved"),
    (RequestState.REFUSED, "Refused"),
    (RequestState.WITHDRAWN, "Withdrawn"),
)


@dataclass(frozen=True)
class RequestCard:
    """A request as a person sees it; ``is_lapsed``: nobody decided in time."""

    row: AccessRequest
    level: str
    dataset: str
    who: str
    said: list[tuple[str, bool, str]]
    is_own: bool
    has_said: bool
    is_lapsed: bool


@dataclass(frozen=True)
class LeaseCard:
    row: Lease
    level: str
    dataset: str
    who: str
    percent: int


def requests_page(request: HttpRequest) -> HttpResponse:
    """Everybody's requests by state; posted, one is approved or refused."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, _DECISIONS))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:access_requests"))
    else:
        open_page(request, "access.read", ResourceRef("access_request"))
    state = request.GET.get("state", RequestState.PENDING)
    if state not in RequestState.values:
        raise InvalidInput
    after = (request.GET["after"],) if request.GET.get("after") else None
    rows = list_requests(principal, is_own=False, state=state, after=after, limit=PAGE_SIZE + 1)
    context = {
        "title": "Access requests",
        "cards": request_cards(principal, rows[:PAGE_SIZE]),
        "state": state,
        "states": _STATES,
        "next_after": rows[PAGE_SIZE - 1].pk if len(rows) > PAGE_SIZE else None,
        "may_approve": may(principal, "access.approve"),
    }
    return render_page(request, "vault/access_requests.html", context, refusal=refusal)


def mine_page(request: HttpRequest) -> HttpResponse:
    """What somebody holds beside their roles, and what they asked for; posted, it is extended or given back."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, _OWN))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:access_mine"))
    else:
        open_page(request, "access.own", ResourceRef("lease"))
    leases = list_leases(principal, is_own=True, limit=PAGE_SIZE)
    asked = list_requests(principal, is_own=True, limit=PAGE_SIZE)
    context: dict[str, Any] = {
        "title": "My access",
        "roles": sorted(principal.roles),
        "leases": lease_cards(principal, leases),
        "cards": request_cards(principal, asked),
        "spans": SPANS,
    }
    return render_page(request, "vault/access_mine.html", context, refusal=refusal)


def request_cards(principal: Principal, rows: Sequence[AccessRequest]) -> list[RequestCard]:
    """With the names this reader may know."""
    approvers = [verdict.approver for row in rows for verdict in row.verdicts.all()]
    names = people_named(principal, [*(row.requester for row in rows), *approvers])
    datasets = dataset_directory().describe([row.dataset_id for row in rows])
    return [
        RequestCard(
            row=row,
            level=level_of(row.actions),
            dataset=datasets[row.dataset_id].name if row.dataset_id in datasets else "a dataset that is gone",
            who=names[row.requester],
            said=[(names[one.approver], one.is_approval, one.reason) for one in row.verdicts.all()],
            is_own=row.requester == principal.id,
            has_said=any(one.approver == principal.id for one in row.verdicts.all()),
            is_lapsed=row.state == RequestState.PENDING and row.decide_by <= timezone.now(),
        )
        for row in rows
    ]


def lease_cards(principal: Principal, rows: Sequence[Lease]) -> list[LeaseCard]:
    """With the names this reader may know; ``percent`` of the quota that is used up."""
    names = people_named(principal, [row.holder for row in rows])
    datasets = dataset_directory().describe([row.dataset_id for row in rows])
    return [
        LeaseCard(
            row=row,
            level=level_of(row.actions),
            dataset=datasets[row.dataset_id].name if row.dataset_id in datasets else "a dataset that is gone",
            who=names[row.holder],
            percent=100 * row.rows_used // row.row_quota if row.row_quota else 0,
        )
        for row in rows
    ]


_Act = Callable[[Principal, UUID, QueryDict], str]


def _act(request: HttpRequest, principal: Principal, acts: Mapping[str, _Act]) -> None:
    act = acts.get(request.POST.get("do", ""))
    if act is None:
        raise InvalidInput
    messages.success(request, act(principal, uuid_of(request.POST), request.POST))


def uuid_of(given: QueryDict) -> UUID:
    """The id a form names. Raises InvalidInput."""
    try:
        return UUID(given.get("id", ""))
    except ValueError:
        raise InvalidInput from None


def _approve(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    row = approve_request(principal, request_id=request_id, reason=given.get("reason", ""))
    return "The lease has begun." if row.state == RequestState.APPROVED else "Approved. One more person must approve."


def _refuse(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    refuse_request(principal, request_id=request_id, reason=given.get("reason", ""))
    return "Refused."


def _withdraw(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    withdraw_request(principal, request_id=request_id)
    return "The request is withdrawn."


def _extend(principal: Principal, lease_id: UUID, given: QueryDict) -> str:
    request_extension(
        principal,
        lease_id=lease_id,
        seconds=whole_number(given.get("seconds", ""), "seconds"),
        row_quota=number_or_none(given.get("row_quota", ""), "row_quota"),
        justification=given.get("justification", ""),
    )
    return "Asked for. The lease goes on until its present end, whatever is decided."


def give_back(principal: Principal, lease_id: UUID, given: QueryDict) -> str:
    """Revoke a lease that a form names."""
    revoke_lease(principal, lease_id=lease_id, reason=given.get("reason", "").strip() or "not needed any more")
    return "The lease is revoked."


_DECISIONS: Final[Mapping[str, _Act]] = MappingProxyType({"approve": _approve, "refuse": _refuse})
_OWN: Final[Mapping[str, _Act]] = MappingProxyType({"withdraw": _withdraw, "extend": _extend, "revoke": give_back})
