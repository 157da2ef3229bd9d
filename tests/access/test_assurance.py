"""Rules of what is asked beyond a password: fresh proofs, second factors by role and data, few sessions (T31, T33)."""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import connections
from django.utils import timezone

from access.auth.resolver import RequestPrincipalResolver
from access.auth.sessions import SessionStore
from access.errors import AccessDenied, LoginRefused, SessionEnded, TooManyAttempts
from access.factors.errors import SecondFactorRequired, SessionNotFound, StepUpRequired
from access.models import SignInPolicy, Tenant, User, VaultSession
from access.policy.builtin import RULES
from access.selectors import still_holds
from access.services.assurance import (
    MFA_ROLES,
    RELEASING,
    STEP_UP,
    missing_proof,
    require_step_up,
    sign_in_rules,
)
from access.services.authorize import authorize
from access.services.browsers import (
    all_sessions,
    end_other_sessions,
    end_own_session,
    own_sessions,
    revoke_session,
    revoke_sessions_of,
)
from access.services.sessions import Stage, admit, check_login, renew_proof, start_session
from access.services.sign_in_rules import CLASSIFICATIONS, set_sign_in_rules
from access.services.tenants import create_tenant, operator
from datasets.models.dataset import Classification
from tests.factories.access import acting, hold_locks, make_request, make_user, principal_with, sign_in
from tests.factories.factors import ask_for_second_factor, enrol_app
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

RESTRICTED = ResourceRef("dataset", str(uuid4()), classification="restricted")
WRONG = "a wrong but long secret"


def resolve(cookie: str) -> Principal:
    return RequestPrincipalResolver().resolve(make_request(cookie=cookie))


def long_ago(tenant: Tenant, *roles: str, **changed) -> Principal:
    return principal_with(tenant, *roles, **{"authenticated_at": timezone.now() - timedelta(minutes=16), **changed})


def test_what_asks_for_more_are_known_actions() -> None:
    assert RULES.keys() >= STEP_UP >= {"audit.export", "subscription.manage", "webhook.manage"}
    assert RULES.keys() >= RELEASING
    assert {"record.read", "export.create", "token.reveal"} <= RELEASING
    assert not RELEASING & {"dataset.list", "dataset.read", "version.read"}


def test_classifications_are_those_that_datasets_have() -> None:
    assert list(CLASSIFICATIONS) == [choice.value for choice in Classification]


@pytest.mark.parametrize("action", sorted(STEP_UP))
def test_a_sensitive_act_asks_for_a_fresh_proof(tenant: Tenant, events: list[Recorded], action: str) -> None:
    for principal in (long_ago(tenant, "tenant_admin"), long_ago(tenant, "tenant_admin", authenticated_at=None)):
        events.clear()
        with pytest.raises(StepUpRequired), acting(tenant, principal):
            authorize(principal, action, ResourceRef("anything"))
        (recorded,) = events
        assert (recorded.event.status, recorded.event.failure_reason) == ("denied", "VAULT_AUTH_1201")
    fresh = principal_with(tenant, "tenant_admin")
    with acting(tenant, fresh):
        assert authorize(fresh, action, ResourceRef("anything")).effect == "allow"


def test_what_no_role_permits_says_nothing_of_proofs(tenant: Tenant) -> None:
    principal = long_ago(tenant, "viewer")
    with pytest.raises(AccessDenied), acting(tenant, principal):
        authorize(principal, "role.manage", ResourceRef("role"))


def test_what_is_not_sensitive_asks_for_none(tenant: Tenant) -> None:
    principal = long_ago(tenant, "tenant_admin")
    with acting(tenant, principal):
        assert authorize(principal, "user.read", ResourceRef("user")).effect == "allow"


def test_programs_prove_themselves_with_every_request(tenant: Tenant) -> None:
    program = long_ago(tenant, "tenant_admin", kind="service", credential="api_key:x", authenticated_at=None)
    with acting(tenant, program):
        assert authorize(program, "key.rotate", ResourceRef("encryption_key")).effect == "allow"


def test_a_proof_stands_as_long_as_is_asked(tenant: Tenant) -> None:
    principal = principal_with(tenant, authenticated_at=timezone.now() - timedelta(minutes=5))
    require_step_up(principal, timedelta(minutes=6))
    with pytest.raises(StepUpRequired):
        require_step_up(principal, timedelta(minutes=4))


