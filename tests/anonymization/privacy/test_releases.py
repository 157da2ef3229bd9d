"""The release ledger: what recipients who put everything together must not learn."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django.utils import timezone

from access.errors import AccessDenied
from access.services.api_keys import create_api_key
from access.services.tenants import operator
from anonymization.models import Release, ReleaseSegment
from anonymization.privacy.errors import (
    InvalidRelease,
    OwnRelease,
    ReasonMissing,
    ReleaseNotFound,
    ReleaseWithdrawn,
    ReleaseWouldIsolate,
)
from anonymization.services.releases import (
    admit,
    attest_recipient,
    copies_out,
    ledger_key,
    live_releases,
    merge_releases,
    revoke_attestation,
    subject_key,
    value_key,
    withdraw_release,
)
from audit.models import AuditEvent
from tests.factories.access import acting, age, principal_with


def release(tenant, family: UUID, classes: dict[str, str], **facts) -> Release:
    """Subject -> class; values follow the subject unless given as subject -> (class, value, more values)."""
    with acting(tenant):
        key = ledger_key()
        pairs = {who: said if isinstance(said, tuple) else (said, who) for who, said in classes.items()}
        rows = [
            (subject_key(key, who), group.encode(), [value_key(key, value) for value in values])
            for who, (group, *values) in pairs.items()
        ]
        return admit(family_id=family, classes=rows, **({"recipient": uuid4(), "k": 5} | facts))


def people(first: int, last: int, group: str = "a") -> dict[str, str]:
    return {f"person-{number}": group for number in range(first, last)}


def test_a_version_minus_the_next_isolates_who_left(tenant):
    family = uuid4()
    release(tenant, family, people(0, 6), version="1")
    with pytest.raises(ReleaseWouldIsolate) as refused:
        release(tenant, family, people(0, 5), version="2")
    assert refused.value.extra == {"guarantee": "k", "required": 5, "subjects_at_risk": 1, "releases": 1}
    assert "person" not in str(refused.value) + str(refused.value.as_problem())


def test_the_same_version_partitioned_anew_is_refused(tenant):
    family = uuid4()
    release(tenant, family, people(0, 5) | people(5, 10, "b"))
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, family, people(0, 3) | people(7, 10) | people(3, 7, "b") | people(10, 11, "b"))


def test_overlapping_filters_are_refused(tenant):
    family = uuid4()
    release(tenant, family, people(0, 12))
    with pytest.raises(ReleaseWouldIsolate) as refused:
        release(tenant, family, people(8, 20))
    assert refused.value.extra["subjects_at_risk"] == 4


def test_disjoint_subjects_and_the_same_classes_again_are_admitted(tenant):
    family = uuid4()
    release(tenant, family, people(0, 6))
    release(tenant, family, people(6, 12))
    release(tenant, family, people(0, 6))
    with acting(tenant):
        assert live_releases(family).count() == 3


def test_a_release_is_held_to_its_own_k(tenant):
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, uuid4(), people(0, 4))


def test_a_copy_of_the_dataset_is_the_same_family_once_that_is_known(tenant):
    original, copy = uuid4(), uuid4()
    release(tenant, original, people(0, 6))
    with acting(tenant):
        merge_releases(original, copy)
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, copy, people(0, 5))


def test_families_that_merge_bring_their_releases(tenant):
    one, other = uuid4(), uuid4()
    release(tenant, one, people(0, 6))
    release(tenant, other, people(0, 5))
    with acting(tenant):
        merge_releases(one, other)
    with acting(tenant):
        assert live_releases(one).count() == 2
    with pytest.raises(ReleaseWouldIsolate):  # what is out there breaks the promise already
        release(tenant, one, people(100, 110))


def test_another_family_is_nobodys_business(tenant):
    release(tenant, uuid4(), people(0, 6))
    release(tenant, uuid4(), people(0, 5))


def test_values_of_a_cell_are_held_to_l(tenant):
    family = uuid4()
    ill = {f"person-{number}": ("a", "flu" if number < 5 else "cold") for number in range(10)}
    release(tenant, family, ill, l=2)
    with pytest.raises(ReleaseWouldIsolate) as refused:
        release(tenant, family, {who: (value, value) for who, (_, value) in ill.items()})
    assert refused.value.extra["guarantee"] == "l"


def test_a_recipient_attested_not_to_share_is_held_against_its_own_releases(tenant):
    family, apart = uuid4(), uuid4()
    officer = principal_with(tenant, "privacy_officer")
    release(tenant, family, people(0, 6))
    with acting(tenant, officer):
        attest_recipient(officer, recipient=apart, reason="contract 12 forbids sharing")
    release(tenant, family, people(0, 5), recipient=apart)
    release(tenant, family, people(0, 6))  # nor is what others get held against that recipient's
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, family, people(0, 7), recipient=apart)
    with acting(tenant, officer):
        revoke_attestation(officer, recipient=apart, reason="the contract ended")
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, family, people(0, 6))


def test_an_attestation_that_has_expired_holds_no_longer(tenant):
    family, apart = uuid4(), uuid4()
    officer = principal_with(tenant, "privacy_officer")
    release(tenant, family, people(0, 6))
    with acting(tenant, officer):
        attest_recipient(officer, recipient=apart, reason="a contract", expires_at=timezone.now() - timedelta(1))
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, family, people(0, 5), recipient=apart)


def test_a_release_whose_time_is_over_is_held_against_others_until_somebody_attests_that_it_is_gone(tenant):
    family = uuid4()
    old = release(tenant, family, people(0, 6), expires_at=timezone.now() + timedelta(days=1))
    age(old, expires_at=timedelta(days=1))
    with pytest.raises(ReleaseWouldIsolate):
        release(tenant, family, people(0, 5))
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        assert (old.state_at(timezone.now()), [row.pk for row in copies_out()]) == ("live", [old.pk])
        old.refresh_from_db()
        assert old.state_at(timezone.now()) == "overdue"
        assert ReleaseSegment.objects.filter(release=old).exists()
        withdraw_release(officer, release_id=old.pk, reason="seen to be gone")
    release(tenant, family, people(0, 5))


def test_nobody_attests_about_an_own_copy_in_person_or_by_an_api_key(tenant):
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        key, _ = create_api_key(officer_with_keys(tenant, officer), name="mine", roles=("analyst",))
    for recipient in (officer.id, key.pk):
        mine = release(tenant, uuid4(), people(0, 6), recipient=recipient)
        with acting(tenant, officer), pytest.raises(OwnRelease):
            withdraw_release(officer, release_id=mine.pk, reason="it is gone")
        with acting(tenant, officer), pytest.raises(OwnRelease):
            attest_recipient(officer, recipient=recipient, reason="I share nothing")


def officer_with_keys(tenant, officer):
    """The same person, who may make API keys."""
    return replace(officer, permissions=operator(tenant.pk).permissions)


def test_every_sensitive_column_is_held_to_l(tenant):
    """In the cells that both releases leave, the first column keeps two values and the second one."""
    family = uuid4()
    ill = {f"person-{n}": ("a", f"hue-{n % 2}", "flu" if n < 5 else "cold") for n in range(10)}
    release(tenant, family, ill, l=2)
    with pytest.raises(ReleaseWouldIsolate) as refused:
        release(tenant, family, {who: (value, hue, value) for who, (_, hue, value) in ill.items()})
    assert refused.value.extra["guarantee"] == "l"
    release(tenant, family, {who: ("b", hue) for who, (_, hue, _) in ill.items()}, l=2)


def test_withdrawing_needs_permission_and_reason_and_frees_the_way(tenant):
    family = uuid4()
    old = release(tenant, family, people(0, 6))
    analyst, officer = principal_with(tenant, "analyst"), principal_with(tenant, "privacy_officer")
    with pytest.raises(AccessDenied), acting(tenant, analyst):
        withdraw_release(analyst, release_id=old.pk, reason="deleted")
    with pytest.raises(ReasonMissing), acting(tenant, officer):
        withdraw_release(officer, release_id=old.pk, reason="")
    with pytest.raises(ReleaseNotFound), acting(tenant, officer):
        withdraw_release(officer, release_id=uuid4(), reason="deleted")
    with acting(tenant, officer):
        withdraw_release(officer, release_id=old.pk, reason="the recipient attests deletion")
    with pytest.raises(ReleaseWithdrawn), acting(tenant, officer):
        withdraw_release(officer, release_id=old.pk, reason="deleted")
    release(tenant, family, people(0, 5))
    with acting(tenant):
        assert not ReleaseSegment.objects.filter(release=old).exists()
        types = set(AuditEvent.objects.values_list("type", flat=True))
        assert {"privacy.release.admitted", "privacy.release.withdrawn"} <= types


@pytest.mark.parametrize("facts", [{"k": 0}, {"l": 0}])
def test_a_release_without_a_promise_is_refused(tenant, facts):
    with pytest.raises(InvalidRelease):
        release(tenant, uuid4(), people(0, 6), **facts)


def test_a_subject_key_that_is_no_key_is_refused(tenant):
    with pytest.raises(InvalidRelease), acting(tenant):
        admit(family_id=uuid4(), recipient=uuid4(), k=1, classes=[(b"ada", b"a", [])])


def test_two_releases_at_once_are_judged_one_after_the_other(tenant):
    family = uuid4()
    both = threading.Barrier(2)

    def ask(classes: dict[str, str]) -> bool:
        try:
            both.wait(timeout=60)
            release(tenant, family, classes)
        except ReleaseWouldIsolate:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(ask, [people(0, 6), people(0, 5)])) == [False, True]


def test_signatures_are_sealed(tenant):
    made = release(tenant, uuid4(), people(0, 6))
    with acting(tenant):
        sealed = bytes(made.segments.get().sealed)
        key = subject_key(ledger_key(), "person-0")
    assert key[:8] not in sealed
    assert made.subjects == 6
    assert made.classes == 1
