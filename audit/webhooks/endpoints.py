"""Endpoints of webhooks: made, changed, given new secrets, switched off and on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.services.authorize import authorize
from audit.alerts.open import resolve_cause
from audit.models import DisabledBy, SignatureKind, WebhookEndpoint
from audit.models.webhook import LONGEST_NAME, LONGEST_REASON, LONGEST_URL
from audit.services.sending import authorize_sending
from audit.subscriptions.match import ALERT as UNREADABLE
from audit.subscriptions.room import require_room
from audit.webhooks.errors import (
    SecretRotatedAlready,
    TooManyWebhooks,
    WebhookAddressRefused,
    WebhookNameTaken,
    WebhookNotFound,
)
from audit.webhooks.match import EVERY_TYPE
from audit.webhooks.secret import seal_secret
from audit.webhooks.signing import new_secret, public_key_of
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.outgoing import AddressRefused, CallFailed, reachable_addresses, require_allowed_url
from vaultsite.kernel.tenancy.principal import Principal

#: The kind of alert that tells of an endpoint that the vault switched off.
ALERT: Final = "webhook.disabled"
READ: Final = "webhook.read"
MANAGE: Final = "webhook.manage"
#: Endpoints that a tenant may have.
MOST: Final = 100
USUAL_OVERLAP: Final = timedelta(hours=24)
LONGEST_OVERLAP: Final = timedelta(days=7)
CHANGEABLE: Final = frozenset({"name", "url", "event_types", "filter"})
_NOTHING_MORE: Final[Mapping[str, Any]] = MappingProxyType({})


def resource_of(endpoint_id: UUID | None = None) -> ResourceRef:
    return ResourceRef("webhook", str(endpoint_id or ""))


def create_endpoint(
    principal: Principal,
    *,
    name: str,
    url: str,
    event_types: Sequence[str],
    filter: str = "",  # noqa: A002 - what the API calls it
    signature: str = SignatureKind.HMAC,
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint with the secret that receivers verify with: the public key where ``signature`` is Ed25519.

    A shared secret is returned here and never again. Takes the right to read the audit as well. Raises AccessDenied,
    StepUpRequired, InvalidInput, InvalidFilter, WebhookAddressRefused, WebhookNameTaken, TooManyWebhooks.
    """
    endpoint = WebhookEndpoint(id=uuid7(), signature=signature, created_by=principal.id)
    authorize_sending(principal, MANAGE, resource_of(endpoint.pk), facts={"act": "create"})
    if signature not in SignatureKind.values:
        raise InvalidInput(errors=[FieldProblem("/signature", f"One of {', '.join(SignatureKind.values)}")])
    _fill(endpoint, {"name": name, "url": url, "event_types": event_types, "filter": filter})
    if WebhookEndpoint.objects.count() >= MOST:
        raise TooManyWebhooks
    secret = _give_secret(endpoint)
    _save(endpoint)
    _tell(endpoint, "create")
    return endpoint, secret


def change_endpoint(principal: Principal, *, endpoint_id: UUID, changes: Mapping[str, Any]) -> WebhookEndpoint:
    """Set those of CHANGEABLE that ``changes`` names. Raises as create_endpoint, and WebhookNotFound."""
    endpoint = find_for_sending(principal, endpoint_id, act="change", changed=sorted(changes))
    sent_to = _place_of(endpoint)
    _fill(endpoint, changes)
    _save(endpoint)
    resolve_cause(UNREADABLE, str(endpoint_id))
    _tell(endpoint, "change", {"sent_to_before": sent_to})
    return endpoint


def delete_endpoint(principal: Principal, *, endpoint_id: UUID) -> None:
    """With everything that waits and its log. Raises AccessDenied, StepUpRequired, WebhookNotFound."""
    endpoint = find_for_change(principal, endpoint_id, act="delete")
    resolve_cause(ALERT, str(endpoint_id))
    resolve_cause(UNREADABLE, str(endpoint_id))
    _tell(endpoint, "delete")
    endpoint.delete()


def rotate_secret(
    principal: Principal, *, endpoint_id: UUID, overlap: timedelta = USUAL_OVERLAP
) -> tuple[WebhookEndpoint, str]:
    """A new secret, returned as create_endpoint does; messages carry a signature of the old one for ``overlap``.

    0 to 7 days; with 0 the old one is worth nothing at once. Raises AccessDenied, StepUpRequired, WebhookNotFound,
    InvalidInput, SecretRotatedAlready (the one before is still valid, and ``overlap`` is not 0).
    """
    endpoint = find_for_change(principal, endpoint_id, act="rotate")
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidInput(errors=[FieldProblem("/overlap_hours", "0 to 168")])
    now = timezone.now()
    if overlap and endpoint.previous_until and endpoint.previous_until > now:
        raise SecretRotatedAlready
    endpoint.previous_secret = endpoint.secret if overlap else None
    endpoint.previous_until = now + overlap if overlap else None
    secret = _give_secret(endpoint)
    _save(endpoint)
    _tell(endpoint, "rotate")
    return endpoint, secret


