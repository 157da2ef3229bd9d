"""Tokens over REST: every way to one, the end of each, and what is recorded."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.db import connections
from django.test import Client
from oauthlib.oauth2 import BackendApplicationClient

from access.auth.api_keys import REFRESH_PREFIX, Token
from access.auth.clients import ClientId
from access.auth.token_keys import ROTATE_AFTER
from access.factors import totp
from access.models import (
    ApiKey,
    EncryptionKey,
    KeyPurpose,
    RefreshToken,
    RoleBinding,
    SignInPolicy,
    Tenant,
    TokenFamily,
    User,
)
from access.services.api_keys import create_api_key, revoke_api_key
from access.services.deprovisioning import deactivate_user
from access.services.grants import bind_role
from access.services.second_factor import add_app
from access.services.service_accounts import create_service_account, disable_service_account
from access.services.tenants import operator
from access.services.tokens import end_families, rotate_signing_key
from access.services.users import set_password
from tests.factories.access import PASSWORD, acting, age, make_api_key, make_user, sign_in
from tests.factories.factors import code_for
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.identifiers import uuid7

Ask = Callable[..., Any]


def sign_in_program(ask: Ask, tenant: Tenant, user: User, **members: Any) -> Any:
    body = {
        "grant_type": "password",
        "organization": tenant.slug,
        "username": user.username,
        "password": PASSWORD,
    }
    return ask("POST", "/auth/token", body | members)


def ask_for_factors(tenant: Tenant) -> None:
    """Administrators sign in with a second factor, as where a tenant says nothing."""
    SignInPolicy.objects.using("owner").filter(tenant=tenant).update(mfa_roles=["tenant_admin"])


def me(ask: Ask, token: str) -> Any:
    return ask("GET", "/me", Authorization=f"Bearer {token}")


def refresh(ask: Ask, token: str) -> Any:
    return ask("POST", "/auth/refresh", {"refresh_token": token})


def code_of(answer: Any) -> str:
    return f"{answer.status_code} {answer.json()['code']}"


def test_a_password_gives_tokens_that_open_what_the_person_may(tenant: Tenant, ask: Ask) -> None:
    user = make_user(tenant, "analyst")
    answer = sign_in_program(ask, tenant, user)
    assert answer.status_code == 200, answer.content
    issued = answer.json()
    assert (issued["token_type"], issued["expires_in"], issued["scope"]) == ("Bearer", 900, "")
    assert answer["Cache-Control"] == "no-store"
    seen = me(ask, issued["access_token"]).json()
    assert (seen["id"], seen["kind"], seen["name"]) == (str(user.pk), "user", user.username)
    assert (seen["roles"], seen["credential"], seen["mfa"]) == (["analyst"], "token", False)
    assert seen["tenant"]["slug"] == tenant.slug


def test_a_token_verifies_under_the_published_keys(tenant: Tenant, ask: Ask) -> None:
    """As any other program would: PyJWT and the JWK set, nothing of ours."""
    token = sign_in_program(ask, tenant, make_user(tenant)).json()["access_token"]
    keys = ask("GET", f"/auth/jwks/{tenant.pk}").json()
    header = jwt.get_unverified_header(token)
    assert set(header) == {"alg", "typ", "kid"}
    key = next(key for key in jwt.PyJWKSet.from_dict(keys).keys if key.key_id == header["kid"])
    read = jwt.decode(token, key, algorithms=["EdDSA"], audience="urn:llm-data-vault:rest")
    assert (read["tid"], read["exp"] - read["iat"]) == (str(tenant.pk), 900)
    assert {"d", "k"}.isdisjoint(*keys["keys"])


def test_key_sets_do_not_tell_which_tenants_there_are(tenant: Tenant, ask: Ask) -> None:
    silent, missing = (ask("GET", f"/auth/jwks/{tenant_id}") for tenant_id in (tenant.pk, uuid7()))
    assert (silent.status_code, silent.content) == (missing.status_code, missing.content) == (200, b'{"keys":[]}')


def test_scopes_narrow_a_token(tenant: Tenant, ask: Ask) -> None:
    steward = make_user(tenant, "data_steward")
    token = sign_in_program(ask, tenant, steward, scope="vault.read").json()
    assert token["scope"] == "vault:read"
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert ask("GET", "/datasets", **bearer).status_code == 200
    refused = ask("POST", "/datasets", {"name": "d"}, **bearer)
    assert code_of(refused) == "403 VAULT_AUTHZ_2001"


@pytest.mark.parametrize("scope", ["vault:everything", "dataset.explode", "vault:read root"])
def test_a_scope_that_does_not_exist_is_refused(tenant: Tenant, ask: Ask, scope: str) -> None:
    answer = sign_in_program(ask, tenant, make_user(tenant), scope=scope)
    assert (code_of(answer), answer.json()["error"]) == ("400 VAULT_AUTH_1246", "invalid_scope")


@pytest.mark.parametrize("audience", ["grpc", "live"])
def test_a_token_for_another_surface_opens_nothing_here(tenant: Tenant, ask: Ask, audience: str) -> None:
    token = sign_in_program(ask, tenant, make_user(tenant), audience=audience).json()["access_token"]
    assert code_of(me(ask, token)) == "401 VAULT_AUTH_1240"


@pytest.mark.parametrize("grant", ["authorization_code", "implicit", "", None, 5, "urn:ietf:params:oauth:grant-type:x"])
def test_other_grants_do_not_exist(tenant: Tenant, ask: Ask, grant: Any) -> None:
    answer = ask("POST", "/auth/token", {} if grant is None else {"grant_type": grant})
    assert (code_of(answer), answer.json()["error"]) == ("400 VAULT_AUTH_1244", "unsupported_grant_type")


def test_a_wrong_password_gives_nothing(tenant: Tenant, ask: Ask) -> None:
    answer = sign_in_program(ask, tenant, make_user(tenant), password="not this one")
    assert code_of(answer) == "401 VAULT_AUTH_1005"
    assert not TokenFamily.objects.using("owner").filter(tenant=tenant).exists()


def test_a_password_known_to_others_gives_nothing(tenant: Tenant, ask: Ask) -> None:
    """Who set it may know it still: it is good for changing it, and for nothing else."""
    user = make_user(tenant, "data_steward", must_change_password=True)
    assert code_of(sign_in_program(ask, tenant, user)) == "403 VAULT_AUTH_1008"


def test_who_has_a_second_factor_shows_it(tenant: Tenant, ask: Ask) -> None:
    user, seed = make_user(tenant), totp.new_seed()
    with acting(tenant):
        add_app(user, seed=seed, code=code_for(seed), name="phone")
    assert sign_in_program(ask, tenant, user).status_code == 403
    assert sign_in_program(ask, tenant, user, otp="abcdef").status_code in {401, 403}
    assert not TokenFamily.objects.using("owner").filter(tenant=tenant).exists()
    token = sign_in_program(ask, tenant, user, otp=code_for(seed, ahead=1)).json()["access_token"]
    assert me(ask, token).json()["mfa"] is True


def test_roles_that_need_a_second_factor_get_no_token_without_one(tenant: Tenant, ask: Ask) -> None:
    ask_for_factors(tenant)
    refused = sign_in_program(ask, tenant, make_user(tenant, "tenant_admin"))
    assert refused.status_code == 403
    assert not TokenFamily.objects.using("owner").filter(tenant=tenant).exists()


def test_a_role_given_later_that_needs_a_second_factor_stops_the_token(tenant: Tenant, ask: Ask) -> None:
    ask_for_factors(tenant)
    user = make_user(tenant, "viewer")
    token = sign_in_program(ask, tenant, user).json()["access_token"]
    with acting(tenant):
        bind_role(operator(tenant.pk), role="tenant_admin", user_id=user.pk)
    assert me(ask, token).status_code == 403


def test_a_browser_session_gives_tokens_to_who_has_its_csrf_token(tenant: Tenant, address: str) -> None:
    user = make_user(tenant)
    browser = Client(enforce_csrf_checks=True, REMOTE_ADDR=address)
    browser.cookies["vault_session"] = sign_in(tenant, user)
    body = {"data": {"grant_type": "session"}, "content_type": "application/json"}
    assert browser.post("/api/v1/auth/token", **body).status_code == 403
    browser.cookies["vault_csrf"] = "c" * 32
    given = browser.post("/api/v1/auth/token", headers={"X-CSRFToken": "c" * 32}, **body)
    assert given.status_code == 200, given.content
    assert given.json()["refresh_token"]


def test_an_api_key_gives_an_access_token_and_no_refresh_token(tenant: Tenant, ask: Ask) -> None:
    key, text = make_api_key(tenant, "data_steward", scopes=["vault:read", "dataset.create"])
    answer = ask("POST", "/auth/token", {"grant_type": "api_key", "scope": "vault:read"}, X_API_Key=text)
    issued = answer.json()
    assert "refresh_token" not in issued
    seen = me(ask, issued["access_token"]).json()
    assert (seen["id"], seen["credential"]) == (str(key.pk), "api_key")
    assert "record.read" in seen["scopes"]
    assert "dataset.create" not in seen["scopes"]
    wider = ask("POST", "/auth/token", {"grant_type": "api_key", "scope": "vault:admin"}, X_API_Key=text)
    assert code_of(wider) == "400 VAULT_AUTH_1246"


def test_a_token_does_not_beget_tokens(tenant: Tenant, ask: Ask) -> None:
    _, text = make_api_key(tenant)
    token = ask("POST", "/auth/token", {"grant_type": "api_key"}, X_API_Key=text).json()["access_token"]
    for grant in ("api_key", "session"):
        answer = ask("POST", "/auth/token", {"grant_type": grant}, Authorization=f"Bearer {token}")
        assert code_of(answer) == ("400 VAULT_AUTH_1244" if grant == "api_key" else code_of(answer))
        assert answer.status_code in {400, 401}


def test_a_key_revoked_ends_the_tokens_it_gave(tenant: Tenant, ask: Ask) -> None:
    key, text = make_api_key(tenant)
    token = ask("POST", "/auth/token", {"grant_type": "api_key"}, X_API_Key=text).json()["access_token"]
    assert me(ask, token).status_code == 200
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=key.pk)
    assert code_of(me(ask, token)) == "401 VAULT_AUTH_1004"


def test_a_refresh_token_is_exchanged_once(tenant: Tenant, ask: Ask, events: list[Recorded]) -> None:
    first = sign_in_program(ask, tenant, make_user(tenant)).json()
    second = refresh(ask, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert me(ask, second["access_token"]).status_code == 200
    reused = refresh(ask, first["refresh_token"])
    assert code_of(reused) == "401 VAULT_AUTH_1241"
    theft = [stored.event for stored in events if stored.event.type == EventType.TOKEN_REUSED]
    assert [(event.severity, event.status) for event in theft] == [("warning", "denied")]


def test_a_reused_refresh_token_ends_all_that_descends_from_it(tenant: Tenant, ask: Ask) -> None:
    first = sign_in_program(ask, tenant, make_user(tenant)).json()
    second = refresh(ask, first["refresh_token"]).json()
    refresh(ask, first["refresh_token"])
    assert code_of(refresh(ask, second["refresh_token"])) == "401 VAULT_AUTH_1004"
    for issued in (first, second):
        assert code_of(me(ask, issued["access_token"])) == "401 VAULT_AUTH_1004"


def test_of_two_refreshes_at_once_one_is_a_theft(tenant: Tenant, ask: Ask) -> None:
    token = sign_in_program(ask, tenant, make_user(tenant)).json()["refresh_token"]
    answers, start = [], threading.Barrier(4)

    def run() -> None:
        start.wait()
        answers.append(refresh(ask, token).status_code)
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 401, 401, 401]
    assert TokenFamily.objects.using("owner").get(tenant=tenant).revoked_at is not None


def test_the_database_holds_hashes_of_refresh_tokens_alone(tenant: Tenant, ask: Ask) -> None:
    text = sign_in_program(ask, tenant, make_user(tenant)).json()["refresh_token"]
    row = RefreshToken.objects.using("owner").filter(tenant=tenant).values().get()
    token = Token.parse(text, REFRESH_PREFIX)
    assert bytes(row["secret_hash"]) == hashlib.sha256(token.secret).digest()
    assert text.split("_")[3] not in str(row)


def test_refresh_tokens_end_by_the_clock_of_the_database(tenant: Tenant, ask: Ask) -> None:
    issued = sign_in_program(ask, tenant, make_user(tenant)).json()
    age(RefreshToken.objects.using("owner").get(tenant=tenant), expires_at=timedelta(seconds=1))
    assert code_of(refresh(ask, issued["refresh_token"])) == "401 VAULT_AUTH_1003"
    assert me(ask, issued["access_token"]).status_code == 200
    age(TokenFamily.objects.using("owner").get(tenant=tenant), expires_at=timedelta(seconds=1))
    assert code_of(me(ask, issued["access_token"])) == "401 VAULT_AUTH_1004"


@pytest.mark.parametrize("make", ["stranger", "rival", "key", "nonsense"])
def test_a_refresh_token_that_is_none_is_refused(tenant: Tenant, rival: Tenant, ask: Ask, make: str) -> None:
    text = sign_in_program(ask, tenant, make_user(tenant)).json()["refresh_token"]
    mine = Token.parse(text, REFRESH_PREFIX)
    forged = {
        "stranger": Token.generate(tenant.pk, uuid7(), REFRESH_PREFIX).reveal(),
        "rival": Token(rival.pk, mine.key_id, mine.secret, REFRESH_PREFIX).reveal(),
        "key": make_api_key(tenant)[1],
        "nonsense": "ldr_1_2_3_4",
    }
    assert code_of(refresh(ask, forged[make])) == "401 VAULT_AUTH_1002"
    assert refresh(ask, text).status_code == 200


def test_logout_by_refresh_token_or_access_token_ends_both(tenant: Tenant, ask: Ask) -> None:
    user = make_user(tenant)
    for by in ("refresh", "access"):
        issued = sign_in_program(ask, tenant, user).json()
        body = {"refresh_token": issued["refresh_token"]} if by == "refresh" else {}
        bearer = {} if by == "refresh" else {"Authorization": f"Bearer {issued['access_token']}"}
        assert ask("POST", "/auth/logout", body, **bearer).status_code == 204
        assert code_of(me(ask, issued["access_token"])) == "401 VAULT_AUTH_1004"
        assert code_of(refresh(ask, issued["refresh_token"])) == "401 VAULT_AUTH_1004"


def test_an_api_key_has_nothing_to_log_out_of(tenant: Tenant, ask: Ask) -> None:
    _, text = make_api_key(tenant)
    assert code_of(ask("POST", "/auth/logout", {}, X_API_Key=text)) == "401 VAULT_AUTH_1002"


def test_who_is_disabled_or_loses_the_last_role_is_out_at_once(tenant: Tenant, ask: Ask) -> None:
    """T18's share: the token is fifteen minutes old at most, its worth no older than the request."""
    disabled, bare = make_user(tenant), make_user(tenant)
    tokens = {user.pk: sign_in_program(ask, tenant, user).json() for user in (disabled, bare)}
    with acting(tenant):
        deactivate_user(operator(tenant.pk), user_id=disabled.pk)
        RoleBinding.objects.filter(user=bare).delete()
    for issued in tokens.values():
        assert code_of(me(ask, issued["access_token"])) == "401 VAULT_AUTH_1004"
        assert code_of(refresh(ask, issued["refresh_token"])) == "401 VAULT_AUTH_1004"


