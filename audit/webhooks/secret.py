"""The signing keys of an endpoint, sealed at rest."""

from typing import Final

from django.utils import timezone

from access.services.keyring import open_column, seal_column
from audit.models import WebhookEndpoint

_KIND: Final = "audit.webhook"


def seal_secret(endpoint: WebhookEndpoint, secret: str) -> bytes:
    """Inside the tenant's scope; bound to the endpoint."""
    return seal_column(_KIND, endpoint.pk.bytes, secret.encode())


def signing_keys(endpoint: WebhookEndpoint) -> list[str]:
    """The key that messages are signed with, and the one before it as long as that is valid. Raises as open_column."""
    sealed = [endpoint.secret]
    if endpoint.previous_secret and endpoint.previous_until and endpoint.previous_until > timezone.now():
        sealed.append(endpoint.previous_secret)
    return [open_column(_KIND, endpoint.pk.bytes, bytes(one)).decode() for one in sealed]
