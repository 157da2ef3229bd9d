"""T25, T26: what an access token must be, and when it counts. The clock is given, nothing is faked."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from access.auth.access_tokens import LIFETIME, TOLERANCE, Claims, Surface, issuer_of, read_key_id, sign, verify
from access.auth.errors import TenantMismatch, TokenForAnotherSurface
from access.errors import CredentialExpired, InvalidCredential
from vaultsite.kernel.identifiers import uuid7

# Written out: they are in the names of cases, which every process of a run must make alike.
TENANT, KEY_ID, ELSEWHERE = (UUID(f"01a20000-0000-7000-8000-00000000000{number}") for number in (1, 2, 3))
KEY = Ed25519PrivateKey.generate()
NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
HEADER = {"alg": "EdDSA", "typ": "at+jwt", "kid": f"{TENANT.hex}.{KEY_ID.hex}"}


def claims(**changed: Any) -> Claims:
    facts = {
        "tenant_id": TENANT,
        "subject": uuid7(),
        "credential": f"api_key:{uuid7()}",
        "scopes": ("vault:read",),
        "surface": Surface.REST,
        "id": uuid7(),
        "issued_at": NOW,
    }
    return Claims(**(facts | changed))


def payload(**changed: Any) -> dict[str, Any]:
    stamp = int(NOW.timestamp())
    facts = {
        "iss": issuer_of(TENANT), "sub": str(uuid7()), "aud": Surface.REST.value, "iat": stamp, "nbf": stamp,
        "exp": stamp + 900, "jti": str(uuid7()), "tid": str(TENANT), "cred": f"api_key:{uuid7()}", "scope": "",
    }  # fmt: skip
    return {name: value for name, value in (facts | changed).items() if value is not None}


def encoded(part: Any) -> bytes:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")


def assembled(header: dict[str, Any], body: dict[str, Any], signature: bytes | None = None) -> str:
    """A token of any header, with a right EdDSA signature unless another is given."""
    signed = encoded(header) + b"." + encoded(body)
    raw = KEY.sign(signed) if signature is None else signature
    return (signed + b"." + base64.urlsafe_b64encode(raw).rstrip(b"=")).decode()


def accept(text: str, *, now: datetime = NOW, surface: Surface = Surface.REST) -> Claims:
    """What the vault does with a token: find the key, then verify."""
    assert read_key_id(text) == (TENANT, KEY_ID)
    return verify(text, tenant_id=TENANT, key=KEY.public_key(), surface=surface, now=now)


def test_a_token_comes_back_as_it_was() -> None:
    made = claims()
    assert accept(sign(made, key_id=KEY_ID, key=KEY)) == made


def test_what_the_forgeries_are_made_of_is_accepted_unchanged() -> None:
    assert accept(assembled(HEADER, payload())).tenant_id == TENANT


@pytest.mark.parametrize(
    "change",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": "ES256"},
        {"alg": ""},
        {"alg": None},
        {"alg": ["EdDSA"]},
        {"typ": "JWT"},
        {"typ": "id+jwt"},
        {"typ": "application/at+jwt"},
        {"kid": f"{TENANT.hex}.{KEY_ID.hex}\n"},
        {"kid": "../../etc/passwd"},
        {"kid": 7},
        {"kid": ["a"]},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(bytes(32)).decode()}},
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
        {"cty": "JWT"},
    ],
    ids=str,
)
def test_a_header_says_nothing_but_what_we_put_there(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidCredential):
        accept(assembled(HEADER | change, payload()))


@pytest.mark.parametrize("member", ["alg", "typ", "kid"])
def test_a_header_is_complete(member: str) -> None:
    header = {name: value for name, value in HEADER.items() if name != member}
    with pytest.raises(InvalidCredential):
        accept(assembled(header, payload()))


def public_forms() -> dict[str, bytes]:
    public = KEY.public_key()
    raw = public.public_bytes_raw()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}
    return {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "jwk": json.dumps(jwk).encode(),
        "raw": raw,
    }


@pytest.mark.parametrize("stated", ["HS256", "EdDSA"])
@pytest.mark.parametrize("form", ["pem", "der", "jwk", "raw"])
def test_the_public_key_is_no_secret_to_sign_with(form: str, stated: str) -> None:
    """The classic confusion: an HMAC under the verifier's own public key, said to be one or not."""
    header, body = HEADER | {"alg": stated}, payload()
    signed = encoded(header) + b"." + encoded(body)
    mac = hmac.digest(public_forms()[form], signed, hashlib.sha256)
    with pytest.raises(InvalidCredential):
        accept(assembled(header, body, mac))