def test_data_of_some_classifications_takes_a_second_factor(tenant: Tenant) -> None:
    ask_for_second_factor(tenant, mfa_classifications=["restricted"])
    bare, proved = principal_with(tenant, "data_steward"), principal_with(tenant, "data_steward", mfa=True)
    program = principal_with(tenant, "service", kind="service", credential="api_key:x")
    with acting(tenant):
        assert isinstance(missing_proof(bare, "record.read", RESTRICTED), SecondFactorRequired)
        assert missing_proof(bare, "dataset.read", RESTRICTED) is None
        assert missing_proof(bare, "record.read", ResourceRef("dataset", classification="pii")) is None
        assert missing_proof(proved, "record.read", RESTRICTED) is None
        assert missing_proof(program, "record.read", RESTRICTED) is None
    with pytest.raises(SecondFactorRequired), acting(tenant, bare):
        authorize(bare, "record.read", RESTRICTED, purpose="debugging")


def test_a_tenant_without_rules_has_safe_ones(tenant: Tenant) -> None:
    SignInPolicy.objects.using("owner").filter(tenant=tenant).delete()
    with acting(tenant):
        rules = sign_in_rules()
    assert rules.mfa_roles == MFA_ROLES == {"privacy_officer", "security_officer", "tenant_admin"}
    made = create_tenant(slug=f"made-{uuid4().hex[:8]}", name="Made")
    assert SignInPolicy.objects.using("owner").get(tenant=made).mfa_roles == sorted(MFA_ROLES)
    with pytest.raises(InvalidInput):
        create_tenant(slug=f"made-{uuid4().hex[:8]}", name="Made", mfa_roles=["no-such-role"])


def test_rules_that_make_no_sense_are_refused_together(tenant: Tenant) -> None:
    with pytest.raises(InvalidInput) as refused, acting(tenant):
        set_sign_in_rules(
            operator(tenant.pk),
            mfa_roles=["viewer", "no-such-role"],
            mfa_classifications=["secret"],
            step_up_minutes=0,
            max_sessions=101,
        )
    named = {problem.field for problem in refused.value.errors}
    assert named == {"mfa_roles", "mfa_classifications", "step_up_minutes", "max_sessions"}


def test_a_password_leads_as_far_as_rules_and_factors_allow(tenant: Tenant) -> None:
    ask_for_second_factor(tenant, "auditor")
    plain, asked, able = make_user(tenant, "viewer"), make_user(tenant, "auditor"), make_user(tenant, "viewer")
    enrol_app(tenant, able)
    assert admit(make_request(), plain) is Stage.SIGNED_IN
    assert admit(make_request(), asked) is Stage.ADD_FACTOR
    assert admit(make_request(), able) is Stage.SHOW_FACTOR
    assert admit(make_request(), able, mfa=True) is Stage.SIGNED_IN


def test_who_is_half_signed_in_is_nobody(tenant: Tenant, events: list[Recorded]) -> None:
    user = make_user(tenant, "data_steward")
    enrol_app(tenant, user)
    events.clear()
    cookie = sign_in(tenant, user)
    with pytest.raises(SecondFactorRequired):
        resolve(cookie)
    told = [str(one.event.type) for one in events]
    assert told == ["auth.login.continued", "auth.credential.refused"]


@pytest.mark.parametrize("change", ["disabled", "new password"])
def test_who_is_half_signed_in_ends_with_the_user(tenant: Tenant, change: str) -> None:
    user = make_user(tenant, "viewer")
    enrol_app(tenant, user)
    cookie = sign_in(tenant, user)
    if change == "disabled":
        User.objects.using("owner").filter(pk=user.pk).update(is_active=False)
    else:
        user.set_password("quite another secret 9")
        User.objects.using("owner").filter(pk=user.pk).update(password=user.password)
    with pytest.raises(SessionEnded):
        resolve(cookie)


def test_a_session_says_when_and_how_it_was_proved(tenant: Tenant) -> None:
    user, request = make_user(tenant), make_request()
    before = timezone.now()
    start_session(request, user, mfa=True)
    principal = resolve(request.session.session_key)
    assert principal.mfa
    assert before <= principal.authenticated_at <= timezone.now()
    assert principal.session_id == request.session.row_id
    assert not resolve(sign_in(tenant, user)).mfa


