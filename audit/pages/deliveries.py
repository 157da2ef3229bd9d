"""Event delivery in the browser: what waits, whether the broker is there, and what it refused."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import may
from audit.brokers.base import Refusal
from audit.relay.replay import AT_ONCE, replay_all, replay_dead_letter
from audit.relay.status import delivery_state, list_dead_letters
from vaultsite.kernel.errors import InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
#: What a person reads for a reason.
REASONS: Final = {
    Refusal.UNROUTABLE: "No queue is bound to its topic",
    Refusal.REJECTED: "A queue would not take it",
    Refusal.TOO_LARGE: "It is too large",
    Refusal.WRONG_TYPE: "Its stream's name is taken by something else",
}


def deliveries_page(request: HttpRequest) -> HttpResponse:
    """The state of delivery, and dead letters; posted, it replays one of them or all."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _replay(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:deliveries"))
    else:
        open_page(request, "delivery.read", ResourceRef("dead_letter"))
    replayed = request.GET.get("show") == "replayed"
    found = list_dead_letters(replayed=replayed, limit=PAGE_SIZE + 1, after=_after(request))
    shown = found[:PAGE_SIZE]
    context = {
        "title": "Event delivery",
        "state": delivery_state(),
        "rows": [{"letter": letter, "reason": REASONS.get(Refusal(letter.reason), "")} for letter in shown],
        "names": people_named(principal, [letter.replayed_by for letter in shown if letter.replayed_by]),
        "replayed": replayed,
        "next": str(shown[-1].pk) if len(found) > PAGE_SIZE else "",
        "at_once": AT_ONCE,
        "may_manage": may(principal, "delivery.manage"),
    }
    return render_page(request, "vault/deliveries.html", context, refusal=refusal)


def _after(request: HttpRequest) -> UUID | None:
    try:
        return UUID(request.GET["after"]) if request.GET.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _replay(request: HttpRequest, principal: Principal) -> None:
    match request.POST.get("do"):
        case "replay":
            replay_dead_letter(principal, dead_letter_id=_chosen(request))
            messages.success(request, "The event waits for the broker again.")
        case "replay_all":
            count = replay_all(principal)
            messages.success(request, f"{count} {'event waits' if count == 1 else 'events wait'} for the broker again.")
        case _:
            raise InvalidInput


def _chosen(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("dead_letter", ""))
    except ValueError as exc:
        raise InvalidInput from exc
