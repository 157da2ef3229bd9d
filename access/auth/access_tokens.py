"""Access tokens: signed JWTs (RFC 9068) that name their tenant in the id of their key.

Pure: whoever calls finds the key and knows the time. One algorithm, no key from the token itself, and nothing in the
header but what we put there (RFC 8725).
"""

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from jwt.utils import base64url_decode

from access.auth.errors import TenantMismatch, TokenForAnotherSurface
from access.errors import CredentialExpired, InvalidCredential

ALGORITHM: Final = "EdDSA"
TYPE: Final = "at+jwt"
LIFETIME: Final = timedelta(minutes=15)
#: How far the clocks of those who issue and verify may differ.
TOLERANCE: Final = timedelta(seconds=30)
LONGEST: Final = 4096
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_KEY_ID: Final = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})")
_REQUIRED: Final = ("iss", "sub", "aud", "iat", "nbf", "exp", "jti", "tid", "cred", "scope")
#: Times are checked below against a clock that the caller gives.
_OPTIONS: Final[Any] = {"require": list(_REQUIRED), "verify_exp": False, "verify_nbf": False, "verify_iat": False}


class Surface(StrEnum):
    """Where a token may be used; its audience."""

    REST = "urn:llm-data-vault:rest"
    GRPC = "urn:llm-data-vault:grpc"
    LIVE = "urn:llm-data-vault:live"


@dataclass(frozen=True)
class Claims:
    """What a token says. ``credential`` is what it was given for (``api_key:<id>``, ``token:<family>``)."""

    tenant_id: UUID
    subject: UUID
    credential: str
    scopes: tuple[str, ...]
    surface: Surface
    id: UUID
    issued_at: datetime
    lifetime: timedelta = LIFETIME


def issuer_of(tenant_id: UUID) -> str:
    return f"urn:llm-data-vault:tenant:{tenant_id}"


def is_access_token(text: str) -> bool:
    """Whether ``text`` has the shape of one."""
    return len(text) <= LONGEST and _SHAPE.fullmatch(text) is not None


def sign(claims: Claims, *, key_id: UUID, key: Ed25519PrivateKey) -> str:
    """The token."""
    issued = int(claims.issued_at.timestamp())
    payload = {
        "iss": issuer_of(claims.tenant_id),
        "sub": str(claims.subject),
        "aud": claims.surface.value,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(claims.lifetime.total_seconds()),
        "jti": str(claims.id),
        "tid": str(claims.tenant_id),
        "cred": claims.credential,
        "scope": " ".join(claims.scopes),
    }
    headers = {"typ": TYPE, "kid": f"{claims.tenant_id.hex}.{key_id.hex}"}
    return jwt.encode(payload, key, algorithm=ALGORITHM, headers=headers)


def read_key_id(text: str) -> tuple[UUID, UUID]:
    """The tenant and the key that a token names, nothing of it verified yet. Raises InvalidCredential.

    Whatever could name another key or algorithm (``jku``, ``x5u``, ``jwk``, ``crit``, any other member) is refused.
    """
    if not is_access_token(text):
        raise InvalidCredential
    try:
        header = orjson.loads(base64url_decode(text.partition(".")[0]))
    except (ValueError, binascii.Error):
        raise InvalidCredential from None
    if not isinstance(header, dict) or set(header) != {"alg", "typ", "kid"}:
        raise InvalidCredential
    match = _KEY_ID.fullmatch(header["kid"]) if isinstance(header["kid"], str) else None
    if match is None or header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise InvalidCredential
    return UUID(hex=match[1]), UUID(hex=match[2])


def verify(text: str, *, tenant_id: UUID, key: Ed25519PublicKey, surface: Surface, now: datetime) -> Claims:
    """The claims of a token of ``tenant_id`` signed under ``key``, for ``surface``, at the time ``now``.

    Raises InvalidCredential, TenantMismatch, TokenForAnotherSurface, CredentialExpired.
    """
    try:
        payload = jwt.decode(
            text,
            key,
            algorithms=[ALGORITHM],
            audience=[each.value for each in Surface],
            issuer=issuer_of(tenant_id),
            options=_OPTIONS,
        )
        claims = _claims(payload)
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
        raise InvalidCredential from None
    if claims.tenant_id != tenant_id:
        raise TenantMismatch
    _require_time(payload, now)
    if claims.surface is not surface:
        raise TokenForAnotherSurface
    return claims


def _claims(payload: dict[str, Any]) -> Claims:
    """Raises ValueError or TypeError for a claim of the wrong type."""
    times = [payload[name] for name in ("iat", "nbf", "exp")]
    texts = [payload[name] for name in ("sub", "jti", "tid", "cred", "scope", "aud")]
    if any(type(moment) is not int for moment in times) or any(type(text) is not str for text in texts):
        raise TypeError
    issued, _, expires = times
    return Claims(
        tenant_id=UUID(payload["tid"]),
        subject=UUID(payload["sub"]),
        credential=payload["cred"],
        scopes=tuple(payload["scope"].split()),
        surface=Surface(payload["aud"]),
        id=UUID(payload["jti"]),
        issued_at=datetime.fromtimestamp(issued, UTC),
        lifetime=timedelta(seconds=expires - issued),
    )


def _require_time(payload: dict[str, Any], now: datetime) -> None:
    """A token lives at most LIFETIME, from when it was issued; clocks may differ by TOLERANCE in either direction."""
    moment, slack = now.timestamp(), TOLERANCE.total_seconds()
    issued, begins, ends = payload["iat"], payload["nbf"], payload["exp"]
    if not issued <= begins < ends or ends - issued > LIFETIME.total_seconds():
        raise InvalidCredential
    if begins > moment + slack:
        raise InvalidCredential
    if ends + slack <= moment:
        raise CredentialExpired
