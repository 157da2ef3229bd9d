"""Rules of second factors: each proof counts once, from the right place, and guesses are counted (T31, T32)."""

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connections
from django_otp.oath import TOTP
from hypothesis import given
from hypothesis import strategies as st

from access.errors import AccessDenied, GrantTooWide, TooManyAttempts, UserNotFound
from access.factors import recovery, totp, webauthn
from access.factors.errors import FactorNotFound, FactorRefused, LastFactor, TooManyFactors
from access.models import LoginThrottle, RecoveryCode, SecurityKey, Tenant, TotpDevice, User, VaultSession
from access.services.prove import prove_by_app, prove_by_key, prove_by_password, prove_by_recovery_code
from access.services.second_factor import (
    MOST,
    add_app,
    add_key,
    credential,
    factors_of,
    has_factor,
    remove_factor,
    renew_codes,
    reset_factors,
    unused_codes,
)
from access.services.tenants import operator
from tests.factories.access import PASSWORD, acting, make_user, principal_with, sign_in
from tests.factories.authenticator import ORIGIN, RP_ID, SoftwareKey
from tests.factories.factors import ask_for_second_factor, code_for, enrol_app
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded

PARTY = webauthn.RelyingParty(RP_ID, ORIGIN)


def shown(tenant: Tenant, user: User, code: str) -> bool:
    try:
        with acting(tenant):
            prove_by_app(user, code)
    except FactorRefused:
        return False
    return True


def enrol_key(tenant: Tenant, user: User, **facts) -> SoftwareKey:
    key, challenge = SoftwareKey(**facts), secrets.token_bytes(32)
    with acting(tenant):
        add_key(user, party=PARTY, challenge=challenge, response=key.make(challenge), name="Key")
    return key


def key_holds(tenant: Tenant, user: User, key: SoftwareKey, challenge: bytes = b"c" * 32, **wrong) -> bool:
    try:
        with acting(tenant):
            prove_by_key(user, party=PARTY, challenge=b"c" * 32, response=key.show(challenge, **wrong))
    except FactorRefused:
        return False
    return True


def test_a_code_holds_once(tenant: Tenant) -> None:
    user = make_user(tenant)
    code = code_for(enrol_app(tenant, user))
    assert shown(tenant, user, f" {code[:3]} {code[3:]} ")
    assert not shown(tenant, user, code)


def test_a_code_older_than_one_used_does_not_hold(tenant: Tenant) -> None:
    user = make_user(tenant)
    seed = enrol_app(tenant, user)
    late = code_for(seed, ahead=-1)
    assert shown(tenant, user, code_for(seed))
    assert not shown(tenant, user, late)


def test_the_code_that_added_an_app_does_not_hold_again(tenant: Tenant) -> None:
    user, seed = make_user(tenant), totp.new_seed()
    code = code_for(seed)
    with acting(tenant):
        add_app(user, seed=seed, code=code, name="Phone")
    assert not shown(tenant, user, code)
    assert shown(tenant, user, code_for(seed, ahead=1))


@pytest.mark.parametrize(("ahead", "holds"), [(-2, False), (-1, True), (0, True), (1, True), (2, False), (20, False)])
def test_clocks_may_differ_by_one_step(ahead: int, holds: bool) -> None:
    seed = totp.new_seed()
    # At the border of a step a second may pass in between: then the code is one step older than meant.
    found = [totp.matching_step(seed, code_for(seed, ahead=ahead), after=-1) is not None for _ in range(2)]
    assert holds in found


@pytest.mark.parametrize(
    "code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "-12345", "12 34 5", "0x1234", "1" * 5000]
)
def test_what_is_no_code_is_refused(code: str) -> None:
    assert totp.matching_step(totp.new_seed(), code, after=-1) is None


def test_codes_are_those_of_rfc_6238() -> None:
    app = TOTP(b"12345678901234567890", digits=8)
    app.time = 1111111109
    assert app.token() == 7081804


