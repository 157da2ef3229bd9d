"""The keys of a tenant: age, use, versions; rotate them, and end old ones with two people."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import KeyPurpose, KeyState
from access.selectors import people_named
from access.services.authorize import may
from access.services.key_rotation import confirm_destruction, request_destruction, withdraw_destruction
from datasets.models import KeyRotation
from datasets.pages.page import render_page
from datasets.pages.refusal import refusal_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.rotation.overview import list_key_rows
from datasets.services.rotation.request import REQUESTABLE, start_rotation, uses_at_stake
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal

_KEYS_SHOWN = 50
_LONGEST_NUMBER = 6
_ROTATIONS_SHOWN = 20
_LONGEST_REASON = 1000


def keys_page(request: HttpRequest) -> HttpResponse:
    """A page of keys; posted, it does one of the things in ``_ACTIONS``."""
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:datasets_keys"))
    principal = resolve_principal(request)
    state, name = request.GET.get("state", ""), request.GET.get("dataset", "").strip()[:200]
    state = state if state in KeyState.values else ""
    found = list_key_rows(principal, state=state, name=name, page=_number(request), limit=_KEYS_SHOWN)
    rotations = KeyRotation.objects.select_related("dataset").order_by("-created_at")[:_ROTATIONS_SHOWN]
    ending = [row.view.destruction.requested_by for row in found.rows if row.view.destruction]
    context: dict[str, Any] = {
        "title": "Keys",
        "found": found,
        "state": state,
        "name": name,
        "states": KeyState.choices,
        "rotations": rotations,
        "may_manage": may(principal, "key.rotate"),
        "me": principal.id,
        "people": people_named(principal, [*ending, *(row.requested_by for row in rotations)]),
        "refusal": refusal,
    }
    page = render_page(request, "vault/keys.html", context)
    page.status_code = refusal.status if refusal else 200
    return page


def _number(request: HttpRequest) -> int:
    given = request.GET.get("page", "")
    return max(int(given), 1) if given.isascii() and given.isdigit() and len(given) <= _LONGEST_NUMBER else 1


def _act(request: HttpRequest) -> None:
    act = _ACTIONS.get(request.POST.get("act", ""))
    if act is None:
        raise InvalidInput(errors=[FieldProblem("act", "is not one of those offered")])
    messages.success(request, act(request))


def _rotate(request: HttpRequest) -> str:
    purpose = request.POST.get("purpose", "")
    if purpose not in REQUESTABLE:
        raise InvalidInput(errors=[FieldProblem("purpose", "is not one of those offered")])
    dataset_id = _uuid(request, "dataset") if purpose == KeyPurpose.DATASET else None
    start_rotation(resolve_principal(request), purpose=KeyPurpose(purpose), dataset_id=dataset_id)
    return "The rotation is queued."


def _request(request: HttpRequest) -> str:
    reason = request.POST.get("reason", "").strip()
    if not 1 <= len(reason) <= _LONGEST_REASON:
        raise InvalidInput(errors=[FieldProblem("reason", f"1 to {_LONGEST_REASON} characters")])
    refuse_personal_data(reason=reason)
    request_destruction(resolve_principal(request), key_id=_uuid(request, "key"), reason=reason)
    return "The request waits for a second person."


def _withdraw(request: HttpRequest) -> str:
    withdraw_destruction(resolve_principal(request), key_id=_uuid(request, "key"))
    return "The request is withdrawn."


def _confirm(request: HttpRequest) -> str:
    confirm_destruction(
        resolve_principal(request),
        key_id=_uuid(request, "key"),
        count_uses=uses_at_stake,
        accepts_loss=request.POST.get("accepts_loss") == "yes",
    )
    return "The key is destroyed."


def _uuid(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "is no id")]) from None


_ACTIONS = {"rotate": _rotate, "request": _request, "withdraw": _withdraw, "confirm": _confirm}