def test_the_signature_is_ours_and_over_this() -> None:
    other, rsa = Ed25519PrivateKey.generate(), generate_private_key(65537, 2048)
    forged = sign(claims(), key_id=KEY_ID, key=other)
    head, body, _ = sign(claims(), key_id=KEY_ID, key=KEY).split(".")
    by_rsa = jwt.encode(payload(), rsa, algorithm="RS256", headers={"typ": "at+jwt", "kid": HEADER["kid"]})
    changed = encoded(payload(sub=str(uuid7()))).decode()
    signature = sign(claims(), key_id=KEY_ID, key=KEY).split(".")[2]
    for text in (forged, by_rsa, f"{head}.{body}.", f"{head}.{changed}.{signature}", f"{head}.{body}.{'A' * 86}"):
        with pytest.raises(InvalidCredential):
            accept(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "a.b.c", "a.b.c.d", "eyJ.e30.", "\x00.\x00.\x00", "a" * 5000 + ".a.a", "ldv_a.b_c.d"],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidCredential):
        read_key_id(text)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://accounts.google.com"},
        {"iss": issuer_of(ELSEWHERE)},
        {"aud": "another-client"},
        {"aud": ["urn:llm-data-vault:rest", "another"]},
        {"aud": ""},
        {"sub": "admin"},
        {"sub": 1},
        {"jti": "1"},
        {"scope": ["vault:read"]},
        {"cred": 5},
        {"exp": "4102444800"},
        {"exp": 1e300},
        {"exp": True},
        {"iat": None},
        {"nbf": None},
        {"exp": None},
        {"jti": None},
        {"tid": None},
        {"cred": None},
        {"scope": None},
        {"sub": None},
        {"aud": None},
        {"iss": None},
    ],
    ids=str,
)
def test_every_claim_is_there_and_of_its_type(change: dict[str, Any]) -> None:
    body = payload() | change
    body = {name: value for name, value in body.items() if value is not None}
    with pytest.raises(InvalidCredential):
        accept(assembled(HEADER, body))


def test_an_id_token_is_no_access_token() -> None:
    id_token = {name: payload()[name] for name in ("iss", "sub", "aud", "iat", "exp")} | {
        "nonce": "n",
        "email": "a@b.c",
    }
    with pytest.raises(InvalidCredential):
        accept(assembled(HEADER, id_token))


def test_another_tenant_in_the_claims_is_a_mismatch() -> None:
    with pytest.raises(TenantMismatch):
        accept(assembled(HEADER, payload(tid=str(uuid7()))))


def test_a_token_serves_one_surface() -> None:
    text = sign(claims(surface=Surface.GRPC), key_id=KEY_ID, key=KEY)
    assert accept(text, surface=Surface.GRPC)
    with pytest.raises(TokenForAnotherSurface):
        accept(text)


@pytest.mark.parametrize(
    ("seconds", "refusal"),
    [
        (-300, InvalidCredential),
        (-31, InvalidCredential),
        (-30, None),
        (0, None),
        (899, None),
        (900, None),
        (929, None),
        (930, CredentialExpired),
        (1200, CredentialExpired),
        (10**8, CredentialExpired),
    ],
)
def test_clocks_may_differ_by_the_tolerance_and_no_more(seconds: int, refusal: type[Exception] | None) -> None:
    """T26: the verifier's clock up to 5 minutes and more beside the issuer's."""
    assert (timedelta(minutes=15), timedelta(seconds=30)) == (LIFETIME, TOLERANCE)
    text = sign(claims(), key_id=KEY_ID, key=KEY)
    if refusal is None:
        assert accept(text, now=NOW + timedelta(seconds=seconds))
        return
    with pytest.raises(refusal):
        accept(text, now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("iat", "nbf", "exp"),
    [(0, 0, 0), (0, 0, -1), (0, 0, -900), (0, 10, 10), (10, 0, 20), (0, 0, 901), (0, 0, 10**9), (0, 901, 902)],
)
def test_no_lifetime_is_negative_empty_or_longer_than_ours(iat: int, nbf: int, exp: int) -> None:
    stamp = int(NOW.timestamp())
    body = payload(iat=stamp + iat, nbf=stamp + nbf, exp=stamp + exp)
    with pytest.raises(InvalidCredential):
        accept(assembled(HEADER, body))
