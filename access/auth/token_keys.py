"""The keys that sign access tokens: one active for a tenant, the one before it while its tokens live."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.db import transaction
from django.db.models import DateTimeField, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Now
from jwt.utils import base64url_encode

from access.auth.access_tokens import ALGORITHM, LIFETIME, TOLERANCE
from access.errors import InvalidCredential
from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_rotation import rotate_key
from access.services.keyring import current_key, key_by_id
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.tenancy.scope import active_alias, current_tenant_id

#: A signing key gets a successor at its first use after this time.
ROTATE_AFTER: Final = timedelta(days=30)
#: How long after its successor came a key still verifies: the last token it signed is over by then.
VERIFIES_FOR: Final = LIFETIME + TOLERANCE
_LABEL: Final = b"llm-data-vault/access-token/v1"


def signing_key() -> tuple[UUID, Ed25519PrivateKey, datetime]:
    """The id and the private key that sign now for the scope's tenant, and the database's time.

    The key is made at the first use and renewed when it is old.
    """
    handle = current_key(KeyPurpose.ACCESS_TOKEN)
    created_at, now = EncryptionKey.objects.filter(pk=handle.id).values_list("created_at", Now()).get()
    if created_at <= now - ROTATE_AFTER:
        renew_signing_key(handle.id)
        handle = current_key(KeyPurpose.ACCESS_TOKEN)
    return handle.id, _private(handle.key), now


def renew_signing_key(key_id: UUID) -> None:
    """Make the successor of the active key ``key_id``; does nothing when somebody else just did."""
    with transaction.atomic(using=active_alias()):
        rows = EncryptionKey.objects.select_for_update()
        if rows.filter(pk=key_id, purpose=KeyPurpose.ACCESS_TOKEN, state=KeyState.ACTIVE).exists():
            rotate_key(KeyPurpose.ACCESS_TOKEN, current_tenant_id())


def verifying_key(key_id: UUID) -> tuple[Ed25519PublicKey, datetime]:
    """The public key of that id, if it verifies still, and the database's time. Raises InvalidCredential."""
    now = _verifying().filter(pk=key_id).values_list(Now(), flat=True).first()
    if now is None:
        raise InvalidCredential
    return _private(key_by_id(key_id)).public_key(), now


def public_keys() -> list[dict[str, Any]]:
    """The JWK set (RFC 7517, RFC 8037) of the scope's tenant, newest first."""
    ids = _verifying().order_by("-version").values_list("pk", flat=True)
    return [_as_jwk(key_id, _private(key_by_id(key_id)).public_key()) for key_id in ids]


def _verifying() -> "QuerySet[EncryptionKey]":
    """Keys whose tokens are accepted now: the active one, and those whose successor is younger than VERIFIES_FOR."""
    successor = EncryptionKey.objects.filter(
        purpose=KeyPurpose.ACCESS_TOKEN, scope_id=OuterRef("scope_id"), version=OuterRef("version") + 1
    )
    keys = EncryptionKey.objects.filter(purpose=KeyPurpose.ACCESS_TOKEN).exclude(state=KeyState.DESTROYED)
    retired = ExpressionWrapper(Now() - VERIFIES_FOR, output_field=DateTimeField())
    keys = keys.annotate(retired_at=Subquery(successor.values("created_at")[:1]))
    return keys.filter(Q(retired_at=None) | Q(retired_at__gt=retired))


def _private(key: SecretKey) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(key.derive(_LABEL).reveal())


def _as_jwk(key_id: UUID, key: Ed25519PublicKey) -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": base64url_encode(key.public_bytes_raw()).decode(),
        "kid": f"{current_tenant_id().hex}.{key_id.hex}",
        "use": "sig",
        "alg": ALGORITHM,
    }