def test_every_program_of_a_person_can_be_signed_out(tenant: Tenant, ask: Ask) -> None:
    user = make_user(tenant)
    issued = [sign_in_program(ask, tenant, user).json() for _ in range(2)]
    with acting(tenant):
        assert end_families(user.pk) == 2
    assert {me(ask, each["access_token"]).status_code for each in issued} == {401}


def test_signing_keys_rotate_and_the_old_one_verifies_as_long_as_its_tokens(tenant: Tenant, ask: Ask) -> None:
    user = make_user(tenant)
    old = sign_in_program(ask, tenant, user).json()["access_token"]
    with acting(tenant):
        rotate_signing_key(operator(tenant.pk))
    new = sign_in_program(ask, tenant, user).json()["access_token"]
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    assert {me(ask, token).status_code for token in (old, new)} == {200}
    assert len(ask("GET", f"/auth/jwks/{tenant.pk}").json()["keys"]) == 2
    keys = EncryptionKey.objects.using("owner").filter(tenant=tenant, purpose=KeyPurpose.ACCESS_TOKEN)
    age(keys.get(state="active"), created_at=timedelta(minutes=16))
    assert code_of(me(ask, old)) == "401 VAULT_AUTH_1002"
    assert me(ask, new).status_code == 200
    assert len(ask("GET", f"/auth/jwks/{tenant.pk}").json()["keys"]) == 1


