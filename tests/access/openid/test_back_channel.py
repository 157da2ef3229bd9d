"""Logout tokens, right and wrong; and proofs of somebody else."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from access.models import IdentityProvider, SpentToken, Tenant, User, VaultSession
from access.tasks import purge_expired
from tests.access.openid.rogue import CLIENT_ID, LOGOUT, Rogue
from tests.access.openid.steps import begin, come_back, is_in, reasons, sign_in
from tests.factories.access import age
from tests.factories.federation import make_openid
from tests.factories.pages import browser_of
from vaultsite.kernel.events.event import EventType, Recorded

pytestmark = pytest.mark.usefixtures("plain_static")


@pytest.fixture
def provider(tenant: Tenant, rogue: Rogue) -> IdentityProvider:
    return make_openid(tenant, rogue.issuer, CLIENT_ID)


def tell(tenant: Tenant, token: str) -> int:
    address = f"/auth/{tenant.slug}/sso/back-channel-logout/"
    answer = Client(SERVER_NAME="localhost", enforce_csrf_checks=True).post(address, {"logout_token": token})
    assert answer["Cache-Control"].startswith("no-store") or "no-store" in answer["Cache-Control"]
    return answer.status_code


def signed_in(tenant: Tenant, rogue: Rogue, sid: str) -> Client:
    client = Client(SERVER_NAME="localhost")
    rogue.id_token = lambda: rogue.sign(rogue.claims(sid=sid))
    assert sign_in(client, tenant, rogue).status_code == 302
    return client


def test_a_logout_token_ends_the_sessions_it_names_and_no_other(
    tenant: Tenant, provider: IdentityProvider, rogue: Rogue
) -> None:
    first, second = signed_in(tenant, rogue, "sid-1"), signed_in(tenant, rogue, "sid-2")
    rogue.subject = "s-2"
    other = signed_in(tenant, rogue, "sid-3")
    by_password = browser_of(tenant, "viewer")
    assert tell(tenant, rogue.sign(rogue.logout_claims(sub=None, sid="sid-1"), typ="logout+jwt")) == 200
    assert [is_in(one) for one in (first, second, other, by_password)] == [False, True, True, True]
    assert tell(tenant, rogue.sign(rogue.logout_claims(sub="s-1"))) == 200
    assert [is_in(one) for one in (second, other, by_password)] == [False, True, True]
    assert tell(tenant, rogue.sign(rogue.logout_claims(sub="nobody"))) == 200
    assert is_in(other)


WRONG: dict[str, dict[str, Any]] = {
    "with a nonce": {"nonce": "n"},
    "without an event": {"events": None},
    "of another event": {"events": {"http://example.org/another": {}}},
    "with an event that is none": {"events": LOGOUT | {next(iter(LOGOUT)): True}},
    "that names nobody": {"sub": None},
    "without jti": {"jti": None},
    "of another issuer": {"iss": "https://elsewhere.example.org"},
    "for another client": {"aud": "another-client"},
    "expired": {"exp": int(time.time()) - 3600},
    "of long ago": {"iat": int(time.time()) - 3600},
    "without an end": {"exp": None},
    "with a session that is no name": {"sid": {"a": 1}},
}


def test_what_does_not_hold_ends_nothing(
    tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    client = signed_in(tenant, rogue, "sid-1")
    tokens = {name: rogue.sign(rogue.logout_claims(**changed)) for name, changed in WRONG.items()}
    tokens |= {
        "an ID token": rogue.sign(rogue.claims(sid="sid-1", nonce="n")),
        "of another type": rogue.sign(rogue.logout_claims(), typ="at+jwt"),
        "no token": "",
    }
    assert {name: tell(tenant, token) for name, token in tokens.items()} == dict.fromkeys(tokens, 400)
    assert is_in(client)
    refused = [one.event for one in events if one.event.type == EventType.CREDENTIAL_REFUSED]
    assert len(refused) == len(tokens)
    assert all(event.failure_reason == "VAULT_AUTH_1316" for event in refused)


def test_a_logout_token_counts_once(tenant: Tenant, provider: IdentityProvider, rogue: Rogue) -> None:
    token = rogue.sign(rogue.logout_claims())
    assert [tell(tenant, token), tell(tenant, token)] == [200, 400]
    spent = SpentToken.objects.using("owner").filter(tenant=tenant)
    age(spent.get(), expires_at=timedelta(seconds=1))
    purge_expired()
    assert not spent.exists()


def test_a_logout_token_of_one_organization_is_nothing_in_another(
    tenant: Tenant, rival: Tenant, provider: IdentityProvider, rogue: Rogue
) -> None:
    make_openid(rival, rogue.issuer, "another-client")
    client = signed_in(tenant, rogue, "sid-1")
    assert tell(rival, rogue.sign(rogue.logout_claims())) == 400
    assert is_in(client)


def test_a_proof_of_somebody_else_confirms_nothing(
    tenant: Tenant, provider: IdentityProvider, rogue: Rogue, events: list[Recorded]
) -> None:
    client = signed_in(tenant, rogue, "sid-1")
    before = client.cookies[settings.SESSION_COOKIE_NAME].value
    asked = begin(client, tenant, rogue, act="confirm")
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    rogue.id_token = lambda: rogue.sign(rogue.claims(sub="s-2", auth_time=int(time.time())))
    assert come_back(client, tenant, asked["state"]).status_code == 403
    for stale in (None, int(time.time()) - 3600):
        state = begin(client, tenant, rogue, act="confirm")["state"]
        rogue.id_token = lambda stale=stale: rogue.sign(rogue.claims(auth_time=stale))
        assert come_back(client, tenant, state).status_code == 403
    assert reasons(events)[-2:] == ["auth_time", "auth_time"]
    assert client.cookies[settings.SESSION_COOKIE_NAME].value == before
    state = begin(client, tenant, rogue, act="confirm")["state"]
    rogue.id_token = lambda: rogue.sign(rogue.claims(auth_time=int(time.time())))
    assert come_back(client, tenant, state).status_code == 302
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert User.objects.using("owner").filter(tenant=tenant).count() == 1
    assert VaultSession.objects.using("owner").filter(tenant=tenant).count() == 1


def test_only_who_sets_up_providers_tries_them(tenant: Tenant, provider: IdentityProvider, rogue: Rogue) -> None:
    address = f"/auth/{tenant.slug}/sso/begin/"
    assert Client(SERVER_NAME="localhost").get(address, {"act": "try"}).status_code == 401
    assert browser_of(tenant, "viewer").get(address, {"act": "try"}).status_code == 403
    assert browser_of(tenant, "security_officer").get(address, {"act": "try"}).status_code == 302