def test_parallel_uses_of_one_code_hold_once(tenant: Tenant) -> None:
    user = make_user(tenant)
    code, barrier = code_for(enrol_app(tenant, user)), Barrier(4)

    def use(_: int) -> bool:
        try:
            barrier.wait(timeout=30)
            return shown(tenant, user, code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_a_used_code_stays_used_when_the_scope_around_it_fails(tenant: Tenant) -> None:
    user = make_user(tenant)
    code = code_for(enrol_app(tenant, user))
    with pytest.raises(ZeroDivisionError), acting(tenant):
        prove_by_app(user, code)
        raise ZeroDivisionError
    assert not shown(tenant, user, code)


def test_guesses_are_counted_and_locked_though_each_is_refused(tenant: Tenant) -> None:
    user = make_user(tenant)
    seed = enrol_app(tenant, user)
    assert [shown(tenant, user, "000000") for _ in range(6)] == [False] * 6
    LoginThrottle.objects.using("owner").filter(tenant=tenant).update(locked_until="2999-01-01T00:00Z")
    for prove in (
        lambda: prove_by_app(user, code_for(seed)),
        lambda: prove_by_recovery_code(user, "A" * 24),
        lambda: prove_by_password(user, PASSWORD),
        lambda: prove_by_key(user, party=PARTY, challenge=b"c" * 32, response="{}"),
    ):
        with pytest.raises(TooManyAttempts), acting(tenant):
            prove()


def test_a_right_code_forgives_the_wrong_ones(tenant: Tenant) -> None:
    user = make_user(tenant)
    seed = enrol_app(tenant, user)
    for _ in range(4):
        shown(tenant, user, "000000")
    assert shown(tenant, user, code_for(seed))
    assert {row.failures for row in LoginThrottle.objects.using("owner").filter(tenant=tenant)} == {0}


def test_the_seed_is_sealed_and_bound_to_its_device(tenant: Tenant) -> None:
    victim, thief = make_user(tenant), make_user(tenant)
    seed = enrol_app(tenant, victim)
    enrol_app(tenant, thief)
    devices = TotpDevice.objects.using("owner")
    sealed = devices.get(user=victim).sealed
    assert seed not in bytes(sealed)
    devices.filter(user=thief).update(sealed=sealed)
    with pytest.raises(Exception, match="could not be opened"):
        shown(tenant, thief, code_for(seed))


def test_what_an_app_reads_names_vault_and_person() -> None:
    uri = urlsplit(totp.enrolment_uri(b"12345678901234567890", issuer="LLM Data Vault", account="eve/é (Larkspur)"))
    facts = {name: value[0] for name, value in parse_qs(uri.query).items()}
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert facts == {
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "issuer": "LLM Data Vault",
        "algorithm": "SHA1",
        "digits": "6",
        "period": "30",
    }
    assert totp.qr_image(uri.geturl()).startswith("data:image/svg+xml;base64,")


def test_a_security_key_holds(tenant: Tenant) -> None:
    user = make_user(tenant)
    key = enrol_key(tenant, user)
    assert key_holds(tenant, user, key)
    assert key_holds(tenant, user, key)
    row = SecurityKey.objects.using("owner").get(user=user)
    assert (row.sign_count, row.transports) == (2, ["usb"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://localhost"},
        {"origin": "http://localhost.evil.example"},
        {"origin": "http://localhost:8000"},
        {"rp_id": "evil.example"},
        {"type": "webauthn.create"},
        {"flags": 0x00},
        {"challenge": b"d" * 32},
        {"private": SoftwareKey().private},
    ],
    ids="-".join,
)
def test_an_answer_from_elsewhere_or_for_something_else_is_refused(tenant: Tenant, wrong: dict) -> None:
    """T32."""
    user = make_user(tenant)
    key = enrol_key(tenant, user)
    assert not key_holds(tenant, user, key, **wrong)
    assert key_holds(tenant, user, key)


@pytest.mark.parametrize("count", [0, 4, 5])
def test_a_counter_that_does_not_grow_tells_a_copied_key(tenant: Tenant, count: int) -> None:
    user = make_user(tenant)
    key = enrol_key(tenant, user, count=4)
    assert key_holds(tenant, user, key, count=5)
    assert not key_holds(tenant, user, key, count=count)


def test_a_passkey_that_never_counts_holds(tenant: Tenant) -> None:
    user = make_user(tenant)
    key = enrol_key(tenant, user)
    assert [key_holds(tenant, user, key, count=0) for _ in range(2)] == [True, True]


def test_another_persons_key_proves_nothing(tenant: Tenant, rival: Tenant) -> None:
    user, other = make_user(tenant), make_user(tenant)
    key = enrol_key(tenant, user)
    assert not key_holds(tenant, other, key)
    theirs = make_user(rival)
    assert not key_holds(rival, theirs, key)


@pytest.mark.parametrize(
    "wrong", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"type": "webauthn.get"}]
)
def test_a_key_made_for_elsewhere_is_not_added(tenant: Tenant, wrong: dict) -> None:
    user, key = make_user(tenant), SoftwareKey()
    with pytest.raises(FactorRefused), acting(tenant):
        add_key(user, party=PARTY, challenge=b"c" * 32, response=key.make(b"c" * 32, **wrong), name="Key")
    assert not SecurityKey.objects.using("owner").filter(user=user).exists()