def test_an_old_signing_key_is_renewed_by_its_next_use(tenant: Tenant, ask: Ask) -> None:
    user = make_user(tenant)
    old = sign_in_program(ask, tenant, user).json()["access_token"]
    keys = EncryptionKey.objects.using("owner").filter(tenant=tenant, purpose=KeyPurpose.ACCESS_TOKEN)
    age(keys.get(), created_at=ROTATE_AFTER)
    new = sign_in_program(ask, tenant, user).json()["access_token"]
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    assert sorted(keys.values_list("state", flat=True)) == ["active", "decrypt_only"]


def test_a_destroyed_signing_key_verifies_nothing(tenant: Tenant, ask: Ask) -> None:
    token = sign_in_program(ask, tenant, make_user(tenant)).json()["access_token"]
    keys = EncryptionKey.objects.using("owner").filter(tenant=tenant, purpose=KeyPurpose.ACCESS_TOKEN)
    keys.update(state="destroyed", wrapped=None)
    assert code_of(me(ask, token)) == "401 VAULT_AUTH_1002"


def test_keys_for_other_uses_sign_no_tokens(tenant: Tenant, ask: Ask) -> None:
    """The id of any other key of the keyring, under which somebody might hold a signature."""
    token = sign_in_program(ask, tenant, make_user(tenant)).json()["access_token"]
    header, body, signature = token.split(".")
    for key in EncryptionKey.objects.using("owner").filter(tenant=tenant).exclude(purpose=KeyPurpose.ACCESS_TOKEN):
        stated = json.dumps({"alg": "EdDSA", "typ": "at+jwt", "kid": f"{tenant.pk.hex}.{key.pk.hex}"})
        renamed = base64.urlsafe_b64encode(stated.encode()).rstrip(b"=").decode()
        assert code_of(me(ask, f"{renamed}.{body}.{signature}")) == "401 VAULT_AUTH_1002"
    assert header


