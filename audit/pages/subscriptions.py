"""Event subscriptions in the browser: which events go where, and a trial before anything is sent."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import authorize, may
from audit.catalog.aliases import VOCABULARIES
from audit.catalog.envelope import FORMATS
from audit.catalog.topics import ALL_TOPICS
from audit.models import EventSubscription, WebhookEndpoint
from audit.relay.queue import is_broker_configured
from audit.services.sending import authorize_sending, may_read_events
from audit.subscriptions.draft import MAX_NAME, MAX_ROUTE, Draft, draft_of
from audit.subscriptions.edit import MANAGE, RESOURCE, change_subscription, create_subscription, delete_subscription
from audit.subscriptions.filter import FIELDS
from audit.subscriptions.grammar import MAX_LENGTH
from audit.subscriptions.selectors import MAX_SHOWN, Trial, find_subscription, list_subscriptions, try_draft
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

FORMAT_LABELS: Final = {
    "cloudevents": "CloudEvents 1.0",
    "vault-1.4": "governance dashboard (flat)",
    "registry-1.1": "model registry (datasets only)",
}
VOCABULARY_LABELS: Final = {
    "canonical": "the vault's own (data.access.read)",
    "registry": "of registries (data.accessed, version.created)",
    "platform": "of the platform's topics (data.read, key.rotated)",
}
_LIST: Final = "admin:subscriptions"


def subscriptions_page(request: HttpRequest) -> HttpResponse:
    """Every subscription of the organization."""
    principal = open_page(request, "subscription.read", ResourceRef(RESOURCE))
    rows = list_subscriptions(limit=MAX_SHOWN)
    endpoints = _endpoints()
    context: dict[str, Any] = {
        "title": "Event subscriptions",
        "rows": [{"row": row, "endpoint": endpoints.get(row.endpoint_id)} for row in rows],
        "names": people_named(principal, [row.created_by for row in rows]),
        "may_send": may(principal, MANAGE) and may_read_events(principal),
    }
    return render_page(request, "vault/subscriptions.html", context)


def new_subscription_page(request: HttpRequest) -> HttpResponse:
    """A form for a new one; what is posted is tried or made."""
    return _form_page(request, None)


def subscription_page(request: HttpRequest, subscription_id: UUID) -> HttpResponse:
    """One subscription, to be read, tried, changed or ended."""
    return _form_page(request, subscription_id)


def _form_page(request: HttpRequest, subscription_id: UUID | None) -> HttpResponse:
    principal = resolve_principal(request)
    resource = ResourceRef(RESOURCE, str(subscription_id or ""))
    refusal, trial = None, None
    draft = Draft(name="")
    if request.method == "POST" and request.POST.get("do") != "try":
        refusal = refusal_of(lambda: _act(principal, request, subscription_id))
        if refusal is None:
            return HttpResponseRedirect(reverse(_LIST))
    elif request.method == "POST":
        authorize(principal, "audit.read", ResourceRef("audit"))
        found: list[Trial] = []
        refusal = refusal_of(lambda: found.append(try_draft(_read(request.POST))))
        trial = found[0] if found else None
    else:
        _open(principal, resource, is_new=subscription_id is None)
    row = find_subscription(subscription_id) if subscription_id else None
    if request.method == "POST":
        draft = _shown_again(request.POST)
    elif row:
        draft = draft_of(row)
    context = _context(principal, row, draft) | {"trial": trial}
    return render_page(request, "vault/subscription.html", context, refusal=refusal)


def _open(principal: Principal, resource: ResourceRef, *, is_new: bool) -> None:
    if is_new:
        authorize_sending(principal, MANAGE, resource)
    else:
        authorize(principal, "subscription.read", resource)


def _act(principal: Principal, request: HttpRequest, subscription_id: UUID | None) -> None:
    doing = request.POST.get("do")
    if doing == "delete" and subscription_id:
        delete_subscription(principal, subscription_id=subscription_id)
        messages.success(request, "The subscription has ended.")
    elif doing == "save" and subscription_id:
        changes = vars(_read(request.POST))
        change_subscription(principal, subscription_id=subscription_id, changes=changes)
        messages.success(request, "The subscription is changed.")
    elif doing == "save":
        create_subscription(principal, draft=_read(request.POST))
        messages.success(request, "The subscription is told of events from now on.")
    else:
        raise InvalidInput


def _read(given: QueryDict) -> Draft:
    """The form's draft; raises InvalidInput for an endpoint that is no id."""
    endpoint = given.get("endpoint_id", "")
    try:
        endpoint_id = UUID(endpoint) if endpoint else None
    except ValueError as exc:
        raise InvalidInput(errors=[FieldProblem("/endpoint_id", "an id is expected")]) from exc
    return Draft(
        name=given.get("name", ""),
        topics=tuple(given.getlist("topics")),
        types=tuple(given.get("types", "").split()),
        filter=given.get("filter", "")[: MAX_LENGTH + 1],
        format=given.get("format", ""),
        vocabulary=given.get("vocabulary", ""),
        endpoint_id=endpoint_id,
        route=given.get("route", "").strip(),
        is_active=given.get("is_active") == "1",
    )


def _shown_again(given: QueryDict) -> Draft:
    """What was posted, as far as a form can show it."""
    try:
        return _read(given)
    except InvalidInput:
        return Draft(name=given.get("name", ""))


def _endpoints() -> dict[UUID | None, str]:
    return dict(WebhookEndpoint.objects.order_by("name").values_list("pk", "name"))


def _context(principal: Principal, row: EventSubscription | None, draft: Draft) -> dict[str, Any]:
    return {
        "title": row.name if row else "New event subscription",
        "row": row,
        "draft": draft,
        "types": " ".join(draft.types),
        "topics": [(topic, topic in draft.topics) for topic in ALL_TOPICS],
        "formats": [(name, FORMAT_LABELS[name]) for name in FORMATS],
        "vocabularies": [(name, VOCABULARY_LABELS[name]) for name in VOCABULARIES],
        "endpoints": _endpoints().items(),
        "has_broker": is_broker_configured(),
        "event_types": [kind.value for kind in EventType],
        "fields": FIELDS,
        "max_name": MAX_NAME,
        "max_route": MAX_ROUTE,
        "max_filter": MAX_LENGTH,
        "may_manage": may(principal, MANAGE),
        "may_send": may(principal, MANAGE) and may_read_events(principal),
        "may_try": may(principal, "audit.read"),
    }
