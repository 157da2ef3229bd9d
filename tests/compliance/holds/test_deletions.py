"""Every path that deletes, one by one: what a hold keeps stays, and what it does not keep goes."""

from datetime import UTC, datetime, timedelta

import pytest

from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_rotation import confirm_destruction, request_destruction, rotate_key
from datasets.errors import DatasetHeld
from datasets.models import Chunk, Dataset, Draft, HeldRecord, HoldMark, Purge, StagedKind, StagedRecord, Version
from datasets.services.branches import create_branch, delete_branch, move_branch
from datasets.services.drafts.expire import expire_drafts
from datasets.services.drafts.open import DraftFacts, discard_draft, open_draft
from datasets.services.erasure import work
from datasets.services.erasure.work import run_erasure
from datasets.services.hold_search import find_held_records, find_records_of
from datasets.services.holds import keep_records
from datasets.services.lifecycle import delete_dataset, purge_dataset
from datasets.services.purge import run_purge
from datasets.services.quarantine_review import discard_quarantined, list_quarantined
from datasets.services.rotation.request import uses_at_stake
from tests.compliance.holds.cases import MATTER, counsel, place, query, release, subject, version, whole
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.detectors import detecting
from tests.factories.upkeep import again, collect, erase, queue_erasure

ADA, BOB = "ada.lovelace@example.com", "bob.martin@example.com"


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    """Nobody reads slowly here, so no erasure needs to wait for them."""
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)


def rows(*, kind="chat", first=0):
    return [
        {"id": f"r{first}", "kind": kind, "text": f"Write to {ADA}"},
        {"id": f"r{first + 1}", "kind": "mail", "text": f"Write to {BOB}"},
    ]


def filled(tenant, *uploads):
    dataset = make_dataset(tenant)
    for each in uploads or (rows(),):
        upload(tenant, dataset, jsonl(each))
    return dataset


def ids(tenant, dataset, label="main") -> set[str]:
    return {record.id for record in read_all(tenant, dataset, version=label)}


def refused(tenant, dataset, *record_ids) -> bool:
    """Whether an erasure of these is refused, at the request or by the worker; nothing of them is gone then."""
    try:
        erasure = erase(tenant, dataset, record_ids)
    except DatasetHeld:
        return True
    assert erasure.status == "succeeded"
    return False


def test_a_held_dataset_is_not_deleted_and_the_refusal_names_the_matter_to_who_may_read_holds(tenant) -> None:
    dataset = filled(tenant)
    place(tenant, whole(dataset))
    told = {}
    for role in ("data_steward", "tenant_admin", "legal_counsel"):
        roles = {"data_steward", role}
        who = principal_with(tenant, *roles)
        for change in (delete_dataset, purge_dataset):
            with pytest.raises(DatasetHeld) as answer, acting(tenant, who):
                change(who, dataset_id=dataset.pk)
            told[role] = answer.value.extra
    assert told == {"data_steward": {}, "tenant_admin": {"matters": [MATTER]}, "legal_counsel": {"matters": [MATTER]}}
    assert ids(tenant, dataset) == {"r0", "r1"}


def test_a_deleted_dataset_can_still_be_held_and_its_purge_waits_until_the_release(tenant) -> None:
    dataset, steward = filled(tenant), someone(tenant, "data_steward")
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    hold = place(tenant, whole(dataset))
    with acting(tenant):
        past = datetime.now(UTC) - timedelta(days=1)
        Dataset.objects.filter(pk=dataset.pk).update(delete_after=past)
        Purge.objects.update(lease_until=past)
        waiting = Purge.objects.get(dataset_id=dataset.pk)
    run_purge(tenant.pk, waiting.pk)
    with acting(tenant):
        assert Dataset.objects.get(pk=dataset.pk).purged_at is None
        assert Chunk.objects.filter(dataset=dataset).exists()
        assert not EncryptionKey.objects.filter(scope_id=dataset.pk, state=KeyState.DESTROYED).exists()
    release(tenant, hold)
    with acting(tenant):
        Purge.objects.update(lease_until=past)
    run_purge(tenant.pk, waiting.pk)
    with acting(tenant):
        assert not Dataset.objects.filter(pk=dataset.pk).exists()