@pytest.mark.parametrize("named", ["slug", "id", "rival", "nonsense"])
def test_the_tenant_in_a_header_never_wins(
    tenant: Tenant, rival: Tenant, ask: Ask, events: list[Recorded], named: str
) -> None:
    """T12: it may agree with the credential; else the request is refused, and that recorded."""
    _, text = make_api_key(tenant)
    stated = {"slug": tenant.slug, "id": str(tenant.pk), "rival": rival.slug, "nonsense": "no such tenant"}[named]
    answer = ask("GET", "/me", X_API_Key=text, X_Vault_Tenant=stated)
    if named in {"slug", "id"}:
        assert answer.json()["tenant"]["id"] == str(tenant.pk)
        return
    assert code_of(answer) == "403 VAULT_AUTH_1243"
    refused = [stored for stored in events if stored.event.type == EventType.CREDENTIAL_REFUSED]
    assert [(stored.tenant_id, stored.event.failure_reason) for stored in refused] == [(tenant.pk, "VAULT_AUTH_1243")]


def client_of(tenant: Tenant, *roles: str, **limits: Any) -> tuple[str, str, Any]:
    with acting(tenant):
        boss = operator(tenant.pk)
        account = create_service_account(boss, name=f"account-{uuid7().hex[-8:]}", roles=roles or ("viewer",))
        _, secret = create_api_key(boss, name="secret", service_account_id=account.pk, **limits)
    return str(ClientId(tenant.pk, account.pk)), secret, account