def test_a_new_proof_gives_the_session_another_key_and_no_longer_life(tenant: Tenant) -> None:
    """T33."""
    user = make_user(tenant)
    old = sign_in(tenant, user)
    row = VaultSession.objects.using("owner").get(user=user)
    VaultSession.objects.using("owner").filter(pk=row.pk).update(expires_at=timezone.now() + timedelta(minutes=3))
    slow, request = SessionStore(old), make_request(cookie=old)
    slow["seen"] = "before"
    renew_proof(request, mfa=True)
    request.session.save()
    with pytest.raises(SessionEnded):
        resolve(old)
    principal = resolve(request.session.session_key)
    assert (principal.mfa, principal.session_id) == (True, row.pk)
    assert VaultSession.objects.using("owner").get(user=user).expires_at <= timezone.now() + timedelta(minutes=3)
    with pytest.raises(UpdateError):  # whoever holds the old key writes nothing
        slow.save()
    assert resolve(request.session.session_key).mfa


def test_more_sessions_than_allowed_end_the_least_used(tenant: Tenant, events: list[Recorded]) -> None:
    ask_for_second_factor(tenant, max_sessions=2)
    user = make_user(tenant)
    first, second = sign_in(tenant, user), sign_in(tenant, user)
    VaultSession.objects.using("owner").filter(pk=resolve(second).session_id).update(
        last_seen_at=timezone.now() - timedelta(minutes=10)
    )
    third = sign_in(tenant, user)
    assert resolve(first)
    assert resolve(third)
    with pytest.raises(SessionEnded):
        resolve(second)
    assert [one.event.metadata["act"] for one in events if one.event.type == EventType.SESSION_ENDED] == ["limit"]


def test_parallel_sign_ins_do_not_exceed_the_limit(tenant: Tenant) -> None:
    ask_for_second_factor(tenant, max_sessions=2)
    user, barrier = make_user(tenant), Barrier(4)

    def enter(_: int) -> str:
        try:
            barrier.wait(timeout=60)
            return sign_in(tenant, user)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))
    assert VaultSession.objects.using("owner").filter(user=user).count() == 2


def test_half_signed_in_browsers_push_no_session_out(tenant: Tenant) -> None:
    ask_for_second_factor(tenant, max_sessions=1)
    user, request = make_user(tenant), make_request()
    start_session(request, user, mfa=True)
    enrol_app(tenant, user)
    for _ in range(3):
        sign_in(tenant, user)
    assert resolve(request.session.session_key)


def test_people_see_and_end_their_own_sessions_alone(tenant: Tenant) -> None:
    user, other = make_user(tenant), make_user(tenant)
    mine = [resolve(sign_in(tenant, user, ip=f"192.0.2.{n}")) for n in (7, 8)]
    theirs = resolve(sign_in(tenant, other))
    with acting(tenant, mine[0]):
        seen = own_sessions(mine[0])
        assert {one.address for one in seen} == {"192.0.2.7", "192.0.2.8"}
        assert {one.user.pk for one in seen} == {user.pk}
    with pytest.raises(SessionNotFound), acting(tenant, mine[0]):
        end_own_session(mine[0], session_id=theirs.session_id)
    with acting(tenant, mine[0]):
        assert end_other_sessions(mine[0]) == 1
    assert [str(row.pk) for row in VaultSession.objects.using("owner").filter(user=user)] == [str(mine[0].session_id)]


def test_addresses_and_browsers_are_sealed(tenant: Tenant) -> None:
    user = make_user(tenant)
    sign_in(tenant, user, ip="198.51.100.23", **{"User-Agent": "Canary/1.0"})
    row = VaultSession.objects.using("owner").get(user=user)
    stored = b" ".join(str(value).encode() for value in vars(row).values()) + bytes(row.sealed)
    assert b"198.51.100.23" not in stored
    assert b"Canary" not in stored