def switch_endpoint(principal: Principal, *, endpoint_id: UUID, is_enabled: bool, reason: str = "") -> WebhookEndpoint:
    """Off: nothing is sent and nothing new waits. On: what waits is sent, from now on without a pause.

    ``reason`` is required to switch it off. Raises AccessDenied, StepUpRequired, WebhookNotFound, InvalidInput.
    """
    endpoint = find_for_change(principal, endpoint_id, act="enable" if is_enabled else "disable")
    if is_enabled:
        endpoint.disabled_by, endpoint.disabled_reason, endpoint.disabled_at = DisabledBy.NOBODY, "", None
        endpoint.failures, endpoint.failing_since, endpoint.paused_until = 0, None, None
        resolve_cause(ALERT, str(endpoint_id))
    else:
        if not reason.strip() or len(reason) > LONGEST_REASON:
            raise InvalidInput(errors=[FieldProblem("/reason", f"1 to {LONGEST_REASON} characters")])
        endpoint.disabled_by, endpoint.disabled_reason = DisabledBy.PERSON, reason.strip()
        endpoint.disabled_at = timezone.now()
    _save(endpoint)
    _tell(endpoint, "enable" if is_enabled else "disable")
    return endpoint


def list_endpoints(principal: Principal) -> list[WebhookEndpoint]:
    """Every endpoint of the tenant, by name. Raises AccessDenied."""
    authorize(principal, READ, resource_of())
    return list(WebhookEndpoint.objects.order_by("name")[:MOST])


def get_endpoint(principal: Principal, *, endpoint_id: UUID) -> WebhookEndpoint:
    """Raises AccessDenied, WebhookNotFound."""
    authorize(principal, READ, resource_of(endpoint_id))
    endpoint = WebhookEndpoint.objects.filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookNotFound
    return endpoint


def find_for_change(principal: Principal, endpoint_id: UUID, **facts: Any) -> WebhookEndpoint:
    """The endpoint, locked, once it is decided that it may be changed. Raises AccessDenied, WebhookNotFound."""
    authorize(principal, MANAGE, resource_of(endpoint_id), facts=facts)
    return _locked(endpoint_id)


def find_for_sending(principal: Principal, endpoint_id: UUID, **facts: Any) -> WebhookEndpoint:
    """As find_for_change, for what makes it be told more: that takes the right to read the audit as well."""
    authorize_sending(principal, MANAGE, resource_of(endpoint_id), facts=facts)
    return _locked(endpoint_id)


def _locked(endpoint_id: UUID) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.select_for_update().filter(pk=endpoint_id).first()
    if endpoint is None:
        raise WebhookNotFound
    return endpoint


def _fill(endpoint: WebhookEndpoint, given: Mapping[str, Any]) -> None:
    problems = []
    name, types = given.get("name", endpoint.name), given.get("event_types", endpoint.event_types)
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        problems.append(FieldProblem("/name", f"1 to {LONGEST_NAME} printable characters"))
    known = {EVERY_TYPE, *(kind.value for kind in EventType)}
    if not set(types) <= known:
        problems.append(FieldProblem("/event_types", "There is no such type of event"))
    if problems:
        raise InvalidInput(errors=problems)
    require_room(given.get("filter", endpoint.filter), instead_of=endpoint.filter)
    if "url" in given:
        _require_reachable(given["url"])
    endpoint.name, endpoint.event_types = name.strip(), sorted(set(types))
    endpoint.url, endpoint.filter = given.get("url", endpoint.url), given.get("filter", endpoint.filter)


def _require_reachable(url: str) -> None:
    """The address as it is now; it is looked at again, and connected to, with every message."""
    if len(url) > LONGEST_URL:
        raise WebhookAddressRefused(f"At most {LONGEST_URL} characters")
    try:
        parts = require_allowed_url(url)
        reachable_addresses(str(parts.hostname), parts.port or 443)
    except AddressRefused as refusal:
        raise WebhookAddressRefused(str(refusal)) from None
    except CallFailed:
        raise WebhookAddressRefused("Its host name is not known") from None


def _give_secret(endpoint: WebhookEndpoint) -> str:
    secret = new_secret(endpoint.signature)
    endpoint.secret, endpoint.public_key = seal_secret(endpoint, secret), public_key_of(secret)
    return endpoint.public_key or secret


def _save(endpoint: WebhookEndpoint) -> None:
    try:
        with transaction.atomic():
            endpoint.save()
    except IntegrityError:
        raise WebhookNameTaken from None


def _place_of(endpoint: WebhookEndpoint) -> str:
    """Scheme, host and port: the rest of an address may be a secret."""
    parts = urlsplit(endpoint.url)
    return f"{parts.scheme}://{parts.netloc}"


def _tell(endpoint: WebhookEndpoint, act: str, more: Mapping[str, Any] = _NOTHING_MORE) -> None:
    facts = {
        "act": act,
        "event_types": len(endpoint.event_types),
        "signature": str(endpoint.signature),
        "sent_to": _place_of(endpoint),
        **more,
    }
    emit(Event(EventType.WEBHOOK_CHANGED, operation="update", resource=resource_of(endpoint.pk), metadata=facts))
