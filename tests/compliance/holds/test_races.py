"""T73: a hold and a deletion at the same instant, in both orders: what was held when the hold stood is there after."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_rotation import confirm_destruction, request_destruction, rotate_key
from compliance.holds.place import place_hold
from datasets.errors import DatasetHeld, DatasetNotFound
from datasets.models import Chunk, Dataset, HoldMark, Version
from datasets.services.erasure import work
from datasets.services.erasure.work import run_erasure
from datasets.services.keys import load_keys
from datasets.services.lifecycle import delete_dataset, purge_dataset
from datasets.services.pack_reader import PackReader
from datasets.services.rotation.request import uses_at_stake
from datasets.tree.reader import find
from tests.compliance.holds.cases import MATTER, counsel, custodian_of, place, release, subject, version, whole
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.upkeep import again, queue_erasure

ADA = "ada.lovelace@example.com"
SCOPES = {
    "dataset": whole,
    "version": lambda dataset: version(dataset, "main"),
    "subject": lambda dataset: subject(dataset, ADA),
}


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)


def readable(tenant, dataset) -> bool:
    """Whether Ada's record can be read from the dataset's only version, whatever its state; in an open scope."""
    known = Dataset.objects.filter(pk=dataset.pk, purged_at=None).first()
    root = Version.objects.filter(dataset=dataset).values_list("root", flat=True).first()
    if known is None or root is None:
        return False
    return find(PackReader(load_keys(dataset.pk)), bytes(root), "r0") is not None


def at_once(*acts: Callable[[], object]) -> None:
    """Each in a thread of its own, begun at the same instant; what they raise that no test expects is raised here."""
    start, failures = threading.Barrier(len(acts)), []

    def run(act):
        try:
            start.wait()
            act()
        except Exception as error:  # noqa: BLE001 - of another thread: raised below
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not [thread for thread in threads if thread.is_alive()]
    if failures:
        raise failures[0]


def delete(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with suppress(DatasetHeld, DatasetNotFound), acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)


def purge(tenant, dataset):
    steward = someone(tenant, "data_steward")
    with suppress(DatasetHeld, DatasetNotFound), acting(tenant, steward):
        purge_dataset(steward, dataset_id=dataset.pk)


def erase(tenant, dataset):
    with suppress(DatasetHeld, DatasetNotFound):
        run_erasure(tenant.pk, queue_erasure(tenant, dataset, ["r0"]).pk)


DELETIONS = {"delete": delete, "purge": purge, "erase": erase}


def holding(tenant, dataset, scope, seen):
    """Places a hold when called; ``seen``: whether the data was there at the moment from which it is to be kept."""
    by, custodian = counsel(tenant), custodian_of(tenant)

    def place_it():
        with suppress(DatasetNotFound), acting(tenant, by):
            wanted = [SCOPES[scope](dataset)]
            place_hold(by, matter=MATTER, reason="A claim", custodian=custodian, wanted=wanted)
            seen.append(readable(tenant, dataset))

    return place_it


@given(
    scope=st.sampled_from(sorted(SCOPES)),
    deletions=st.lists(st.sampled_from(sorted(DELETIONS)), min_size=1, max_size=2, unique=True),
    begins=st.booleans(),
)
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_a_hold_found_is_there_after_whatever_deletes_at_the_same_instant(
    tenant, scope, deletions, begins
) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}, {"id": "r1", "text": "Nothing"}]))
    seen = []
    acts = [holding(tenant, dataset, scope, seen)]
    acts += [lambda name=name: DELETIONS[name](tenant, dataset) for name in deletions]
    at_once(*(acts if begins else reversed(acts)))
    with acting(tenant):
        is_there = readable(tenant, dataset)
        assert HoldMark.objects.filter(dataset=dataset).exists() == bool(seen)
    assert is_there or seen in ([], [False])
    if seen == [True]:  # and it stays, with nobody in a hurry any more
        for deletion in DELETIONS.values():
            deletion(tenant, dataset)
        with acting(tenant):
            assert readable(tenant, dataset)


@given(first_releases=st.booleans())
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_release_at_the_instant_of_another_hold_and_a_deletion_frees_nothing_of_it(tenant, first_releases) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}]))
    first = place(tenant, whole(dataset))
    seen = []
    acts = [
        lambda: release(tenant, first),
        holding(tenant, dataset, "subject", seen),
        lambda: purge(tenant, dataset),
    ]
    at_once(*(acts if first_releases else reversed(acts)))
    with acting(tenant):
        assert readable(tenant, dataset) == (seen == [True])


def test_of_a_hold_and_the_end_of_a_key_one_sees_the_other(tenant) -> None:
    for turn in range(4):
        dataset = make_dataset(tenant)
        upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}]))
        first, second = (principal_with(tenant, "security_officer") for _ in range(2))
        with acting(tenant, first):
            old = EncryptionKey.objects.get(purpose=KeyPurpose.DATASET, scope_id=dataset.pk)
            rotate_key(KeyPurpose.DATASET, dataset.pk)
            request_destruction(first, key_id=old.pk, reason="old")
        at_hold, by, custodian = [], counsel(tenant), custodian_of(tenant)

        def hold(dataset=dataset, old=old, at_hold=at_hold, by=by, custodian=custodian):
            with acting(tenant, by):
                place_hold(by, matter=MATTER, reason="A claim", custodian=custodian, wanted=[whole(dataset)])
                at_hold.append(EncryptionKey.objects.get(pk=old.pk).state)

        def end(second=second, old=old):
            with suppress(DatasetHeld), acting(tenant, second):
                confirm_destruction(second, key_id=old.pk, count_uses=uses_at_stake, accepts_loss=True)

        at_once(*((hold, end) if turn % 2 else (end, hold)))
        with acting(tenant):
            assert [EncryptionKey.objects.get(pk=old.pk).state] == at_hold
            assert Chunk.objects.filter(dataset=dataset, key_id=old.pk).exists()
        assert at_hold[0] in {KeyState.DECRYPT_ONLY, KeyState.DESTROYED}


def test_two_holds_that_name_the_same_datasets_wait_for_each_other_in_one_order(tenant) -> None:
    first, second = sorted((make_dataset(tenant) for _ in range(2)), key=lambda one: one.pk)
    for dataset in (first, second):
        upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}]))
    acts = [holding_all(tenant, first, second), holding_all(tenant, second)]
    threads = [threading.Thread(target=at_once, args=(act,)) for act in acts]
    with acting(tenant):  # nobody goes on to the tenant's keys before both have begun
        list(EncryptionKey.objects.select_for_update().filter(scope_id=tenant.pk))
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_until_stuck(number)
    for thread in threads:
        thread.join(timeout=60)
    with acting(tenant):
        assert sorted(HoldMark.objects.values_list("dataset_id", flat=True)) == [first.pk, second.pk, second.pk]


def holding_all(tenant, *datasets):
    by, custodian = counsel(tenant), custodian_of(tenant)

    def place_it():
        with acting(tenant, by):
            wanted = [whole(dataset) for dataset in datasets]
            place_hold(by, matter=MATTER, reason="A claim", custodian=custodian, wanted=wanted)

    return place_it


def wait_until_stuck(number: int) -> None:
    """Until so many sessions of this database wait for a lock."""
    stuck = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees the sessions of its first look
            cursor.execute(stuck)
            if cursor.fetchone()[0] >= number:
                return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_an_erasure_that_a_hold_overtakes_ends_as_refused(tenant) -> None:
    """Whichever comes first: it has either succeeded before the hold, or failed and taken nothing."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}]))
    erasure = queue_erasure(tenant, dataset, ["r0"])
    seen = []
    at_once(lambda: run_erasure(tenant.pk, erasure.pk), holding(tenant, dataset, "subject", seen))
    ended = again(tenant, erasure)
    with acting(tenant):
        assert readable(tenant, dataset) == seen[0]
    assert (ended.status, seen[0]) in {("succeeded", False), ("failed", True), ("failed", False)}
