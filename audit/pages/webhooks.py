"""Webhooks in the browser: who is told of events, and a new one."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from access.services.authorize import may
from audit.catalog.topics import topic_of
from audit.models import SignatureKind, WebhookEndpoint
from audit.services.sending import may_read_events
from audit.webhooks.endpoints import MANAGE, create_endpoint, list_endpoints
from audit.webhooks.match import EVERY_TYPE
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def webhooks_page(request: HttpRequest) -> HttpResponse:
    """Every webhook and how it does; posted, a new one, whose secret the answer shows."""
    principal = resolve_principal(request)
    refusal, made = None, list[tuple[WebhookEndpoint, str]]()
    if request.method == "POST":
        refusal = refusal_of(lambda: made.append(_create(principal, request.POST)))
        if refusal is None:
            return shown_once(request, *made[0])
    context: dict[str, Any] = {
        "title": "Webhooks",
        "endpoints": list_endpoints(principal),
        "may_send": may(principal, MANAGE) and may_read_events(principal),
        "signatures": SignatureKind.choices,
        "given": request.POST,
        **type_picker(request.POST.getlist("event_types")),
    }
    return render_page(request, "vault/webhooks.html", context, refusal=refusal)


def shown_once(request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    """The secret, this once. It is in no redirect, no session and no message."""
    context = {"title": f"The secret of {endpoint.name}", "endpoint": endpoint, "secret": secret}
    answer = render_page(request, "vault/webhook_secret.html", context)
    answer["Cache-Control"] = "no-store"
    return answer


def type_picker(chosen: list[str]) -> dict[str, Any]:
    """What the choice of event types is made of: the types below their topics, and which are chosen."""
    topics: defaultdict[str, list[str]] = defaultdict(list)
    for kind in sorted(EventType):
        topics[topic_of(kind)].append(kind.value)
    return {"topics": dict(topics), "chosen": chosen, "is_every": EVERY_TYPE in chosen, "every_type": EVERY_TYPE}


def chosen_types(given: QueryDict) -> list[str]:
    """All of them, or those that were ticked."""
    return [EVERY_TYPE] if EVERY_TYPE in given.getlist("event_types") else given.getlist("event_types")


def to_webhook(endpoint_id: UUID, anchor: str = "") -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:webhook", args=[endpoint_id]) + anchor)


def _create(principal: Principal, given: QueryDict) -> tuple[WebhookEndpoint, str]:
    return create_endpoint(
        principal,
        name=given.get("name", ""),
        url=given.get("url", ""),
        event_types=chosen_types(given),
        filter=given.get("filter", ""),
        signature=given.get("signature", SignatureKind.HMAC),
    )