@pytest.mark.parametrize("role", ["viewer", "data_steward", "auditor", "privacy_officer"])
def test_who_does_not_manage_sessions_ends_nobodys(tenant: Tenant, role: str) -> None:
    victim = resolve(sign_in(tenant, make_user(tenant)))
    principal = principal_with(tenant, role)
    for act in (
        lambda: all_sessions(principal),
        lambda: revoke_session(principal, session_id=victim.session_id),
        lambda: revoke_sessions_of(principal, user_id=victim.id),
    ):
        with pytest.raises(AccessDenied), acting(tenant, principal):
            act()


def test_a_revoked_session_is_over_within_a_second_for_requests_and_streams(tenant: Tenant) -> None:
    user = make_user(tenant, "analyst")
    cookie = sign_in(tenant, user)
    principal, officer = resolve(cookie), principal_with(tenant, "security_officer")
    with acting(tenant):
        assert still_holds(principal)
    with acting(tenant, officer):
        assert [one.user.pk for one in all_sessions(officer, user_id=user.pk)] == [user.pk]
        revoke_session(officer, session_id=principal.session_id)
    with pytest.raises(SessionEnded):
        resolve(cookie)
    with acting(tenant):
        assert not still_holds(principal)
    with pytest.raises(SessionNotFound), acting(tenant, officer):
        revoke_session(officer, session_id=principal.session_id)


def test_another_tenants_sessions_are_not_there(tenant: Tenant, rival: Tenant) -> None:
    theirs = resolve(sign_in(rival, make_user(rival)))
    officer = principal_with(tenant, "security_officer")
    with pytest.raises(SessionNotFound), acting(tenant, officer):
        revoke_session(officer, session_id=theirs.session_id)
    with acting(tenant, officer):
        assert all_sessions(officer) == []
        assert revoke_sessions_of(officer, user_id=theirs.id) == 0
    assert VaultSession.objects.using("owner").filter(pk=theirs.session_id).exists()


def guess(tenant: Tenant, username: str, ip: str, **headers: str) -> type[Exception]:
    try:
        check_login(make_request(ip=ip, **headers), tenant_slug=tenant.slug, username=username, password=WRONG)
    except (LoginRefused, TooManyAttempts) as refusal:
        return type(refusal)
    raise AssertionError


def test_guesses_from_many_addresses_are_bounded_for_each_name(tenant: Tenant) -> None:
    """T31: distributed; no header, no address and no spelling of the name walks around the brake."""
    make_user(tenant, username="eve")

    def guess_from(n: int) -> type[Exception]:
        name = "eve" if n % 2 else "EVE"
        return guess(tenant, name, f"2001:db8:{n:x}::1", **{"X-Forwarded-For": f"203.0.113.{n}"})

    assert {guess_from(n) for n in range(21)} == {LoginRefused}
    hold_locks()
    assert {guess_from(n) for n in range(21, 25)} == {TooManyAttempts}


def test_one_place_locks_itself_out_and_nobody_else(tenant: Tenant) -> None:
    user = make_user(tenant)
    for _ in range(6):
        guess(tenant, user.username, "198.51.100.7")
    hold_locks()
    assert guess(tenant, user.username, "198.51.100.7") is TooManyAttempts
    assert guess(tenant, user.username, "198.51.100.8") is LoginRefused


def test_an_ipv6_network_is_one_address(tenant: Tenant) -> None:
    user = make_user(tenant)
    for n in range(1, 7):
        guess(tenant, user.username, f"2001:db8::{n:x}")
    hold_locks()
    assert guess(tenant, user.username, "2001:db8::7") is TooManyAttempts
    assert guess(tenant, user.username, "2001:db8:0:1::1") is LoginRefused


def test_a_known_name_takes_as_long_as_an_unknown_one(tenant: Tenant) -> None:
    """T31: medians over interleaved attempts; the quick hasher of the tests makes a difference of work show more."""
    users = [make_user(tenant).username for _ in range(15)]
    taken: dict[bool, list[float]] = {True: [], False: []}
    for number, username in enumerate(users):
        for is_known in (True, False) if number % 2 else (False, True):
            name = username if is_known else f"nobody-{uuid4().hex[:8]}"
            started = time.thread_time()
            guess(tenant, name, f"198.51.100.{number}")
            taken[is_known].append(time.thread_time() - started)
    ratio = statistics.median(taken[True]) / statistics.median(taken[False])
    assert 0.6 < ratio < 1.6
