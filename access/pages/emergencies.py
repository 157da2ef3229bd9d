"""Access in an emergency: called for, confirmed by somebody else, and looked at afterwards."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.pages.requests import uuid_of
from access.pages.spans import HOUR, whole_number
from access.ports import dataset_directory
from access.selectors import known_purposes, people_named
from access.services.authorize import may
from access.services.break_glass import (
    call_emergency,
    confirm_emergency,
    end_emergency,
    list_emergencies,
    refuse_emergency,
    review_emergency,
)
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_SHOWN: Final = 50
_OFFERED: Final = 500


def emergencies_page(request: HttpRequest) -> HttpResponse:
    """The calls this reader may know of; posted, one is made or decided on."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:access_emergencies"))
    else:
        open_page(request, "emergency.read", ResourceRef("emergency"))
    calls = list_emergencies(principal, limit=_SHOWN)
    people = [one for call in calls for one in (call.requester, call.confirmed_by, call.reviewed_by) if one]
    datasets = dataset_directory().describe([call.dataset_id for call in calls])
    names = people_named(principal, people)
    context = {
        "title": "Emergency access",
        "calls": [
            {
                "row": call,
                "state": call.state,
                "dataset": datasets[call.dataset_id].name if call.dataset_id in datasets else "a dataset that is gone",
                "who": names[call.requester],
                "second": names.get(call.confirmed_by) if call.confirmed_by else "",
                "third": names.get(call.reviewed_by) if call.reviewed_by else "",
                "is_own": call.requester == principal.id,
                "is_seconded": call.confirmed_by == principal.id,
            }
            for call in calls
        ],
        "may_call": may(principal, "emergency.request"),
        "may_confirm": may(principal, "emergency.confirm"),
        "datasets": dataset_directory().listed(principal, limit=_OFFERED),
        "purposes": known_purposes(),
        "spans": [(HOUR * hours, hours) for hours in (1, 2, 4, 8, 24) if hours <= settings.BREAK_GLASS_MAX_HOURS],
        "minutes": settings.BREAK_GLASS_CONFIRM_MINUTES,
    }
    return render_page(request, "vault/emergencies.html", context, refusal=refusal)


def _act(request: HttpRequest, principal: Principal) -> None:
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise InvalidInput
    messages.success(request, act(principal, uuid_of(request.POST), request.POST))


def _call(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    call_emergency(
        principal,
        dataset_id=dataset_id,
        purpose=given.get("purpose", ""),
        reason=given.get("reason", ""),
        seconds=whole_number(given.get("seconds", ""), "seconds"),
    )
    return "Called for. It opens nothing before another person confirms it."


def _confirm(principal: Principal, call_id: UUID, _: QueryDict) -> str:
    confirm_emergency(principal, call_id=call_id)
    return "Confirmed: the access is open now."


def _refuse(principal: Principal, call_id: UUID, _: QueryDict) -> str:
    refuse_emergency(principal, call_id=call_id)
    return "Refused."


def _end(principal: Principal, call_id: UUID, _: QueryDict) -> str:
    end_emergency(principal, call_id=call_id)
    return "The access is closed."


def _review(principal: Principal, call_id: UUID, given: QueryDict) -> str:
    review_emergency(principal, call_id=call_id, note=given.get("note", ""))
    return "Reviewed."


_ACTS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], str]]] = MappingProxyType(
    {"call": _call, "confirm": _confirm, "refuse": _refuse, "end": _end, "review": _review}
)