def test_a_key_is_added_once(tenant: Tenant) -> None:
    user, key = make_user(tenant), SoftwareKey()
    for expected in (False, True):
        with acting(tenant):
            refused = False
            try:
                add_key(user, party=PARTY, challenge=b"c" * 32, response=key.make(b"c" * 32), name="Key")
            except FactorRefused:
                refused = True
        assert refused is expected


@given(st.one_of(st.text(max_size=200), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "authenticatorData", "signature",
                         "attestationObject", "transports"]), inner, max_size=6),
    max_leaves=12).map(json.dumps)))  # fmt: skip
def test_no_answer_at_all_is_refused_without_failing(response: str) -> None:
    known = webauthn.Credential(b"c" * 32, b"k", 0)
    for look in (
        lambda: bytes(webauthn.named_credential(response)),
        lambda: webauthn.verify_response(PARTY, known, challenge=b"c", response=response),
        lambda: webauthn.read_new_credential(PARTY, challenge=b"c", response=response),
    ):
        try:
            look()
        except FactorRefused:
            continue
        assert look is not None


def test_a_broken_stored_key_is_refused_without_failing() -> None:
    key = SoftwareKey()
    known = webauthn.Credential(key.credential_id, b"no COSE", 0)
    with pytest.raises(FactorRefused):
        webauthn.verify_response(PARTY, known, challenge=b"c" * 32, response=key.show(b"c" * 32))


def test_a_response_of_megabytes_is_not_parsed() -> None:
    with pytest.raises(FactorRefused):
        webauthn.named_credential("[" * 2_000_000)


def test_recovery_codes_have_120_bits_and_one_use(tenant: Tenant) -> None:
    user, codes = make_user(tenant), []
    enrol_app(tenant, user, codes=codes)
    assert len(set(codes)) == recovery.COUNT == 10
    assert all(len(code.replace("-", "")) * 5 == 120 for code in codes)
    for expected in (None, FactorRefused):
        with pytest.raises(expected) if expected else acting(tenant), acting(tenant):
            prove_by_recovery_code(user, codes[0])
    with acting(tenant):
        assert unused_codes(user.pk) == 9


def test_recovery_codes_are_read_as_people_write_them() -> None:
    (code, *_) = recovery.new_codes()
    expected = recovery.code_hash(code)
    misread = code.replace("O", "0").replace("I", "1").replace("B", "8").lower().replace("-", "  ")
    assert recovery.code_hash(misread) == expected
    for wrong in ("", "A" * 23, "A" * 25, "é" * 24, "A" * 5000):
        assert recovery.code_hash(wrong) is None


def test_only_the_first_factor_brings_codes_and_new_ones_end_the_old(tenant: Tenant) -> None:
    user, codes = make_user(tenant), []
    enrol_app(tenant, user, codes=codes)
    seed = totp.new_seed()
    with acting(tenant):
        assert add_app(user, seed=seed, code=code_for(seed), name="Second") == []
    with acting(tenant):
        assert set(renew_codes(user)).isdisjoint(codes)
    with pytest.raises(FactorRefused), acting(tenant):
        prove_by_recovery_code(user, codes[0])