def basic(client_id: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def test_a_client_of_another_library_gets_its_token(tenant: Tenant, ask: Ask) -> None:
    """oauthlib's client writes the request and reads the answer, as requests-oauthlib does."""
    client_id, secret, account = client_of(tenant, "data_scientist")
    client = BackendApplicationClient(client_id)
    uri, headers, body = client.prepare_token_request(
        "https://vault.example/api/v1/auth/token", scope="vault.read vault.export"
    )
    form = dict(pair.split("=", 1) for pair in body.split("&"))
    form["scope"] = "vault.read vault.export"
    answer = ask("POST", "/auth/token", form=form, Authorization=basic(client_id, secret))
    assert answer.status_code == 200, answer.content
    token = client.parse_request_body_response(answer.content.decode(), scope=["vault:export", "vault:read"])
    assert uri.endswith("/auth/token")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    seen = me(ask, token["access_token"]).json()
    assert (seen["id"], seen["name"], seen["roles"]) == (str(account.pk), account.name, ["data_scientist"])
    assert "refresh_token" not in token


def test_a_client_may_name_itself_in_the_body(tenant: Tenant, ask: Ask) -> None:
    client_id, secret, _ = client_of(tenant)
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    assert ask("POST", "/auth/token", form=form).status_code == 200
    assert ask("POST", "/auth/token", form).status_code == 200
    twice = ask("POST", "/auth/token", form=form, Authorization=basic(client_id, secret))
    assert (code_of(twice), twice.json()["error"]) == ("400 VAULT_AUTH_1247", "invalid_request")


def test_a_member_given_twice_is_refused(tenant: Tenant, address: str) -> None:
    body = "grant_type=client_credentials&grant_type=password"
    kind = "application/x-www-form-urlencoded"
    answer = Client(REMOTE_ADDR=address).generic("POST", "/api/v1/auth/token", body, content_type=kind)
    assert code_of(answer) == "400 VAULT_AUTH_1247"


@pytest.mark.parametrize("what", ["secret", "other account", "no account", "revoked", "expired", "disabled", "none"])
def test_a_client_that_proves_nothing_is_told_nothing(tenant: Tenant, rival: Tenant, ask: Ask, what: str) -> None:
    client_id, secret, account = client_of(tenant)
    key = ApiKey.objects.using("owner").get(service_account_id=account.pk)
    if what == "secret":
        secret = Token.generate(tenant.pk, key.pk).reveal()
    elif what == "other account":
        secret = client_of(tenant)[1]
    elif what == "no account":
        secret = make_api_key(tenant)[1]
    elif what == "revoked":
        with acting(tenant):
            revoke_api_key(operator(tenant.pk), key_id=key.pk)
    elif what == "expired":
        age(key, expires_at=timedelta(seconds=1))
    elif what == "disabled":
        with acting(tenant):
            disable_service_account(operator(tenant.pk), account_id=account.pk)
    form = {"grant_type": "client_credentials", "client_id": client_id}
    if what != "none":
        form["client_secret"] = secret
    answer = ask("POST", "/auth/token", form=form)
    assert (code_of(answer), answer.json()["error"]) == ("401 VAULT_AUTH_1245", "invalid_client")


def test_a_disabled_account_stops_with_its_keys_and_tokens(tenant: Tenant, ask: Ask) -> None:
    client_id, secret, account = client_of(tenant)
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": secret}
    token = ask("POST", "/auth/token", form=form).json()["access_token"]
    with acting(tenant):
        disable_service_account(operator(tenant.pk), account_id=account.pk)
    assert code_of(me(ask, token)) == "401 VAULT_AUTH_1004"
    assert code_of(ask("GET", "/me", X_API_Key=secret)) == "401 VAULT_AUTH_1004"


def test_tokens_are_recorded_and_never_written(tenant: Tenant, ask: Ask, events: list[Recorded], caplog: Any) -> None:
    issued = sign_in_program(ask, tenant, make_user(tenant)).json()
    refresh(ask, issued["refresh_token"])
    given = [stored.event for stored in events if stored.event.type == EventType.TOKEN_ISSUED]
    assert [event.metadata["surface"] for event in given] == ["urn:llm-data-vault:rest"] * 2
    for secret in issued["access_token"].split(".")[2], issued["refresh_token"].split("_")[3]:
        assert secret not in repr(events)
        assert secret not in caplog.text


def test_a_new_password_signs_programs_out(tenant: Tenant, ask: Ask) -> None:
    user = make_user(tenant)
    issued = sign_in_program(ask, tenant, user).json()
    with acting(tenant):
        set_password(operator(tenant.pk), user_id=user.pk, password="another long secret 8")
    assert code_of(me(ask, issued["access_token"])) == "401 VAULT_AUTH_1004"
    assert code_of(refresh(ask, issued["refresh_token"])) == "401 VAULT_AUTH_1004"
