"""ID tokens and logout tokens: every check that OpenID Connect asks for, and nothing believed before its signature."""

import hashlib
import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from access.federation.errors import FederationRefused
from access.federation.oidc.documents import documents

#: Algorithms that a provider may sign with. None of them takes a shared secret, and ``none`` is not among them.
KEY_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA")
    | dict.fromkeys(("ES256", "ES384", "ES512"), "EC")
    | {"EdDSA": "OKP"}
)
#: Seconds by which clocks may differ.
SKEW: Final = 60
#: Seconds after which a token that has just been asked for is too old.
OLDEST: Final = 600
LONGEST_SUBJECT: Final = 255
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_SMALLEST_RSA: Final = 2048
_BIGGEST: Final = 64 * 1024
#: What a parser makes of numbers, nestings and texts that nobody honest sends.
_MALFORMED: Final = (ValueError, TypeError, OverflowError, RecursionError)
_REASONS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (jwt.ExpiredSignatureError, "expired"),
    (jwt.ImmatureSignatureError, "early"),
    (jwt.InvalidIssuedAtError, "early"),
    (jwt.InvalidIssuerError, "issuer"),
    (jwt.InvalidAudienceError, "audience"),
    (jwt.MissingRequiredClaimError, "claims"),
    (jwt.InvalidSignatureError, "signature"),
)


@dataclass(frozen=True)
class Trust:
    """Whose tokens are believed: signed with ``algorithm`` by a key at ``jwks_uri``, issued for ``client_id``."""

    issuer: str
    client_id: str
    algorithm: str
    jwks_uri: str


@dataclass(frozen=True)
class Asked:
    """What was asked of the provider, and has to be in its answer. ``max_age`` is in seconds."""

    nonce: str
    max_age: int | None = None
    acr_values: tuple[str, ...] = ()


def read_id_token(token: object, trust: Trust, asked: Asked, *, access_token: object = None) -> dict[str, Any]:
    """The claims of an ID token that answers ``asked`` (OpenID Connect Core 1.0, 3.1.3.7).

    Open no scope around it. Raises FederationRefused saying which check failed, ProviderUnavailable.
    """
    claims = _read(token, trust, types=("JWT",), required=("iss", "sub", "aud", "exp", "iat"))
    _require_party(claims, trust)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
        raise _refused("nonce")
    issued = moment(claims["iat"])
    if issued is None or issued.timestamp() < time.time() - OLDEST - SKEW:
        raise _refused("expired")
    _require_half_hash(claims, trust.algorithm, access_token)
    _require_freshness(claims, asked)
    return claims


def read_logout_token(token: object, trust: Trust) -> dict[str, Any]:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6).

    Whether ``jti`` is new is not looked at. Raises as read_id_token.
    """
    claims = _read(token, trust, types=("logout+jwt", "JWT"), required=("iss", "aud", "iat", "exp", "jti", "events"))
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise _refused("events")
    if "nonce" in claims:  # an ID token in disguise
        raise _refused("nonce")
    named = [claims[name] for name in ("sub", "sid") if name in claims]
    if not named or not all(_is_name(name) for name in (*named, claims["jti"])):
        raise _refused("claims")
    return claims


def moment(seconds: object) -> datetime | None:
    """A NumericDate that has passed, as a time; None for anything else."""
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not is_number or not 0 < seconds <= time.time() + SKEW:  # type: ignore[operator]
        return None
    return datetime.fromtimestamp(float(seconds), UTC)  # type: ignore[arg-type]


def usable_keys(jwks: Mapping[str, Any], algorithm: str, kid: str | None = None) -> list[Mapping[str, Any]]:
    """The keys of a set that may have signed with the algorithm; with ``kid``, those of that name."""
    keys = jwks.get("keys")
    found = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
    return [
        key
        for key in found
        if key.get("kty") == KEY_TYPES[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]


def _read(token: object, trust: Trust, *, types: Sequence[str], required: Sequence[str]) -> dict[str, Any]:
    if not isinstance(token, str) or len(token) > _BIGGEST:
        raise _refused("token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, *_MALFORMED):
        raise _refused("token") from None
    if trust.algorithm not in KEY_TYPES or header.get("alg") != trust.algorithm:
        raise _refused("algorithm")
    if str(header.get("typ", "JWT")).lower().removeprefix("application/") not in {one.lower() for one in types}:
        raise _refused("type")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key(trust, header.get("kid")),
            algorithms=[trust.algorithm],
            audience=trust.client_id,
            issuer=trust.issuer,
            leeway=SKEW,
            options={"require": list(required)},
        )
    except (jwt.PyJWTError, *_MALFORMED) as wrong:
        reasons = (reason for kind, reason in _REASONS if isinstance(wrong, kind))
        raise _refused(next(reasons, "token")) from None
    if "sub" in claims and not _is_name(claims["sub"]):
        raise _refused("claims")
    return claims


def _key(trust: Trust, kid: object) -> jwt.PyJWK:
    """The one key that may have signed; a name that is not known is looked up anew, but not at every token."""
    if kid is not None and not isinstance(kid, str):
        raise _refused("key")
    found = usable_keys(documents.get(trust.jwks_uri), trust.algorithm, kid)
    if not found:
        found = usable_keys(documents.get(trust.jwks_uri, newer=True), trust.algorithm, kid)
    if len(found) != 1:
        raise _refused("key")
    key = jwt.PyJWK(dict(found[0]), algorithm=trust.algorithm)
    if isinstance(key.key, RSAPublicKey) and key.key.key_size < _SMALLEST_RSA:
        raise _refused("key")
    return key


def _require_party(claims: Mapping[str, Any], trust: Trust) -> None:
    """A token for several names who asked for it, and a token that names somebody names us."""
    audience, party = claims["aud"], claims.get("azp")
    is_shared = isinstance(audience, list) and len(audience) > 1
    if (is_shared and party is None) or (party is not None and party != trust.client_id):
        raise _refused("azp")


def _require_half_hash(claims: Mapping[str, Any], algorithm: str, access_token: object) -> None:
    """``at_hash``, where there is one, is that of the access token beside it (3.1.3.6)."""
    told = claims.get("at_hash")
    if told is None or access_token is None or algorithm == "EdDSA":  # whose hash depends on the curve
        return
    if not isinstance(told, str) or not isinstance(access_token, str):
        raise _refused("at_hash")
    digest = hashlib.new(f"sha{algorithm[-3:]}", access_token.encode()).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(half, told.encode()):
        raise _refused("at_hash")


def _require_freshness(claims: Mapping[str, Any], asked: Asked) -> None:
    proved = moment(claims.get("auth_time"))
    if "auth_time" in claims and proved is None:
        raise _refused("auth_time")
    if asked.max_age is not None and (proved is None or proved.timestamp() < time.time() - asked.max_age - SKEW):
        raise _refused("auth_time")
    if asked.acr_values and claims.get("acr") not in asked.acr_values:
        raise _refused("acr")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_SUBJECT and value.isprintable()


def _refused(reason: str) -> FederationRefused:
    return FederationRefused("The provider's token does not hold", reason=reason)