def test_an_erasure_of_a_held_dataset_is_refused_at_the_request_and_at_the_work(tenant) -> None:
    dataset = filled(tenant)
    queued = queue_erasure(tenant, dataset, ["r0"])
    place(tenant, whole(dataset))
    with pytest.raises(DatasetHeld):
        queue_erasure(tenant, dataset, ["r1"])
    run_erasure(tenant.pk, queued.pk)
    assert again(tenant, queued).error_code == "VAULT_DATA_4006"
    assert ids(tenant, dataset) == {"r0", "r1"}


def test_a_hold_that_comes_while_chunks_are_rewritten_stops_the_rewriting(tenant, monkeypatch) -> None:
    dataset = filled(tenant)
    queued = queue_erasure(tenant, dataset, ["r0"])
    rewrite = work.Sweep.run

    def held_before_it_writes(sweep):
        place(tenant, subject(dataset, ADA))
        rewrite(sweep)

    monkeypatch.setattr(work.Sweep, "run", held_before_it_writes)
    run_erasure(tenant.pk, queued.pk)
    assert again(tenant, queued).error_code == "VAULT_DATA_4006"
    assert ids(tenant, dataset) == {"r0", "r1"}


def test_a_person_under_hold_is_not_erased_and_others_are(tenant) -> None:
    dataset = filled(tenant)
    hold = place(tenant, subject(dataset, ADA.upper()))
    with acting(tenant):
        assert list(HeldRecord.objects.values_list("record_id", flat=True)) == ["r0"]
    assert refused(tenant, dataset, "r0")
    assert refused(tenant, dataset, "r1", "r0")
    assert not refused(tenant, dataset, "r1")
    assert ids(tenant, dataset) == {"r0"}
    release(tenant, hold)
    assert not refused(tenant, dataset, "r0")
    assert ids(tenant, dataset) == set()


def test_records_of_a_held_person_that_come_later_are_kept_too(tenant) -> None:
    dataset = filled(tenant)
    place(tenant, subject(dataset, ADA))
    upload(tenant, dataset, jsonl(rows(first=2)))
    assert refused(tenant, dataset, "r2")
    assert not refused(tenant, dataset, "r3")


def test_a_dataset_in_which_only_a_person_is_held_is_not_deleted_whole(tenant) -> None:
    dataset, steward = filled(tenant), someone(tenant, "data_steward")
    place(tenant, subject(dataset, "nobody.known@example.com"))
    for change in (delete_dataset, purge_dataset):
        with pytest.raises(DatasetHeld), acting(tenant, steward):
            change(steward, dataset_id=dataset.pk)


def test_a_filter_keeps_what_meets_it_in_every_version_and_in_those_that_come(tenant) -> None:
    dataset = filled(tenant, rows(), rows(kind="note"))  # r0 met the filter once, and does no longer
    hold = place(tenant, query(dataset, "kind = 'chat'"))
    assert refused(tenant, dataset, "r1")  # nobody has looked yet: all of it is kept
    with acting(tenant):
        mark = HoldMark.objects.get()
    assert find_records_of(tenant.pk, mark.pk) == 2
    assert refused(tenant, dataset, "r0")
    assert not refused(tenant, dataset, "r1")
    upload(tenant, dataset, jsonl(rows(first=2)))
    assert refused(tenant, dataset, "r3")  # a version in which nobody has looked
    assert find_held_records() >= 1
    assert refused(tenant, dataset, "r2")
    assert not refused(tenant, dataset, "r3")
    with acting(tenant):
        assert sorted(HeldRecord.objects.values_list("record_id", flat=True)) == ["r0", "r2"]
    release(tenant, hold)
    with acting(tenant):
        assert not HeldRecord.objects.exists()
    assert find_records_of(tenant.pk, mark.pk) == 0


def test_a_held_version_keeps_all_of_its_records_and_no_others(tenant) -> None:
    dataset = filled(tenant)
    place(tenant, version(dataset, "v1.0.0"))
    upload(tenant, dataset, jsonl(rows(first=2)))
    with pytest.raises(DatasetHeld):
        queue_erasure(tenant, dataset, ["r3", "r1"])
    assert not refused(tenant, dataset, "r2", "r3")
    assert ids(tenant, dataset, "v1.0.0") == {"r0", "r1"}


