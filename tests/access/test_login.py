"""Rules of signing in: silent about who exists, and slower with every wrong guess."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib import import_module
from threading import Barrier
from typing import ClassVar

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connections
from django.test import override_settings

from access.errors import LoginRefused, TooManyAttempts
from access.models import LoginThrottle, RoleBinding, Tenant, User
from access.services.deprovisioning import deactivate_user
from access.services.sessions import check_login
from access.services.tenants import operator
from access.services.throttle import LONGEST_LOCK, Brake
from access.tasks import purge_expired
from tests.factories.access import PASSWORD, acting, age, hold_locks, make_request, make_user, sign_in
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID

WRONG = "a wrong but long secret"


def attempt(slug: str, username: str, password: str = WRONG, ip: str = "") -> User:
    return check_login(make_request(ip=ip), tenant_slug=slug, username=username, password=password)


def exhaust(slug: str, username: str) -> None:
    """The free attempts and the one that locks."""
    for _ in range(6):
        with pytest.raises(LoginRefused):
            attempt(slug, username)


def throttles(tenant: Tenant) -> list[LoginThrottle]:
    return list(LoginThrottle.objects.using("owner").filter(tenant=tenant))


def test_the_right_password_opens(tenant: Tenant) -> None:
    user = make_user(tenant)
    assert attempt(tenant.slug, user.username, PASSWORD) == user


def test_passwords_are_argon2id_at_a_cost_that_slows_guessing(tenant: Tenant) -> None:
    assert make_user(tenant).password.startswith("argon2$argon2id$")
    assert [f"{Argon2PasswordHasher.__module__}.{Argon2PasswordHasher.__name__}"] == import_module(
        "vaultsite.settings"
    ).PASSWORD_HASHERS
    assert Argon2PasswordHasher.memory_cost >= 19 * 1024  # KiB; OWASP Password Storage Cheat Sheet


def test_the_same_name_in_another_tenant_is_another_user(tenant: Tenant, rival: Tenant) -> None:
    make_user(tenant, username="eve", password="the first long secret")
    theirs = make_user(rival, username="eve", password="the second long secret")
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, "eve", "the second long secret")
    assert attempt(rival.slug, "eve", "the second long secret") == theirs


def test_who_cannot_sign_in_is_refused_alike(tenant: Tenant) -> None:
    known, disabled, idle = (make_user(tenant) for _ in range(3))
    with acting(tenant):
        deactivate_user(operator(tenant.pk), user_id=disabled.pk)
    RoleBinding.objects.using("owner").filter(user=idle).delete()
    refusals = []
    for slug, username, password in (
        (tenant.slug, known.username, WRONG),
        (tenant.slug, "nobody-of-that-name", PASSWORD),
        (tenant.slug, disabled.username, PASSWORD),
        (tenant.slug, idle.username, PASSWORD),
        ("no-such-tenant", known.username, PASSWORD),
        ("platform", known.username, PASSWORD),
        ("NOT A SLUG\x00", known.username, PASSWORD),
        (tenant.slug, "nul\x00byte", PASSWORD),
        (tenant.slug, "surrogate\ud800", PASSWORD),
        (tenant.slug, known.username, "surrogate\ud800"),
        (tenant.slug, known.username, "x" * 100_000),
        (tenant.slug, known.username, ""),
        (tenant.slug, "", ""),
    ):
        with pytest.raises(LoginRefused) as raised:
            attempt(slug, username, password)
        refusals.append(raised.value.as_problem())
    assert all(refusal == refusals[0] for refusal in refusals)


class CountingHasher(Argon2PasswordHasher):
    """The site's hasher, which notes each hash it computes."""

    computed: ClassVar[list[str]] = []

    def encode(self, password: str, salt: str) -> str:
        self.computed.append("encode")
        return str(super().encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        self.computed.append("verify")
        return bool(super().verify(password, encoded))


@pytest.mark.parametrize("who", ["known", "unknown user", "unknown tenant", "disabled"])
def test_every_refusal_costs_one_hash(tenant: Tenant, who: str) -> None:
    user = make_user(tenant)
    if who == "disabled":
        with acting(tenant):
            deactivate_user(operator(tenant.pk), user_id=user.pk)
    slug = "no-such-tenant" if who == "unknown tenant" else tenant.slug
    username = "nobody-of-that-name" if who == "unknown user" else user.username
    counting = override_settings(PASSWORD_HASHERS=[f"{__name__}.{CountingHasher.__name__}"])
    CountingHasher.computed.clear()
    with counting, pytest.raises(LoginRefused):
        attempt(slug, username)
    assert len(CountingHasher.computed) == 1


@pytest.mark.parametrize("exists", [True, False])
def test_a_name_is_locked_after_its_free_attempts_whether_or_not_it_exists(tenant: Tenant, exists: bool) -> None:
    username = make_user(tenant).username if exists else "nobody-of-that-name"
    exhaust(tenant.slug, username)
    hold_locks()
    for password in (WRONG, PASSWORD):
        with pytest.raises(TooManyAttempts):
            attempt(tenant.slug, username, password)


def test_a_name_of_an_unknown_tenant_is_locked_too() -> None:
    slug = "no-such-tenant-at-all"
    LoginThrottle.objects.using("owner").filter(tenant_id=PLATFORM_TENANT_ID).delete()
    exhaust(slug, "somebody")
    hold_locks()
    with pytest.raises(TooManyAttempts):
        attempt(slug, "somebody")


def test_spelling_a_name_otherwise_is_the_same_name(tenant: Tenant) -> None:
    user = make_user(tenant, username="eve")
    exhaust(tenant.slug, "EVE")
    hold_locks()
    with pytest.raises(TooManyAttempts):
        attempt(tenant.slug, user.username, PASSWORD)


def test_counters_survive_the_refusal_of_the_scope_around_them(tenant: Tenant) -> None:
    user = make_user(tenant)
    for _ in range(3):
        with pytest.raises(LoginRefused), acting(tenant):
            attempt(tenant.slug, user.username)
    assert [row.failures for row in throttles(tenant)] == [3]


def test_parallel_guesses_do_not_slip_through(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    an_hour = timedelta(hours=1)
    monkeypatch.setattr(Brake, "lock_after", lambda brake, failures: an_hour if failures > brake.free else None)
    user = make_user(tenant)
    barrier = Barrier(8)

    def guess(_: int) -> str:
        try:
            barrier.wait(timeout=20)
            attempt(tenant.slug, user.username)
        except LoginRefused:
            return "looked at"
        except TooManyAttempts:
            return "locked"
        finally:
            connections.close_all()
        return "open"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(guess, range(8)))
    assert answers.count("looked at") == 6
    assert answers.count("locked") == 2


def test_the_lock_ends_and_grows_with_the_next_failure(tenant: Tenant) -> None:
    user = make_user(tenant)
    exhaust(tenant.slug, user.username)
    (row,) = throttles(tenant)
    first = row.locked_until - row.last_failed_at
    age(row, locked_until=timedelta(seconds=1))
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, user.username)
    (row,) = throttles(tenant)
    assert row.locked_until - row.last_failed_at == 2 * first
    age(row, locked_until=timedelta(seconds=1))
    assert attempt(tenant.slug, user.username, PASSWORD) == user


