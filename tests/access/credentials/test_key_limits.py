"""What narrows an API key, and its successor."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access.auth.errors import KeyAlreadyRotated, KeyEnded, ServiceAccountNotFound
from access.errors import ApiKeyNotFound, GrantTooWide
from access.models import ApiKey, RoleBinding, Tenant
from access.policy.builtin import RULES
from access.policy.scopes import ADMIN, EXPORT, KNOWN, NOTHING, READ, SCIM, SETS, WRITE, expand, narrow, parse_scopes
from access.selectors import still_holds
from access.services.api_keys import KeyLimits, create_api_key, revoke_api_key, rotate_api_key
from access.services.grants import bind_role
from access.services.second_factor import reset_factors
from access.services.service_accounts import (
    create_service_account,
    disable_service_account,
    enable_service_account,
    enroll_certificate,
)
from access.services.tenants import operator
from access.services.users import create_user, set_password
from tests.factories.access import acting, age, make_api_key, make_user, principal_with
from tests.factories.datasets import make_dataset
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.identifiers import uuid7

Ask = Callable[..., Any]


def code_of(answer: Any) -> str:
    return f"{answer.status_code} {answer.json()['code']}"


def test_every_action_is_in_exactly_one_set() -> None:
    assert sorted(action for actions in SETS.values() for action in actions) == sorted(RULES)
    assert {READ, WRITE, ADMIN, EXPORT, SCIM} == set(SETS)
    assert {"directory.read", "user.provision", "group.provision"} == SETS[SCIM]


def test_reading_is_neither_exporting_nor_turning_tokens_back() -> None:
    assert "record.read" in SETS[READ]
    assert {"export.create", "export.read", "analytics.export"} == SETS[EXPORT]
    assert "token.reveal" not in SETS[READ] | SETS[WRITE]
    assert SETS[ADMIN] >= {"user.manage", "role.manage", "apikey.manage", "key.destroy", "audit.read", "dataset.purge"}


def test_no_scopes_mean_all_and_unknown_ones_nothing() -> None:
    assert expand([]) == frozenset()
    assert expand(["gone.action"]) == {"gone.action"}
    assert expand(["vault:read", "gone.action"]) == SETS[READ] | {"gone.action"}


def test_narrowing_never_widens() -> None:
    everything: frozenset[str] = frozenset()
    assert narrow(everything, everything) == everything
    assert narrow(SETS[READ], everything) == narrow(everything, SETS[READ]) == SETS[READ]
    assert narrow(SETS[READ], SETS[WRITE]) == NOTHING
    assert not NOTHING & KNOWN


def test_scopes_of_oauth_are_spelled_with_dots_too() -> None:
    assert parse_scopes("vault.export  vault:read dataset.list vault.read") == [
        "dataset.list",
        "vault:export",
        "vault:read",
    ]


@pytest.mark.parametrize(
    ("networks", "is_let_in"),
    [
        (["198.18.0.0/15"], True),
        (["0.0.0.0/0"], True),
        (["203.0.113.0/24", "198.18.0.0/16"], True),
        (["203.0.113.0/24"], False),
        (["2001:db8::/32"], False),
    ],
)
def test_a_key_is_used_from_its_networks_alone(tenant: Tenant, ask: Ask, networks: list[str], is_let_in: bool) -> None:
    _, text = make_api_key(tenant, limits=KeyLimits(allowed_networks=networks))
    answer = ask("GET", "/me", X_API_Key=text)
    assert (answer.status_code == 200) is is_let_in
    if not is_let_in:
        assert code_of(answer) == "403 VAULT_AUTH_1242"


def test_a_claimed_address_changes_nothing(tenant: Tenant, ask: Ask) -> None:
    _, text = make_api_key(tenant, limits=KeyLimits(allowed_networks=["203.0.113.0/24"]))
    claims = dict.fromkeys(("X_Forwarded_For", "X_Real_IP", "True_Client_IP", "X_Vault_Client_Address"), "203.0.113.7")
    answer = ask("GET", "/me", X_API_Key=text, Forwarded="for=203.0.113.7", **claims)
    assert code_of(answer) == "403 VAULT_AUTH_1242"


def test_a_wrong_secret_is_not_told_where_the_key_may_be_used(tenant: Tenant, ask: Ask) -> None:
    from access.auth.api_keys import Token

    key, _ = make_api_key(tenant, limits=KeyLimits(allowed_networks=["203.0.113.0/24"]))
    answer = ask("GET", "/me", X_API_Key=Token.generate(tenant.pk, key.pk).reveal())
    assert code_of(answer) == "401 VAULT_AUTH_1002"


@pytest.mark.parametrize(
    ("limits", "field"),
    [
        ({"allowed_networks": ["10.0.0.1/8"]}, "allowed_networks"),
        ({"allowed_networks": ["everywhere"]}, "allowed_networks"),
        ({"allowed_networks": ["10.0.0.0/8"] * 51}, "allowed_networks"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"requests_per_minute": 100_001}, "requests_per_minute"),
        ({"scopes": ["vault:everything"]}, "scopes"),
        pytest.param({"datasets": [uuid7() for _ in range(1001)]}, "datasets", id="too many datasets"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_limit_that_is_none_is_named(tenant: Tenant, limits: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as raised, acting(tenant):
        create_api_key(operator(tenant.pk), name="a key", roles=["viewer"], limits=KeyLimits(**limits))
    assert [problem.field for problem in raised.value.errors] == [field]


def test_sets_of_scopes_count_in_what_a_maker_may_give(tenant: Tenant) -> None:
    """A key for reading makes none for writing, whatever the names."""
    reader = principal_with(tenant, "tenant_admin", scopes=expand(["vault:read", "apikey.manage"]))
    with acting(tenant, reader):
        create_api_key(reader, name="a key", roles=["data_scientist"], limits=KeyLimits(scopes=["vault:read"]))
    for scopes in ((), ("vault:export",), ("vault:read", "vault:export")):
        with pytest.raises(GrantTooWide), acting(tenant, reader):
            create_api_key(reader, name="a key", roles=["data_scientist"], limits=KeyLimits(scopes=scopes))


def test_a_key_for_some_datasets_makes_none_for_others(tenant: Tenant) -> None:
    mine, other = uuid7(), uuid7()
    program = principal_with(tenant, "tenant_admin", datasets=frozenset({mine}))
    with acting(tenant, program):
        create_api_key(program, name="a key", roles=["viewer"], limits=KeyLimits(datasets=[mine]))
    for datasets in ([], [other], [mine, other]):
        with pytest.raises(GrantTooWide), acting(tenant, program):
            create_api_key(program, name="a key", roles=["viewer"], limits=KeyLimits(datasets=datasets))


@pytest.mark.parametrize("way", ["user", "role", "password", "factors", "account", "certificate", "wide key"])
def test_a_key_for_some_datasets_gives_nothing_that_is_for_all(tenant: Tenant, way: str) -> None:
    """Else whoever holds it gets at the other datasets through what they gave themselves."""
    program = principal_with(tenant, "tenant_admin", kind="service", datasets=frozenset({uuid7()}))
    user, (key, _) = make_user(tenant, "viewer"), make_api_key(tenant, "viewer")
    with acting(tenant):
        account = create_service_account(operator(tenant.pk), name="bot", roles=["viewer"]).pk
    name, password = f"user-{uuid7().hex}", "a long enough secret 7"
    ways: dict[str, Callable[[], object]] = {
        "user": lambda: create_user(program, username=name, password=password, roles=["viewer"]),
        "role": lambda: bind_role(program, role="analyst", user_id=user.pk),
        "password": lambda: set_password(program, user_id=user.pk, password=password),
        "factors": lambda: reset_factors(program, user_id=user.pk),
        "account": lambda: create_service_account(program, name="mine", roles=["viewer"]),
        "certificate": lambda: enroll_certificate(program, account_id=account, kind="dns", value="bot.example"),
        "wide key": lambda: bind_role(program, role="analyst", api_key_id=key.pk),
    }
    with pytest.raises(GrantTooWide), acting(tenant, program):
        ways[way]()


def test_a_key_for_some_datasets_sees_no_grants_on_others(tenant: Tenant, ask: Ask) -> None:
    """T15: who has access to what, and why, is part of what the key is not for."""
    mine, other = (make_dataset(tenant) for _ in range(2))
    _, viewer = make_api_key(tenant, "viewer")
    wish = {"purpose": "evaluation", "justification": "To look.", "seconds": 3600}
    asked = [
        ask("POST", "/access-requests", wish | {"dataset_id": str(each.pk)}, X_API_Key=viewer) for each in (mine, other)
    ]
    ids = [answer.json()["id"] for answer in asked]
    _, text = make_api_key(tenant, "data_steward", limits=KeyLimits(datasets=[mine.pk]))
    assert [row["id"] for row in ask("GET", "/access-requests", X_API_Key=text).json()["data"]] == ids[:1]
    answers = [ask("GET", f"/access-requests/{each}", X_API_Key=text).status_code for each in (*ids, uuid7())]
    assert answers == [200, 404, 404]


def test_a_key_sees_its_datasets_alone(tenant: Tenant, ask: Ask) -> None:
    _, steward = make_api_key(tenant, "data_steward")
    ids = [ask("POST", "/datasets", {"name": name}, X_API_Key=steward).json()["id"] for name in ("a", "b")]
    _, text = make_api_key(tenant, "data_steward", limits=KeyLimits(datasets=[ids[0]]))
    assert ask("GET", f"/datasets/{ids[0]}", X_API_Key=text).status_code == 200
    hidden, missing = (ask("GET", f"/datasets/{each}", X_API_Key=text) for each in (ids[1], uuid7()))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() | {"trace_id": ""} == missing.json() | {"trace_id": ""}
    assert [row["id"] for row in ask("GET", "/datasets", X_API_Key=text).json()["data"]] == [ids[0]]


def rotated(tenant: Tenant, key: ApiKey, **how: Any) -> tuple[ApiKey, str]:
    with acting(tenant):
        return rotate_api_key(operator(tenant.pk), key_id=key.pk, **how)


def test_a_key_and_its_successor_both_work_for_the_overlap(tenant: Tenant, ask: Ask) -> None:
    limits = KeyLimits(scopes=["vault:read"], requests_per_minute=50, allowed_networks=["198.18.0.0/15"])
    old, old_text = make_api_key(tenant, "data_steward", limits=limits, default_purpose="evaluation")
    new, new_text = rotated(tenant, old, overlap=timedelta(hours=2), days=30)
    assert {ask("GET", "/me", X_API_Key=text).status_code for text in (old_text, new_text)} == {200}
    same = ("name", "scopes", "allowed_networks", "datasets", "requests_per_minute", "default_purpose")
    old = ApiKey.objects.using("owner").get(pk=old.pk)
    assert [getattr(old, name) for name in same] == [getattr(new, name) for name in same]
    assert timedelta(hours=1) < old.expires_at - timezone.now() <= timedelta(hours=2)
    assert timedelta(days=29) < new.expires_at - timezone.now() <= timedelta(days=30)
    held = RoleBinding.objects.using("owner").filter(api_key=new)
    assert list(held.values_list("role__code", flat=True)) == ["data_steward"]
    age(old, expires_at=timedelta(seconds=1))
    assert code_of(ask("GET", "/me", X_API_Key=old_text)) == "401 VAULT_AUTH_1003"


def test_never_more_than_two_of_a_line_live(tenant: Tenant, ask: Ask) -> None:
    first, first_text = make_api_key(tenant)
    second, second_text = rotated(tenant, first)
    _, third_text = rotated(tenant, second)
    answers = [ask("GET", "/me", X_API_Key=text).status_code for text in (first_text, second_text, third_text)]
    assert answers == [401, 200, 200]


def test_rotating_does_not_lengthen_a_life(tenant: Tenant) -> None:
    key, _ = make_api_key(tenant, days=1)
    rotated(tenant, key, overlap=timedelta(days=7))
    assert ApiKey.objects.using("owner").get(pk=key.pk).expires_at == key.expires_at


def test_a_key_has_one_successor_and_a_dead_one_none(tenant: Tenant, rival: Tenant) -> None:
    key, _ = make_api_key(tenant)
    rotated(tenant, key)
    with pytest.raises(KeyAlreadyRotated):
        rotated(tenant, key)
    ended, _ = make_api_key(tenant)
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=ended.pk)
    with pytest.raises(KeyEnded):
        rotated(tenant, ended)
    with pytest.raises(ApiKeyNotFound):
        rotated(rival, key)
    for wrong in ({"overlap": timedelta(days=8)}, {"overlap": timedelta(-1)}, {"days": 91}):
        fresh, _ = make_api_key(tenant)
        with pytest.raises(InvalidInput):
            rotated(tenant, fresh, **wrong)


def test_nobody_gets_a_wider_key_by_rotating_one(tenant: Tenant) -> None:
    key, _ = make_api_key(tenant, "data_steward")
    officer = principal_with(tenant, "security_officer")
    with pytest.raises(GrantTooWide), acting(tenant, officer):
        rotate_api_key(officer, key_id=key.pk)
    assert ApiKey.objects.using("owner").filter(tenant=tenant).count() == 1


def test_a_key_of_a_service_account_is_the_account(tenant: Tenant, ask: Ask) -> None:
    with acting(tenant):
        boss = operator(tenant.pk)
        account = create_service_account(boss, name="trainer", roles=["data_scientist"], attributes={"team": "ml"})
        _, text = create_api_key(boss, name="a key", service_account_id=account.pk)
    seen = ask("GET", "/me", X_API_Key=text).json()
    assert (seen["id"], seen["name"], seen["roles"]) == (str(account.pk), "trainer", ["data_scientist"])
    with acting(tenant):
        bind_role(operator(tenant.pk), role="auditor", service_account_id=account.pk)
    assert ask("GET", "/me", X_API_Key=text).json()["roles"] == ["auditor", "data_scientist"]


def test_a_key_has_roles_of_its_own_or_an_account_s(tenant: Tenant) -> None:
    with acting(tenant):
        account = create_service_account(operator(tenant.pk), name="trainer", roles=["viewer"])
    for given in ({}, {"roles": ["viewer"], "service_account_id": account.pk}):
        with pytest.raises(InvalidInput), acting(tenant):
            create_api_key(operator(tenant.pk), name="a key", **given)
    with pytest.raises(ServiceAccountNotFound), acting(tenant):
        create_api_key(operator(tenant.pk), name="a key", service_account_id=uuid7())


def test_nobody_speaks_for_an_account_that_may_do_more(tenant: Tenant) -> None:
    """By a key, by a certificate, by roles, by making it, or by enabling it again."""
    officer = principal_with(tenant, "security_officer")
    with acting(tenant):
        account = create_service_account(operator(tenant.pk), name="steward", roles=["data_steward"])
        disable = create_service_account(operator(tenant.pk), name="other", roles=["data_steward"])
        disable_service_account(operator(tenant.pk), account_id=disable.pk)
    attempts = [
        lambda: create_api_key(officer, name="a key", service_account_id=account.pk),
        lambda: enroll_certificate(officer, account_id=account.pk, kind="dns", value="me.example"),
        lambda: create_service_account(officer, name="mine", roles=["data_steward"]),
        lambda: enable_service_account(officer, account_id=disable.pk),
    ]
    for attempt in attempts:
        with pytest.raises(GrantTooWide), acting(tenant, officer):
            attempt()


def test_what_goes_on_stops_when_the_account_is_disabled(tenant: Tenant) -> None:
    from access.auth.api_keys import Token
    from access.auth.holders import proved_key
    from access.selectors import api_key_principal

    with acting(tenant):
        boss = operator(tenant.pk)
        account = create_service_account(boss, name="streamer", roles=["data_scientist"])
        _, text = create_api_key(boss, name="a key", service_account_id=account.pk)
        principal = api_key_principal(proved_key(Token.parse(text), address=""))
        assert still_holds(principal)
        disable_service_account(boss, account_id=account.pk)
        assert not still_holds(principal)


def test_keys_over_rest(tenant: Tenant, rival: Tenant, ask: Ask) -> None:
    _, boss = make_api_key(tenant, "tenant_admin")
    made = ask("POST", "/api-keys", {"name": "k", "roles": ["viewer"], "scopes": ["vault:read"]}, X_API_Key=boss)
    assert made.status_code == 201, made.content
    body = made.json()
    assert body["requests_per_minute"] == 1000
    assert ask("GET", "/me", X_API_Key=body["key"]).status_code == 200
    shown = ask("GET", f"/api-keys/{body['id']}", X_API_Key=boss).json()
    assert "key" not in shown
    listed = ask("GET", "/api-keys", X_API_Key=boss)
    assert body["id"] in {row["id"] for row in listed.json()["data"]}
    assert body["key"].split("_")[3] not in listed.content.decode()
    successor = ask("POST", f"/api-keys/{body['id']}/rotate", {"overlap_hours": 1}, X_API_Key=boss)
    assert (successor.status_code, successor.json()["predecessor_id"]) == (201, body["id"])
    again = ask("POST", f"/api-keys/{body['id']}/rotate", {}, X_API_Key=boss)
    assert code_of(again) == "409 VAULT_AUTH_1252"
    assert ask("DELETE", f"/api-keys/{body['id']}", X_API_Key=boss).status_code == 204
    assert code_of(ask("GET", "/me", X_API_Key=body["key"])) == "401 VAULT_AUTH_1004"
    ended = ask("POST", f"/api-keys/{body['id']}/rotate", {}, X_API_Key=boss)
    assert code_of(ended) in {"409 VAULT_AUTH_1252", "409 VAULT_AUTH_1253"}
    _, foreign = make_api_key(rival, "tenant_admin")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotate")):
        answers = [
            ask(method, f"/api-keys/{each}{path}", {} if path else None, X_API_Key=foreign)
            for each in (body["id"], uuid7())
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json() | {"trace_id": ""} == answers[1].json() | {"trace_id": ""}


@pytest.mark.parametrize("member", ["id", "tenant_id", "secret_hash", "created_by", "revoked_at", "permissions"])
def test_what_is_not_the_caller_s_to_say_is_refused(tenant: Tenant, ask: Ask, member: str) -> None:
    _, boss = make_api_key(tenant, "tenant_admin")
    for path, body in (("/api-keys", {"name": "k", "roles": ["viewer"]}), ("/service-accounts", {"name": "s"})):
        answer = ask("POST", path, body | {member: "x"}, X_API_Key=boss)
        assert code_of(answer) == "400 VAULT_VALID_3001"
        assert f"/{member}" in {problem["field"] for problem in answer.json()["errors"]}


def test_service_accounts_over_rest(tenant: Tenant, rival: Tenant, ask: Ask) -> None:
    _, boss = make_api_key(tenant, "tenant_admin")
    _, foreign = make_api_key(rival, "tenant_admin")
    made = ask("POST", "/service-accounts", {"name": "s", "roles": ["viewer"]}, X_API_Key=boss).json()
    assert made["client_id"].startswith("ldc_")
    taken = ask("POST", "/service-accounts", {"name": "s"}, X_API_Key=boss)
    assert code_of(taken) == "409 VAULT_AUTHZ_2009"
    path = f"/service-accounts/{made['id']}"
    certificate = {"kind": "dns", "value": "registry.internal"}
    enrolled = ask("POST", f"{path}/certificates", certificate, X_API_Key=boss)
    assert enrolled.status_code == 201
    assert ask("POST", f"{path}/certificates", certificate, X_API_Key=boss).status_code == 409
    wrong = ask("POST", f"{path}/certificates", {"kind": "dns", "value": "*.internal"}, X_API_Key=boss)
    assert code_of(wrong) == "400 VAULT_VALID_3001"
    for each in (made["id"], uuid7()):
        assert code_of(ask("GET", f"/service-accounts/{each}", X_API_Key=foreign)) == "404 VAULT_AUTH_1250"
    gone = ask("DELETE", f"{path}/certificates/{uuid7()}", X_API_Key=boss)
    assert code_of(gone) == "404 VAULT_AUTH_1251"
    assert ask("DELETE", f"{path}/certificates/{enrolled.json()['id']}", X_API_Key=boss).status_code == 204
    assert ask("PATCH", path, {"is_active": False}, X_API_Key=boss).status_code == 204
    assert ask("GET", path, X_API_Key=boss).json()["is_active"] is False
    assert [row["name"] for row in ask("GET", "/service-accounts", X_API_Key=boss).json()["data"]] == ["s"]


def test_a_key_in_the_address_is_no_credential(tenant: Tenant, ask: Ask) -> None:
    """T29: an address is written down in logs and histories."""
    _, text = make_api_key(tenant)
    for name in ("api_key", "key", "access_token", "X-API-Key", "token"):
        assert code_of(ask("GET", f"/me?{name}={text}")) == "401 VAULT_AUTH_1001"


def test_no_refusal_or_event_or_log_has_the_key(
    tenant: Tenant, ask: Ask, events: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """T29: in every state that a key can be refused for."""
    key, text = make_api_key(tenant)
    answers = [ask("GET", "/me", X_API_Key=text), ask("GET", "/me", X_API_Key=text + "x")]
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    answers.append(ask("GET", "/me", X_API_Key=text))
    secret = text.split("_")[3]
    assert secret not in caplog.text + repr(events) + "".join(answer.content.decode() for answer in answers)


def test_keys_with_another_prefix_are_none(tenant: Tenant, ask: Ask) -> None:
    _, text = make_api_key(tenant)
    for prefix in ("ldr", "ldc", "LDV", "ldv ", "sk"):
        assert code_of(ask("GET", "/me", X_API_Key=prefix + text[3:])) == "401 VAULT_AUTH_1002"