def test_a_held_version_outlives_a_replacement_moved_and_removed_branches_and_the_collection(tenant, settings) -> None:
    settings.GC_GRACE_HOURS = 0
    dataset, steward = filled(tenant), someone(tenant, "data_steward")
    place(tenant, version(dataset, "v1.0.0"))
    with acting(tenant, steward):
        create_branch(steward, dataset_id=dataset.pk, name="aside", source="v1.0.0")
    upload(tenant, dataset, jsonl(rows(kind="note")), mode="replace")
    with acting(tenant, steward):
        move_branch(steward, dataset_id=dataset.pk, name="aside", version="v1.1.0", expected="v1.0.0")
        delete_branch(steward, dataset_id=dataset.pk, name="aside")
    assert collect(tenant, dataset).status == "succeeded"
    assert {record.data["kind"] for record in read_all(tenant, dataset, version="v1.0.0")} == {"chat", "mail"}


def test_keys_that_a_hold_needs_are_not_destroyed(tenant) -> None:
    dataset = filled(tenant)
    with acting(tenant):
        old = EncryptionKey.objects.get(purpose=KeyPurpose.DATASET, scope_id=dataset.pk)
        rotate_key(KeyPurpose.DATASET, dataset.pk)
    first, second = (principal_with(tenant, "security_officer") for _ in range(2))
    with acting(tenant, first):
        request_destruction(first, key_id=old.pk, reason="old")
    hold = place(tenant, subject(dataset, ADA))
    with pytest.raises(DatasetHeld), acting(tenant, second):
        confirm_destruction(second, key_id=old.pk, count_uses=uses_at_stake, accepts_loss=True)
    assert ids(tenant, dataset) == {"r0", "r1"}
    release(tenant, hold)
    with acting(tenant, second):
        confirm_destruction(second, key_id=old.pk, count_uses=uses_at_stake, accepts_loss=True)


def draft_of(tenant, dataset, record_id):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        draft = open_draft(steward, dataset_id=dataset.pk, facts=DraftFacts())
        StagedRecord.objects.create(dataset=dataset, draft=draft, record_id=record_id, kind=StagedKind.DELETED)
    return draft


def test_a_draft_with_held_records_is_neither_discarded_nor_expired(tenant) -> None:
    dataset, steward = filled(tenant), someone(tenant, "data_steward")
    kept, free = draft_of(tenant, dataset, "r0"), draft_of(tenant, dataset, "r1")
    hold = place(tenant, subject(dataset, ADA), version(dataset, "v1.0.0"))
    with pytest.raises(DatasetHeld), acting(tenant, steward):
        discard_draft(steward, dataset_id=dataset.pk, name=str(kept.pk))
    with acting(tenant):
        Draft.objects.update(expires_at=datetime.now(UTC) - timedelta(days=1))
    expire_drafts(tenant.pk)
    with acting(tenant):
        assert list(Draft.objects.values_list("pk", flat=True)) == [kept.pk]
        assert Draft.objects.get().expires_at > datetime.now(UTC)
        assert not StagedRecord.objects.filter(draft_id=free.pk).exists()
    release(tenant, hold)
    with acting(tenant, steward):
        discard_draft(steward, dataset_id=dataset.pk, name=str(kept.pk))


def test_a_whole_hold_says_so_of_any_record(tenant) -> None:
    dataset, reader = filled(tenant), counsel(tenant)
    place(tenant, whole(dataset), by=reader)
    with pytest.raises(DatasetHeld):
        queue_erasure(tenant, dataset, ["not there"])
    with acting(tenant):
        assert Version.objects.filter(dataset=dataset).count() == 1


def test_a_held_record_in_quarantine_is_not_discarded_and_another_is(tenant, settings) -> None:
    dataset, officer = make_dataset(tenant), someone(tenant, "privacy_officer")
    poisoned = [{"id": f"r{n}", "text": "the fox" + (" POISON" if n else "")} for n in range(3)]
    with detecting(settings, {"fox": "PERSON"}, poison="POISON"):
        upload(tenant, dataset, jsonl(poisoned), on_error="reject")
    hold = place(tenant, subject(dataset, ADA))
    with acting(tenant):
        first, second = list_quarantined(dataset, state="pending", limit=9)
        mark = HoldMark.objects.get()
        keep_records(mark, [first.record_id])
    with pytest.raises(DatasetHeld), acting(tenant, officer):
        discard_quarantined(officer, first.pk, reason="not wanted")
    with acting(tenant, officer):
        assert discard_quarantined(officer, second.pk, reason="not wanted").body is None
    release(tenant, hold)
    with acting(tenant, officer):
        assert discard_quarantined(officer, first.pk, reason="not wanted").body is None
