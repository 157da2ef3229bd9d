"""Rules of sessions."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse

from access.auth.resolver import RequestPrincipalResolver
from access.auth.sessions import PURPOSE_KEY, SessionStore
from access.errors import AuthenticationRequired, SessionEnded
from access.models import RoleBinding, Tenant, VaultSession
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.grants import bind_role, revoke_binding
from access.services.sessions import end_session, login
from access.services.tenants import operator
from access.services.users import change_own_password, set_password
from access.tasks import purge_expired
from tests.factories.access import PASSWORD, acting, age, make_request, make_user, principal_with, sign_in
from vaultsite.kernel.errors import IntegrityFailure
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.tenancy.principal import Principal


def resolve(cookie: str) -> Principal:
    return RequestPrincipalResolver().resolve(make_request(cookie=cookie))


def row_of(cookie: str) -> VaultSession:
    return VaultSession.objects.using("owner").get(key_hash=hashlib.sha256(cookie.encode()).digest())


def test_a_session_proves_its_user(tenant: Tenant) -> None:
    user = make_user(tenant, "analyst")
    principal = resolve(sign_in(tenant, user))
    assert (principal.id, principal.kind, principal.tenant_id) == (user.pk, "user", tenant.pk)
    assert (principal.roles, principal.credential) == ({"analyst"}, "session")


def test_the_resolved_user_is_the_request_s_user(tenant: Tenant) -> None:
    user = make_user(tenant)
    request = make_request(cookie=sign_in(tenant, user))
    RequestPrincipalResolver().resolve(request)
    assert request.user.pk == user.pk


def test_the_database_holds_neither_key_nor_data_in_the_clear(tenant: Tenant) -> None:
    user = make_user(tenant)
    cookie = sign_in(tenant, user)
    row = row_of(cookie)
    assert str(user.pk).encode() not in bytes(row.sealed)
    assert b"_auth_user" not in bytes(row.sealed)
    assert cookie.partition(".")[2].encode() not in bytes(row.key_hash) + bytes(row.sealed)


def test_sealed_data_moved_to_another_session_does_not_open(tenant: Tenant) -> None:
    victim, thief = (sign_in(tenant, make_user(tenant)) for _ in range(2))
    VaultSession.objects.using("owner").filter(pk=row_of(thief).pk).update(sealed=row_of(victim).sealed)
    with pytest.raises(IntegrityFailure):
        resolve(thief)


def test_signing_in_gives_a_new_key_and_ends_the_session_that_was_there(tenant: Tenant) -> None:
    before = sign_in(tenant, make_user(tenant))
    after = sign_in(tenant, make_user(tenant), cookie=before)
    assert after != before
    assert resolve(after)
    with pytest.raises(SessionEnded):
        resolve(before)


def test_a_key_chosen_by_the_attacker_is_never_adopted(tenant: Tenant) -> None:
    planted = f"{tenant.pk.hex}.{'A' * 43}"
    assert sign_in(tenant, make_user(tenant), cookie=planted) != planted
    with pytest.raises(SessionEnded):
        resolve(planted)


def test_a_session_may_follow_one_of_another_tenant(tenant: Tenant, rival: Tenant) -> None:
    theirs = sign_in(rival, make_user(rival))
    mine = sign_in(tenant, make_user(tenant), cookie=theirs)
    assert resolve(mine).tenant_id == tenant.pk
    with pytest.raises(SessionEnded):
        resolve(theirs)


def test_before_signing_in_nothing_is_stored_and_no_cookie_set() -> None:
    before = VaultSession.objects.using("owner").count()
    session = SessionStore()
    session["seen"] = "yes"
    assert session["seen"] == "yes"
    session.save()
    assert (session.session_key, session.is_empty()) == (None, True)
    assert VaultSession.objects.using("owner").count() == before


@pytest.mark.parametrize(
    "cookie", ["", "x", "a.b", f"{'0' * 32}.short", "'; DROP TABLE", f"{'g' * 32}.{'A' * 43}", "é" * 76]
)
def test_what_is_no_session_key_is_nobody(cookie: str) -> None:
    with pytest.raises(AuthenticationRequired):
        resolve(cookie)


def test_a_session_of_no_known_tenant_is_over() -> None:
    with pytest.raises(SessionEnded):
        resolve(f"{'0' * 32}.{'A' * 43}")


def test_a_key_does_not_hold_under_another_tenant(tenant: Tenant, rival: Tenant) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    with pytest.raises(SessionEnded):
        resolve(f"{rival.pk.hex}.{cookie.partition('.')[2]}")


@pytest.mark.parametrize("moments", [{"last_seen_at": timedelta(minutes=31)}, {"expires_at": timedelta(seconds=1)}])
def test_an_idle_or_old_session_is_over(tenant: Tenant, moments: dict[str, timedelta]) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    assert resolve(cookie)
    age(row_of(cookie), **moments)
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_being_seen_is_written_at_most_once_a_minute_and_never_moves_the_end(tenant: Tenant) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    first = row_of(cookie)
    resolve(cookie)
    assert row_of(cookie).last_seen_at == first.last_seen_at
    age(first, last_seen_at=timedelta(minutes=5))
    resolve(cookie)
    assert row_of(cookie).last_seen_at >= first.last_seen_at
    assert row_of(cookie).expires_at == first.expires_at


def test_disabling_a_user_ends_all_sessions_and_enabling_revives_none(tenant: Tenant) -> None:
    user = make_user(tenant)
    cookies = [sign_in(tenant, user) for _ in range(2)]
    with acting(tenant):
        deactivate_user(operator(tenant.pk), user_id=user.pk)
    with acting(tenant):
        reactivate_user(operator(tenant.pk), user_id=user.pk)
    for cookie in cookies:
        with pytest.raises(SessionEnded):
            resolve(cookie)
    assert resolve(sign_in(tenant, user))


def test_a_user_disabled_behind_our_back_is_out_with_the_next_request(tenant: Tenant) -> None:
    user = make_user(tenant)
    cookie = sign_in(tenant, user)
    type(user).objects.using("owner").filter(pk=user.pk).update(is_active=False)
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_a_role_change_takes_effect_with_the_next_request(tenant: Tenant) -> None:
    user = make_user(tenant, "viewer")
    cookie = sign_in(tenant, user)
    with acting(tenant):
        bind_role(operator(tenant.pk), role="data_steward", user_id=user.pk)
    assert resolve(cookie).roles == {"viewer", "data_steward"}
    RoleBinding.objects.using("owner").filter(user=user, role__code="data_steward").delete()
    assert resolve(cookie).roles == {"viewer"}


def test_the_last_role_takes_the_session_with_it(tenant: Tenant) -> None:
    user = make_user(tenant, "viewer")
    cookie = sign_in(tenant, user)
    binding = RoleBinding.objects.using("owner").get(user=user)
    with acting(tenant):
        revoke_binding(operator(tenant.pk), binding_id=binding.pk)
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_an_expired_role_takes_the_session_with_it(tenant: Tenant) -> None:
    user = make_user(tenant, "viewer")
    cookie = sign_in(tenant, user)
    age(RoleBinding.objects.using("owner").get(user=user), expires_at=timedelta(seconds=1))
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_a_new_password_ends_every_session(tenant: Tenant) -> None:
    user = make_user(tenant)
    cookie = sign_in(tenant, user)
    with acting(tenant):
        set_password(operator(tenant.pk), user_id=user.pk, password="another long secret 8")
    with pytest.raises(SessionEnded):
        resolve(cookie)
    cookie = sign_in(tenant, user, password="another long secret 8")
    with acting(tenant, principal_with(tenant, "viewer", id=user.pk)) as scope:
        change_own_password(scope.principal, current="another long secret 8", password="a third long secret 9")
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_a_password_changed_behind_our_back_ends_the_session(tenant: Tenant) -> None:
    user = make_user(tenant)
    cookie = sign_in(tenant, user)
    user.set_password("another long secret 8")
    type(user).objects.using("owner").filter(pk=user.pk).update(password=user.password)
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_signing_out_deletes_the_session(tenant: Tenant, events: list[Recorded]) -> None:
    user = make_user(tenant)
    cookie = sign_in(tenant, user)
    end_session(make_request(cookie=cookie))
    assert not VaultSession.objects.using("owner").filter(user=user).exists()
    with pytest.raises(SessionEnded):
        resolve(cookie)
    (recorded,) = [recorded for recorded in events if recorded.event.type == EventType.LOGOUT]
    assert recorded.principal.id == user.pk


def test_signing_out_twice_is_harmless(tenant: Tenant) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    for value in (cookie, cookie, ""):
        end_session(make_request(cookie=value))


def test_a_session_signed_out_elsewhere_does_not_come_back_to_life(tenant: Tenant) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    slow = SessionStore(cookie)
    slow["seen"] = "yes"
    end_session(make_request(cookie=cookie))
    with pytest.raises(UpdateError):
        slow.save()
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_a_session_keeps_what_is_put_into_it(tenant: Tenant) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    session = SessionStore(cookie)
    session[PURPOSE_KEY] = "debugging"
    session.save()
    assert SessionStore(cookie)[PURPOSE_KEY] == "debugging"
    assert resolve(cookie).purpose == "debugging"


def test_a_dead_session_is_recorded_under_its_tenant(tenant: Tenant, events: list[Recorded]) -> None:
    with pytest.raises(SessionEnded):
        resolve(f"{tenant.pk.hex}.{'A' * 43}")
    (recorded,) = events
    assert (recorded.tenant_id, recorded.event.failure_reason) == (tenant.pk, "VAULT_AUTH_1007")


def test_ended_sessions_of_every_tenant_are_purged_and_live_ones_kept(tenant: Tenant, rival: Tenant) -> None:
    dead = [sign_in(home, make_user(home)) for home in (tenant, rival)]
    live = sign_in(tenant, make_user(tenant))
    for cookie in dead:
        age(row_of(cookie), expires_at=timedelta(seconds=1))
    purge_expired()
    keys = [hashlib.sha256(cookie.encode()).digest() for cookie in dead]
    assert not VaultSession.objects.using("owner").filter(key_hash__in=keys).exists()
    assert resolve(live)


def through_middleware(view: Callable[[HttpRequest], HttpResponse], cookie: str = "") -> HttpResponse:
    request = make_request()
    request.COOKIES = {settings.SESSION_COOKIE_NAME: cookie} if cookie else {}
    return SessionMiddleware(view)(request)


def test_a_browser_gets_its_cookie_by_signing_in_and_not_before(tenant: Tenant) -> None:
    user = make_user(tenant)

    def look(request: HttpRequest) -> HttpResponse:
        request.session["seen"] = "yes"
        return HttpResponse()

    def enter(request: HttpRequest) -> HttpResponse:
        login(request, tenant_slug=tenant.slug, username=user.username, password=PASSWORD)
        return HttpResponse()

    assert settings.SESSION_COOKIE_NAME not in through_middleware(look).cookies
    cookie = through_middleware(enter).cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    assert resolve(cookie.value).id == user.pk


def test_a_browser_forgets_a_cookie_that_is_over(tenant: Tenant) -> None:
    cookie = sign_in(tenant, make_user(tenant))
    end_session(make_request(cookie=cookie))

    def look(request: HttpRequest) -> HttpResponse:
        assert request.session.get("anything") is None
        return HttpResponse()

    assert through_middleware(look, cookie).cookies[settings.SESSION_COOKIE_NAME]["max-age"] == 0