def test_the_longest_lock_is_bounded() -> None:
    brake = Brake("username", "eve", free=5)
    assert brake.lock_after(5) is None
    assert brake.lock_after(6) == timedelta(seconds=2)
    assert brake.lock_after(10_000) == LONGEST_LOCK


def test_the_right_password_clears_the_name(tenant: Tenant) -> None:
    user = make_user(tenant)
    for _ in range(4):
        with pytest.raises(LoginRefused):
            attempt(tenant.slug, user.username)
    attempt(tenant.slug, user.username, PASSWORD)
    assert [row.failures for row in throttles(tenant)] == [0]


def test_a_quiet_time_forgets_failures(tenant: Tenant) -> None:
    user = make_user(tenant)
    exhaust(tenant.slug, user.username)
    (row,) = throttles(tenant)
    age(row, locked_until=timedelta(minutes=16), last_failed_at=timedelta(minutes=16))
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, user.username)
    assert [row.failures for row in throttles(tenant)] == [1]


def test_an_address_that_tries_many_names_is_locked(tenant: Tenant) -> None:
    user = make_user(tenant)
    for number in range(31):
        with pytest.raises(LoginRefused):
            attempt(tenant.slug, f"name-{number}", "short", ip="198.51.100.7")
    hold_locks()
    with pytest.raises(TooManyAttempts):
        attempt(tenant.slug, user.username, PASSWORD, ip="198.51.100.7")
    assert attempt(tenant.slug, user.username, PASSWORD, ip="198.51.100.8") == user


def test_a_header_cannot_change_the_address(tenant: Tenant) -> None:
    user = make_user(tenant)
    for number in range(6):
        request = make_request(**{"X-Forwarded-For": f"203.0.113.{number}"})
        with pytest.raises(LoginRefused):
            check_login(request, tenant_slug=tenant.slug, username=user.username, password=WRONG)
    assert len(throttles(tenant)) == 3  # name, address, and the two together: as if no header were there


def test_counters_name_nobody(tenant: Tenant) -> None:
    user = make_user(tenant, username="eve@example.com")
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, user.username, ip="198.51.100.9")
    stored = str(list(LoginThrottle.objects.using("owner").filter(tenant=tenant).values())).encode()
    assert b"eve" not in stored
    assert b"198.51" not in stored


def test_forgotten_counters_are_purged_and_locks_kept(tenant: Tenant) -> None:
    exhaust(tenant.slug, "somebody")
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, "somebody-else")
    old, kept = sorted(throttles(tenant), key=lambda row: row.failures)
    age(old, last_failed_at=timedelta(hours=1))
    purge_expired()
    assert throttles(tenant) == [kept]


def test_every_attempt_is_recorded_once(tenant: Tenant, events: list[Recorded]) -> None:
    user = make_user(tenant)
    events.clear()
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, user.username)
    with pytest.raises(LoginRefused):
        attempt(tenant.slug, "nobody-of-that-name")
    with pytest.raises(LoginRefused):
        attempt("no-such-tenant", "nobody")
    sign_in(tenant, user)
    told = [(str(one.event.type), one.event.status, one.tenant_id, one.event.resource.id) for one in events]
    assert told == [
        ("auth.login.failed", "denied", tenant.pk, str(user.pk)),
        ("auth.login.failed", "denied", tenant.pk, ""),
        ("auth.login.failed", "denied", PLATFORM_TENANT_ID, ""),
        ("auth.login.succeeded", "success", tenant.pk, str(user.pk)),
    ]


def test_a_locked_attempt_is_recorded_too(tenant: Tenant, events: list[Recorded]) -> None:
    exhaust(tenant.slug, "somebody")
    hold_locks()
    events.clear()
    with pytest.raises(TooManyAttempts):
        attempt(tenant.slug, "somebody")
    (recorded,) = events
    assert (recorded.event.type, recorded.event.failure_reason) == (EventType.LOGIN_FAILED, "VAULT_AUTH_1006")
