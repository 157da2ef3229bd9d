"""Rules of API keys, from their text to the principal."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.utils import timezone

from access.auth.api_keys import PATTERN, Token
from access.auth.resolver import RequestPrincipalResolver
from access.errors import (
    AccessDenied,
    ApiKeyNotFound,
    AuthenticationRequired,
    CredentialExpired,
    CredentialRevoked,
    GrantTooWide,
    InvalidCredential,
)
from access.models import ApiKey, RoleBinding, Tenant
from access.services.api_keys import create_api_key, revoke_api_key
from access.services.grants import bind_role
from access.services.tenants import operator
from tests.factories.access import LONG_AGO, acting, age, make_api_key, make_request, principal_with
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, Principal


def resolve(text: str, header: str = "Authorization") -> Principal:
    value = f"Bearer {text}" if header == "Authorization" else text
    return RequestPrincipalResolver().resolve(make_request(**{header: value}))


def test_a_token_comes_back_as_it_was() -> None:
    token = Token.generate(uuid7(), uuid7())
    assert Token.parse(token.reveal()) == token
    assert re.fullmatch(PATTERN, token.reveal())


def test_a_token_does_not_show_its_secret() -> None:
    token = Token.generate(uuid7(), uuid7())
    assert token.secret.hex() not in repr(token)
    assert str(token.secret) not in repr(token)


def test_any_changed_letter_is_found_without_a_database() -> None:
    text = Token.generate(uuid7(), uuid7()).reveal()
    for place, letter in enumerate(text):
        changed = text[:place] + ("b" if letter == "a" else "a") + text[place + 1 :]
        with pytest.raises(InvalidCredential):
            Token.parse(changed)


@pytest.mark.parametrize(
    "text",
    ["", "ldv", "ldv_", "ldv____", "sk-123", "ldv_a_b_c_d", "Bearer", "ldv_" + "0" * 5000, "\x00", "ldv_é_é_é_é"],
)
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(InvalidCredential):
        Token.parse(text)


def test_the_database_holds_only_a_hash(tenant: Tenant) -> None:
    key, text = make_api_key(tenant)
    row = ApiKey.objects.using("owner").filter(pk=key.pk).values().get()
    assert row["secret_hash"] == hashlib.sha256(Token.parse(text).secret).digest()
    assert text.split("_")[3] not in str(row)


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_proves_its_holder(tenant: Tenant, header: str) -> None:
    key, text = make_api_key(tenant, "data_scientist", "analyst", default_purpose="evaluation", scopes=["record.read"])
    principal = resolve(text, header)
    assert (principal.id, principal.kind, principal.tenant_id) == (key.pk, "service", tenant.pk)
    assert (principal.purpose, principal.scopes) == ("evaluation", {"record.read"})
    assert principal.roles == {"data_scientist", "analyst"}
    assert principal.credential == f"api_key:{key.pk}"


def test_an_expired_key_is_refused(tenant: Tenant) -> None:
    key, text = make_api_key(tenant)
    age(key, expires_at=timedelta(seconds=1))
    with pytest.raises(CredentialExpired):
        resolve(text)


def test_a_revoked_key_is_refused_with_the_next_request(tenant: Tenant) -> None:
    key, text = make_api_key(tenant)
    assert resolve(text)
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    with pytest.raises(CredentialRevoked):
        resolve(text)


def test_a_wrong_secret_is_not_told_whether_the_key_is_revoked_or_exists(tenant: Tenant) -> None:
    key, _ = make_api_key(tenant)
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    for key_id in (key.pk, uuid7()):
        with pytest.raises(InvalidCredential):
            resolve(Token.generate(tenant.pk, key_id).reveal())


def test_a_key_does_not_hold_under_another_tenant(tenant: Tenant, rival: Tenant) -> None:
    _, text = make_api_key(tenant)
    mine = Token.parse(text)
    moved = Token(rival.pk, mine.key_id, mine.secret)
    with pytest.raises(InvalidCredential):
        resolve(moved.reveal())


def test_the_keys_of_a_closed_tenant_do_not_hold(tenant: Tenant) -> None:
    _, text = make_api_key(tenant)
    Tenant.objects.using("owner").filter(pk=tenant.pk).update(is_active=False)
    with pytest.raises(InvalidCredential):
        resolve(text)


def test_a_role_taken_away_is_gone_with_the_next_request(tenant: Tenant) -> None:
    key, text = make_api_key(tenant, "data_steward")
    assert "record.write" in resolve(text).permissions
    RoleBinding.objects.using("owner").filter(api_key=key).update(expires_at=timezone.now())
    assert resolve(text).permissions == frozenset()


def test_last_use_is_written_at_most_once_a_minute(tenant: Tenant) -> None:
    key, text = make_api_key(tenant)
    keys = ApiKey.objects.using("owner")
    resolve(text)
    first = keys.get(pk=key.pk).last_used_at
    resolve(text)
    assert keys.get(pk=key.pk).last_used_at == first
    age(key, last_used_at=timedelta(minutes=2))
    resolve(text)
    assert keys.get(pk=key.pk).last_used_at > first


def test_a_refused_key_is_recorded_under_the_tenant_it_names(tenant: Tenant, events: list[Recorded]) -> None:
    with pytest.raises(InvalidCredential):
        resolve(Token.generate(tenant.pk, uuid7()).reveal())
    (recorded,) = events
    assert (recorded.tenant_id, recorded.event.type) == (tenant.pk, EventType.CREDENTIAL_REFUSED)
    assert (recorded.event.status, recorded.event.failure_reason) == ("denied", "VAULT_AUTH_1002")
    assert recorded.request.ip_address == "192.0.2.1"


@pytest.mark.parametrize("text", [Token.generate(uuid7(), uuid7()).reveal(), "nonsense"], ids=["stranger", "none"])
def test_who_names_no_tenant_is_recorded_under_the_platform(tenant: Tenant, events: list[Recorded], text: str) -> None:
    with pytest.raises(InvalidCredential):
        resolve(text)
    (recorded,) = events
    assert recorded.tenant_id == PLATFORM_TENANT_ID


def test_a_request_without_credential_is_refused_and_recorded(tenant: Tenant, events: list[Recorded]) -> None:
    with pytest.raises(AuthenticationRequired):
        RequestPrincipalResolver().resolve(make_request())
    assert [recorded.event.failure_reason for recorded in events] == ["VAULT_AUTH_1001"]


@pytest.mark.parametrize("value", ["Basic dTpw", "Bearer", "Bearer x", "", "Token abc"])
def test_a_header_that_does_not_hold_is_never_passed_over(tenant: Tenant, value: str) -> None:
    _, good = make_api_key(tenant)
    request = make_request(**{"Authorization": value, "X-API-Key": good})
    with pytest.raises(InvalidCredential):
        RequestPrincipalResolver().resolve(request)


@pytest.mark.parametrize(
    ("misfit", "field"),
    [
        ({"roles": []}, "roles"),
        ({"roles": ["emperor"]}, "roles"),
        ({"scopes": ["dataset.explode"]}, "scopes"),
        ({"default_purpose": "world-domination"}, "default_purpose"),
        ({"days": 0}, "days"),
        ({"days": 91}, "days"),
        ({"name": " "}, "name"),
        ({"name": "a\r\nb"}, "name"),
    ],
)
def test_a_misfit_is_named(tenant: Tenant, misfit: dict, field: str) -> None:
    facts = {"name": "a key", "roles": ["viewer"]} | misfit
    with pytest.raises(InvalidInput) as raised, acting(tenant):
        create_api_key(operator(tenant.pk), **facts)
    assert [problem.field for problem in raised.value.errors] == [field]
    assert not ApiKey.objects.using("owner").filter(tenant=tenant).exists()


def test_nobody_makes_a_key_that_may_do_more_than_its_maker(tenant: Tenant) -> None:
    officer = principal_with(tenant, "security_officer")
    with pytest.raises(GrantTooWide), acting(tenant, officer):
        create_api_key(officer, name="a key", roles=["data_steward"])
    assert not ApiKey.objects.using("owner").filter(tenant=tenant).exists()
    with acting(tenant, officer):
        create_api_key(officer, name="a key", roles=["security_officer"])


def test_managing_roles_does_not_make_a_key_wider_than_its_maker(tenant: Tenant) -> None:
    boss, (key, _) = principal_with(tenant, "tenant_admin"), make_api_key(tenant, "viewer")
    with pytest.raises(GrantTooWide), acting(tenant, boss):
        create_api_key(boss, name="a key", roles=["data_steward"])
    with pytest.raises(GrantTooWide), acting(tenant, boss):
        bind_role(boss, role="data_steward", api_key_id=key.pk)
    assert set(RoleBinding.objects.using("owner").filter(tenant=tenant).values_list("role__code", flat=True)) == {
        "viewer"
    }
    with acting(tenant, boss):
        for role in ("tenant_admin", "data_scientist", "analyst"):
            create_api_key(boss, name="a key", roles=[role])
            bind_role(boss, role=role, api_key_id=key.pk)


def test_a_scoped_key_makes_none_beyond_its_scopes(tenant: Tenant) -> None:
    program = principal_with(tenant, "tenant_admin", scopes=frozenset({"apikey.manage", "audit.read"}))
    for scopes in ([], ["record.read"], ["audit.read", "record.read"]):
        with pytest.raises(GrantTooWide), acting(tenant, program):
            create_api_key(program, name="a key", roles=["tenant_admin"], scopes=scopes)
    with acting(tenant, program):
        create_api_key(program, name="a key", roles=["tenant_admin"], scopes=["audit.read"])


def test_the_audit_names_the_key_and_what_it_was_given(tenant: Tenant, events: list[Recorded]) -> None:
    key, _ = make_api_key(tenant, "viewer", "auditor", scopes=["dataset.list"], days=7)
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    decisions = [stored.event for stored in events if stored.event.resource.type == "api_key"]
    assert [event.resource.id for event in decisions] == [str(key.pk)] * 2
    for event in decisions:
        assert event.metadata["action"] == "apikey.manage"
        assert event.metadata["roles"] == ["auditor", "viewer"]
        assert event.metadata["scopes"] == ["dataset.list"]
        assert event.metadata["expires_at"] == key.expires_at.isoformat()


def test_the_audit_does_not_quote_what_is_no_role_or_scope(tenant: Tenant, events: list[Recorded]) -> None:
    misfits = {"roles": ["ada@example.com", "viewer"], "scopes": ["Ada Lovelace"], "days": 10**10}
    with pytest.raises(InvalidInput), acting(tenant):
        create_api_key(operator(tenant.pk), name="a key", **misfits)
    (decision,) = [stored.event for stored in events if stored.event.resource.type == "api_key"]
    assert (decision.metadata["roles"], decision.metadata["scopes"]) == (["viewer"], [])


def test_keys_are_made_and_revoked_by_who_may(tenant: Tenant) -> None:
    key, _ = make_api_key(tenant)
    steward = principal_with(tenant, "data_steward")
    with pytest.raises(AccessDenied), acting(tenant, steward):
        create_api_key(steward, name="a key", roles=["viewer"])
    with pytest.raises(AccessDenied), acting(tenant, steward):
        revoke_api_key(steward, key_id=key.pk)


def test_a_rival_s_key_cannot_be_revoked(tenant: Tenant, rival: Tenant) -> None:
    key, _ = make_api_key(tenant)
    with pytest.raises(ApiKeyNotFound), acting(rival):
        revoke_api_key(operator(rival.pk), key_id=key.pk)
    assert ApiKey.objects.using("owner").get(pk=key.pk).revoked_at is None


def test_revoking_again_keeps_the_first_moment(tenant: Tenant) -> None:
    key, _ = make_api_key(tenant)
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    age(key, revoked_at=LONG_AGO)
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    assert ApiKey.objects.using("owner").get(pk=key.pk).revoked_at < timezone.now() - timedelta(days=399)
