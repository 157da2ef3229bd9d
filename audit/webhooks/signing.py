"""Signatures of webhook messages: Standard Webhooks 1.0, symmetric (v1) and asymmetric (v1a)."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.models import SignatureKind

SHARED: Final = "whsec_"
PRIVATE: Final = "whsk_"
PUBLIC: Final = "whpk_"
#: Seconds that a message's time may be off.
TOLERANCE: Final = 300
_SECRET_BYTES: Final = 32
#: What the specification lets a shared secret have, bytes.
_SHARED_SIZES: Final = range(24, 65)


class SignatureRefused(ValueError):
    """A message that does not hold: no signature fits, or its time is not now."""


def new_secret(kind: str) -> str:
    """A new signing key of a SignatureKind in the specification's spelling."""
    prefix = SHARED if kind == SignatureKind.HMAC else PRIVATE
    return prefix + _encoded(secrets.token_bytes(_SECRET_BYTES))


def public_key_of(secret: str) -> str:
    """What a receiver verifies with: the public key of an asymmetric key, nothing for a shared one."""
    if not secret.startswith(PRIVATE):
        return ""
    return PUBLIC + _encoded(_private(secret).public_key().public_bytes_raw())


def signature_header(keys: Sequence[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``: one signature for each key (``whsec_`` or ``whsk_``)."""
    content = _content(message_id, str(timestamp), body)
    return " ".join(_signature(key, content) for key in keys)


def verify(key: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> None:
    """Raise SignatureRefused unless a signature fits ``key`` (``whsec_`` or ``whpk_``) and the time is right.

    Names of ``headers`` are lower case. What a receiver does; whether it has seen ``webhook-id`` before is its own to
    know.
    """
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not timestamp.isdecimal():
        raise SignatureRefused("a header is missing")
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        raise SignatureRefused("the message is too old, or of the future")
    content = _content(message_id, timestamp, body)
    given = [each.partition(",") for each in headers.get("webhook-signature", "").split(" ")]
    if not any(_fits(key, version, text, content) for version, _, text in given):
        raise SignatureRefused("no signature fits")


def _content(message_id: str, timestamp: str, body: bytes) -> bytes:
    return f"{message_id}.{timestamp}.".encode() + body


def _signature(key: str, content: bytes) -> str:
    if key.startswith(PRIVATE):
        return f"{SignatureKind.ED25519},{_encoded(_private(key).sign(content))}"
    return f"{SignatureKind.HMAC},{_encoded(_hmac(key, content))}"


def _fits(key: str, version: str, text: str, content: bytes) -> bool:
    try:
        signature = base64.b64decode(text, validate=True)
        if key.startswith(PUBLIC) and version == SignatureKind.ED25519:
            Ed25519PublicKey.from_public_bytes(_decoded(key, PUBLIC)).verify(signature, content)
            return True
    except (binascii.Error, InvalidSignature):
        return False
    is_shared = key.startswith(SHARED) and version == SignatureKind.HMAC
    return is_shared and hmac.compare_digest(signature, _hmac(key, content))


def _hmac(key: str, content: bytes) -> bytes:
    secret = _decoded(key, SHARED)
    if len(secret) not in _SHARED_SIZES:
        raise ValueError("a shared secret has 24 to 64 bytes")
    return hmac.digest(secret, content, hashlib.sha256)


def _private(key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(_decoded(key, PRIVATE))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(key: str, prefix: str) -> bytes:
    return base64.b64decode(key.removeprefix(prefix), validate=True)
