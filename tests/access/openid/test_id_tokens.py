"""ID tokens that are wrong in one respect: each refused, never with a 500, and told to the audit."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hmac import digest
from json import dumps
from typing import Any

import jwt
import pytest
from django.test import Client

from access.models import Tenant, User
from tests.access.openid.rogue import ALGORITHM, CLIENT_ID, Rogue, new_key
from tests.access.openid.steps import refused, sign_in
from tests.conftest import new_tenant
from tests.factories.federation import make_openid
from vaultsite.kernel.events.event import Recorded

pytestmark = pytest.mark.usefixtures("plain_static")
Alter = Callable[[Rogue], str]


@pytest.fixture(scope="module")
def tenant(rogue_address: str) -> Tenant:
    """One for all of these: nobody comes in."""
    made = new_tenant("tenant")
    make_openid(made, rogue_address, CLIENT_ID)
    return made


CLAIMS: dict[str, tuple[dict[str, Any], str]] = {
    "other issuer": ({"iss": "https://elsewhere.example.org"}, "issuer"),
    "other audience": ({"aud": "another-client"}, "audience"),
    "no audience": ({"aud": None}, "claims"),
    "shared audience without azp": ({"aud": [CLIENT_ID, "another-client"]}, "azp"),
    "azp of another": ({"azp": "another-client"}, "azp"),
    "no nonce": ({"nonce": None}, "nonce"),
    "other nonce": ({"nonce": "n-2"}, "nonce"),
    "nonce of another type": ({"nonce": ["n"]}, "nonce"),
    "expired": ({"exp": int(time.time()) - 3600}, "expired"),
    "no end": ({"exp": None}, "claims"),
    "end beyond numbers": ({"exp": float("inf")}, "token"),
    "issued long ago": ({"iat": int(time.time()) - 3600}, "expired"),
    "issued in the future": ({"iat": int(time.time()) + 3600}, "early"),
    "not yet valid": ({"nbf": int(time.time()) + 3600}, "early"),
    "no subject": ({"sub": None}, "claims"),
    "empty subject": ({"sub": ""}, "claims"),
    "endless subject": ({"sub": "s" * 300}, "claims"),
    "proved in the future": ({"auth_time": int(time.time()) + 3600}, "auth_time"),
    "other access token": ({"at_hash": "bm90IHRoaXM"}, "at_hash"),
}


@pytest.mark.parametrize("wrong", CLAIMS)
def test_claims_that_do_not_hold_let_nobody_in(
    wrong: str, browser: Client, tenant: Tenant, rogue: Rogue, events: list[Recorded]
) -> None:
    changed, reason = CLAIMS[wrong]
    rogue.id_token = lambda: rogue.sign(rogue.claims(**changed))
    refused(sign_in(browser, tenant, rogue), browser, events, reason)
    assert not User.objects.using("owner").filter(tenant=tenant).exists()


def stripped(rogue: Rogue) -> str:
    return rogue.sign(rogue.claims()).rpartition(".")[0] + "."


def with_public_key(rogue: Rogue) -> str:
    """HS256 under the public key that everybody can read, which PyJWT itself would not sign."""

    def part(value: dict[str, Any]) -> bytes:
        return urlsafe_b64encode(dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT", "kid": rogue.kid}) + b"." + part(rogue.claims())
    return (signed + b"." + urlsafe_b64encode(digest(rogue.public_pem(), signed, "sha256")).rstrip(b"=")).decode()


def embedded(rogue: Rogue) -> str:
    """Signed with a key that the token itself brings along."""
    stranger = new_key()
    jwk = jwt.algorithms.RSAAlgorithm.to_jwk(stranger.public_key(), as_dict=True)
    headers = {"kid": rogue.kid, "jwk": jwk, "jku": f"{rogue.issuer}/mine"}
    return jwt.encode(rogue.claims(), stranger, ALGORITHM, headers=headers)


TOKENS: dict[str, tuple[Alter, str]] = {
    "unsigned": (stripped, "signature"),
    "alg none": (lambda rogue: jwt.encode(rogue.claims(), None, "none"), "algorithm"),
    "HS256 with the public key": (with_public_key, "algorithm"),
    "HS256 with the client secret": (lambda rogue: jwt.encode(rogue.claims(), "s" * 32, "HS256"), "algorithm"),
    "another algorithm": (lambda rogue: jwt.encode(rogue.claims(), rogue.key, "RS512"), "algorithm"),
    "a key of its own": (embedded, "signature"),
    "an unknown key": (lambda rogue: rogue.sign(rogue.claims(), kid="unheard-of"), "key"),
    "a critical header": (lambda rogue: rogue.sign(rogue.claims(), crit=["exp"]), "token"),
    "an access token": (lambda rogue: rogue.sign(rogue.claims(), typ="at+jwt"), "type"),
    "no token": (lambda _: "", "token"),
    "no JWT": (lambda _: "a.b.c", "token"),
    "a nest for a header": (lambda _: "W1tb" * 10_000 + ".e30.c2ln", "token"),
    "more than anybody says": (lambda rogue: rogue.sign(rogue.claims(much="x" * 100_000)), "token"),
}


@pytest.mark.parametrize("wrong", TOKENS)
def test_tokens_that_nobody_signed_let_nobody_in(
    wrong: str, browser: Client, tenant: Tenant, rogue: Rogue, events: list[Recorded]
) -> None:
    alter, reason = TOKENS[wrong]
    rogue.id_token = lambda: alter(rogue)
    refused(sign_in(browser, tenant, rogue), browser, events, reason)
