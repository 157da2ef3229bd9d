"""One webhook: what it is told of, its secret, its log, and what was sent."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from access.pages.page import refusal_of, render_page
from access.services.authorize import may
from audit.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint
from audit.pages.webhooks import chosen_types, shown_once, to_webhook, type_picker
from audit.services.sending import may_read_events
from audit.webhooks.deliveries import get_delivery, list_deliveries, make_up, retry_delivery, send_trial
from audit.webhooks.endpoints import (
    MANAGE,
    change_endpoint,
    delete_endpoint,
    get_endpoint,
    rotate_secret,
    switch_endpoint,
)
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 25
#: Words for why an attempt had no answer.
ERRORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "address": "The address is not one that the vault may call",
        "name": "Its host name is not known",
        "tls": "Its certificate does not hold",
        "late": "It took longer than 15 seconds",
        "silent": "It did not answer",
    }
)


def webhook_page(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Show the webhook and its log; posted, do what the form asks for."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        act = request.POST.get("act", "")
        if act not in _ACTS:
            raise Http404
        done: list[HttpResponse] = []
        refusal = refusal_of(lambda: done.append(_ACTS[act](request, principal, webhook_id)))
        if refusal is None:
            return done[0]
    endpoint = get_endpoint(principal, endpoint_id=webhook_id)
    posted = request.POST if refusal is not None else None
    types = posted.getlist("event_types") if posted and posted.get("act") == "change" else endpoint.event_types
    context: dict[str, Any] = {
        "title": endpoint.name,
        "endpoint": endpoint,
        "given": posted or {},
        "may_manage": may(principal, MANAGE),
        "may_send": may(principal, MANAGE) and may_read_events(principal),
        "is_rotating": endpoint.previous_until is not None and endpoint.previous_until > timezone.now(),
        "yesterday": timezone.now() - timedelta(days=1),
        **type_picker(types),
        **_log(request, principal, endpoint),
    }
    return render_page(request, "vault/webhook.html", context, refusal=refusal)


def webhook_delivery_page(request: HttpRequest, webhook_id: UUID, delivery_id: UUID) -> HttpResponse:
    """One delivery: its attempts and exactly what is sent; posted, it is sent again."""
    principal = resolve_principal(request)
    if request.method == "POST":
        retry_delivery(principal, endpoint_id=webhook_id, delivery_id=delivery_id)
        messages.success(request, "It is sent as soon as may be.")
        return HttpResponseRedirect(reverse("admin:webhook_delivery", args=[webhook_id, delivery_id]))
    delivery = get_delivery(principal, endpoint_id=webhook_id, delivery_id=delivery_id)
    payload = ""
    if may_read_events(principal):
        payload = orjson.dumps(orjson.loads(bytes(delivery.body)), option=orjson.OPT_INDENT_2).decode()
    tries = [
        one | {"at": datetime.fromisoformat(one["at"]), "why": ERRORS.get(one["error"], "")} for one in delivery.tries
    ]
    context = {
        "title": f"Delivery of {delivery.event_type}",
        "endpoint": get_endpoint(principal, endpoint_id=webhook_id),
        "delivery": delivery,
        "tries": tries,
        "payload": payload,
        "may_manage": may(principal, MANAGE),
    }
    return render_page(request, "vault/webhook_delivery.html", context)


def _log(request: HttpRequest, principal: Principal, endpoint: WebhookEndpoint) -> dict[str, Any]:
    status = request.GET.get("status", "")
    if status not in {"", *DeliveryStatus.values}:
        raise InvalidInput
    try:
        after = UUID(request.GET["after"]) if request.GET.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc
    found = list_deliveries(principal, endpoint_id=endpoint.pk, status=status, limit=PAGE_SIZE + 1, after=after)
    shown = found[:PAGE_SIZE]
    more = {"after": str(shown[-1].pk)} | ({"status": status} if status else {}) if len(found) > PAGE_SIZE else {}
    rows = [{"delivery": one, **_last_of(one)} for one in shown]
    return {"rows": rows, "status": status, "statuses": DeliveryStatus.choices, "next_query": urlencode(more)}


def _last_of(delivery: WebhookDelivery) -> dict[str, Any]:
    """The last attempt, and words for why it had no answer."""
    last = delivery.tries[-1] if delivery.tries else None
    return {"last": last, "why": ERRORS.get(last["error"], "") if last else ""}


def _change(request: HttpRequest, principal: Principal, webhook_id: UUID) -> HttpResponse:
    given = request.POST
    changes = {name: given.get(name, "") for name in ("name", "url", "filter")}
    change_endpoint(principal, endpoint_id=webhook_id, changes=changes | {"event_types": chosen_types(given)})
    messages.success(request, "It holds for events from now on.")
    return to_webhook(webhook_id)


def _switch(request: HttpRequest, principal: Principal, webhook_id: UUID) -> HttpResponse:
    is_enabled, reason = request.POST.get("is_enabled") == "1", request.POST.get("reason", "")
    switch_endpoint(principal, endpoint_id=webhook_id, is_enabled=is_enabled, reason=reason)
    messages.success(request, "What waits is sent." if is_enabled else "Nothing is sent to it any more.")
    return to_webhook(webhook_id)


def _rotate(request: HttpRequest, principal: Principal, webhook_id: UUID) -> HttpResponse:
    hours = request.POST.get("overlap_hours", "24")
    if not hours.isdecimal() or len(hours) > 3:  # noqa: PLR2004 - digits of a week in hours
        raise InvalidInput(errors=[FieldProblem("/overlap_hours", "0 to 168")])
    return shown_once(request, *rotate_secret(principal, endpoint_id=webhook_id, overlap=timedelta(hours=int(hours))))


def _test(_: HttpRequest, principal: Principal, webhook_id: UUID) -> HttpResponse:
    delivery = send_trial(principal, endpoint_id=webhook_id)
    return HttpResponseRedirect(reverse("admin:webhook_delivery", args=[webhook_id, delivery.pk]))


def _replay(request: HttpRequest, principal: Principal, webhook_id: UUID) -> HttpResponse:
    try:
        since = parse_datetime(request.POST.get("since", ""))
    except ValueError:
        since = None
    if since is None:
        raise InvalidInput(errors=[FieldProblem("/since", "A moment, as 2027-01-31 12:00")])
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    made_up = make_up(principal, endpoint_id=webhook_id, since=since)
    told = f"{made_up.queued} events wait again."
    if made_up.reached is not None:
        told += f" Go on from {made_up.reached:%Y-%m-%d %H:%M:%S} UTC."
    messages.success(request, told)
    return to_webhook(webhook_id, "#log")


def _delete(request: HttpRequest, principal: Principal, webhook_id: UUID) -> HttpResponse:
    delete_endpoint(principal, endpoint_id=webhook_id)
    messages.success(request, "The webhook and its log are gone.")
    return HttpResponseRedirect(reverse("admin:webhooks"))


_ACTS: Final[Mapping[str, Callable[[HttpRequest, Principal, UUID], HttpResponse]]] = MappingProxyType(
    {
        "change": _change,
        "switch": _switch,
        "rotate": _rotate,
        "test": _test,
        "replay": _replay,
        "delete": _delete,
    }
)