def test_codes_for_who_has_no_factor_are_refused(tenant: Tenant) -> None:
    with pytest.raises(FactorNotFound), acting(tenant):
        renew_codes(make_user(tenant))


def test_nobody_removes_what_is_not_theirs(tenant: Tenant) -> None:
    mine, theirs = make_user(tenant), make_user(tenant)
    enrol_app(tenant, mine)
    enrol_app(tenant, theirs)
    other = TotpDevice.objects.using("owner").get(user=theirs)
    with pytest.raises(FactorNotFound), acting(tenant):
        remove_factor(mine, factor_id=other.pk)
    assert TotpDevice.objects.using("owner").filter(pk=other.pk).exists()


def test_the_last_factor_stays_where_a_role_asks_for_one(tenant: Tenant) -> None:
    user = make_user(tenant, "analyst")
    enrol_app(tenant, user)
    ask_for_second_factor(tenant, "analyst")
    device = TotpDevice.objects.using("owner").get(user=user)
    with pytest.raises(LastFactor), acting(tenant):
        remove_factor(user, factor_id=device.pk)


def test_factors_have_names_and_a_limit(tenant: Tenant) -> None:
    user = make_user(tenant)
    for name in ("", "   ", "x" * 61, "line\nbreak"):
        with pytest.raises(InvalidInput), acting(tenant):
            add_app(user, seed=b"s" * 20, code=code_for(b"s" * 20), name=name)
    for _ in range(MOST):
        enrol_key(tenant, user)
    with pytest.raises(TooManyFactors), acting(tenant):
        add_app(user, seed=b"s" * 20, code=code_for(b"s" * 20), name="One more")
    with acting(tenant):
        assert len(factors_of(user.pk)) == MOST


def test_lost_factors_are_reset_by_who_may_do_as_much(tenant: Tenant) -> None:
    user = make_user(tenant, "analyst")
    enrol_app(tenant, user)
    sign_in(tenant, make_user(tenant))
    with pytest.raises(AccessDenied), acting(tenant, principal_with(tenant, "analyst")) as scope:
        reset_factors(scope.principal, user_id=user.pk)
    with pytest.raises(GrantTooWide), acting(tenant, principal_with(tenant, "security_officer")) as scope:
        reset_factors(scope.principal, user_id=user.pk)
    with pytest.raises(UserNotFound), acting(tenant):
        reset_factors(operator(tenant.pk), user_id=operator(tenant.pk).id)
    with acting(tenant):
        reset_factors(operator(tenant.pk), user_id=user.pk)
        assert not has_factor(user.pk)
    assert not RecoveryCode.objects.using("owner").filter(user=user).exists()
    assert not VaultSession.objects.using("owner").filter(user=user).exists()


def test_every_proof_and_change_is_recorded_once_without_its_secret(tenant: Tenant, events: list[Recorded]) -> None:
    user, codes = make_user(tenant), []
    seed = enrol_app(tenant, user, codes=codes)
    events.clear()
    code = code_for(seed)
    shown(tenant, user, code)
    shown(tenant, user, code)
    with acting(tenant):
        renew_codes(user)
    told = [(one.event.type, one.event.status, one.event.failure_reason) for one in events]
    assert told == [
        (EventType.FACTOR_SHOWN, "success", ""),
        (EventType.FACTOR_SHOWN, "denied", "VAULT_AUTH_1202"),
        (EventType.FACTOR_CHANGED, "success", ""),
    ]
    said = " ".join(str(dict(one.event.metadata)) for one in events)
    assert code not in said
    assert not any(one in said for one in codes)


def test_a_credential_is_what_was_stored(tenant: Tenant) -> None:
    user = make_user(tenant)
    key = enrol_key(tenant, user)
    with acting(tenant):
        row = SecurityKey.objects.get(user=user)
    assert credential(row).id == key.credential_id
