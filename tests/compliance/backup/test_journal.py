"""The replay journal: what was erased is written down beside the backups, in order, and a damaged one does not pass."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.key_rotation import rewrap_keys, rotate_key
from access.services.keyring import current_key
from compliance.backup.collect import collect_entries
from compliance.backup.entries import ERASURE, KEY, PERSON, PURGE, REFUSAL, RELEASE, Entry
from compliance.backup.journal import read_journal, ship_journal
from compliance.backup.replay import replay
from compliance.errors.backup import BackupDamaged
from compliance.models import LegalHold, SubjectErasure, SubjectSearch
from compliance.subjects.identifiers import Identifier
from compliance.tasks import write_journal
from datasets.errors.lifecycle import DatasetKept
from datasets.models import Dataset, ErasedRecord, Erasure, FindingsBlob, HoldMark, Masking, SuppressedIdentifier
from datasets.services.keeping import refuse_kept
from tests.compliance.holds.cases import place as place_hold
from tests.compliance.holds.cases import release, whole
from tests.factories.access import acting
from tests.factories.backup import new_place
from tests.factories.datasets import jsonl, make_dataset, purge, read_all, upload
from tests.factories.retention import make_policy
from tests.factories.subjects import EMAIL, NAME, ROWS, erase_person, queue_erasure_of, search_for
from tests.factories.upkeep import again, erase, queue_erasure

RELEASED = ("release_requested_by", "release_requested_at", "released_by", "released_at")


@pytest.fixture
def place(tmp_path):
    return new_place(tmp_path)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl([{"id": f"r{n}", "text": f"row {n}"} for n in range(9)])).status == "succeeded"
    return made


def own(tenant, place, kind):
    return [one for one in read_journal(place.open()).entries if one.tenant == str(tenant.pk) and one.kind == kind]


def test_what_is_erased_is_written_down_once(tenant, dataset, place):
    erasure = erase(tenant, dataset, ["r1", "r4"])
    other = make_dataset(tenant)
    assert upload(tenant, other, jsonl([{"id": "a"}])).status == "succeeded"
    purge(tenant, other)
    repository = place.open()
    assert ship_journal(repository) > 0
    assert ship_journal(repository) == 0
    (entry,) = own(tenant, place, ERASURE)
    assert (entry.id, entry.facts["records"]) == (str(erasure.pk), ["r1", "r4"])
    assert [one.id for one in own(tenant, place, PURGE)] == [str(other.pk)]
    assert {one.facts["scope"] for one in own(tenant, place, KEY)} == {str(other.pk)}
    assert read_journal(repository).sequence == 1


def test_an_erasure_is_written_down_when_it_is_asked_for_and_withdrawn_when_refused(tenant, dataset, place):
    erasure = queue_erasure(tenant, dataset, ["r1"])
    ship_journal(place.open())
    assert [one.id for one in own(tenant, place, ERASURE)] == [str(erasure.pk)]
    with acting(tenant):
        ErasedRecord.objects.filter(erasure=erasure).delete()
        Erasure.objects.filter(pk=erasure.pk).update(status="failed")
    ship_journal(place.open())
    (refusal,) = own(tenant, place, REFUSAL)
    assert refusal.id == str(erasure.pk)
    assert replay([*own(tenant, place, ERASURE), refusal]).refused == []
    assert again(tenant, erasure).status == "failed"
    assert len(read_all(tenant, dataset)) == 9


def test_a_journal_without_its_end_its_middle_or_its_order_is_damaged(tenant, dataset, place):
    repository, folder = place.open(), place.folder / "journal"
    for name in ("r1", "r2", "r3"):
        queue_erasure(tenant, dataset, [name])
        ship_journal(repository)
    whole = {one.name: one.read_bytes() for one in folder.iterdir()}
    assert read_journal(repository).sequence == 3
    (folder / "00000003").unlink()
    with pytest.raises(BackupDamaged, match="end"):
        read_journal(repository)
    (folder / "00000003").write_bytes(whole["00000002"])
    with pytest.raises(BackupDamaged):
        read_journal(repository)
    (folder / "00000003").write_bytes(whole["00000003"])
    (folder / "00000001").unlink()
    with pytest.raises(BackupDamaged):
        read_journal(repository)


def test_a_shipment_killed_before_its_head_is_taken_over(tenant, dataset, place):
    repository, head = place.open(), place.folder / "journal" / "head"
    ship_journal(repository)
    before = head.read_bytes()
    erasure = queue_erasure(tenant, dataset, ["r1"])
    ship_journal(repository)
    head.write_bytes(before)
    assert [one.id for one in own(tenant, place, ERASURE)] == [str(erasure.pk)]
    assert ship_journal(repository) == 0


def test_beat_writes_the_journal_where_a_repository_is_configured(tenant, dataset, place, settings):
    assert write_journal() == 0
    settings.BACKUP_FOLDER, settings.BACKUP_KEY_FILE = place.folder, place.key_file
    queue_erasure(tenant, dataset, ["r1"])
    assert write_journal() > 0
    assert len(own(tenant, place, ERASURE)) == 1


def test_what_a_hold_forbids_is_told_and_not_done(tenant, dataset):
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    facts = {
        "dataset": str(dataset.pk),
        "records": ["r1"],
        "reason": "asked for",
        "purpose": "",
        "requested_by": str(dataset.pk),
        "created_at": "2026-01-01T00:00:00+00:00",
    }
    erasure = Entry(ERASURE, str(tenant.pk), "018f0000-0000-7000-8000-000000000001", facts)
    found = replay([erasure, Entry(PURGE, str(tenant.pk), str(dataset.pk))])
    assert len(found.refused) == 2
    assert len(read_all(tenant, dataset)) == 9


def test_a_minimum_that_was_lowered_since_keeps_nothing_of_what_went_after_it(tenant, dataset, place):
    """Neither what a row promises nor what a policy that is in force again asks for; a hold does."""
    other = make_dataset(tenant)
    assert upload(tenant, other, jsonl([{"id": "a"}])).status == "succeeded"
    queue_erasure(tenant, dataset, ["r1"])
    ship_journal(place.open())
    (erased,) = own(tenant, place, ERASURE)
    make_policy(tenant, minimum_days=1000)
    gone = Entry(PURGE, str(tenant.pk), str(other.pk))
    with acting(tenant):
        assert Dataset.objects.get(pk=other.pk).keep_until is not None
        with pytest.raises(DatasetKept):
            refuse_kept(Dataset.objects.get(pk=other.pk))
        Dataset.objects.filter(pk=other.pk).update(legal_hold=True)
    assert replay([gone, erased]).refused == [f"dataset {other.pk} may not go: a hold of the backup keeps it"]
    assert "r1" not in {one.id for one in read_all(tenant, dataset)}
    with acting(tenant):
        Dataset.objects.filter(pk=other.pk).update(legal_hold=False)
    assert replay([gone]).refused == []
    with acting(tenant):
        assert not Dataset.objects.filter(pk=other.pk).exists()
        with pytest.raises(DatasetKept):
            refuse_kept(Dataset.objects.get(pk=dataset.pk))


def test_a_hold_that_was_released_keeps_nothing_of_what_went_after_it(tenant, dataset, place):
    hold, kept = place_hold(tenant, whole(dataset)), place_hold(tenant, whole(make_dataset(tenant)))
    with acting(tenant):
        (mark,) = HoldMark.objects.filter(hold_id=hold.pk)
    release(tenant, hold)
    erasure = queue_erasure(tenant, dataset, ["r1"])
    ship_journal(place.open())
    (released,), (erased,) = own(tenant, place, RELEASE), own(tenant, place, ERASURE)
    with acting(tenant):
        told = LegalHold.objects.get(pk=hold.pk)
        LegalHold.objects.filter(pk=hold.pk).update(**dict.fromkeys(RELEASED))
        mark.save(force_insert=True)
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    assert replay([erased]).refused
    assert replay([erased, released]).refused == []
    assert again(tenant, erasure).status == "succeeded"
    with acting(tenant):
        found = LegalHold.objects.get(pk=hold.pk)
        assert (found.state, LegalHold.objects.get(pk=kept.pk).state) == ("released", "placed")
        assert HoldMark.objects.get().hold_id == kept.pk
    for name in RELEASED:
        assert getattr(found, name) == getattr(told, name)
    assert replay([released]).done[RELEASE] == 0


def test_a_key_that_was_destroyed_is_destroyed_again_and_nothing_of_others(tenant, rival, dataset):
    with acting(tenant):
        key = EncryptionKey.objects.get(purpose=KeyPurpose.DATASET, scope_id=dataset.pk)
    assert replay([Entry(KEY, str(rival.pk), str(key.pk))]).done[KEY] == 0
    found = replay([Entry(KEY, str(tenant.pk), str(key.pk))])
    assert (found.done[KEY], found.unreadable_objects > 0) == (1, True)
    with acting(tenant):
        key.refresh_from_db()
    assert (key.state, key.wrapped) == (KeyState.DESTROYED, None)


def test_an_entry_of_a_person_does_not_say_who_and_an_erasure_under_way_keeps_its_identifiers(tenant, place):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(ROWS)).status == "succeeded"
    with acting(tenant):
        Dataset.objects.filter(pk=made.pk).update(description=f"for {EMAIL}")
    erasure = erase_person(tenant, search_for(tenant, [Identifier("EMAIL_ADDRESS", EMAIL)]))
    later = search_for(tenant, [Identifier("EMAIL_ADDRESS", "nada.byron@example.com")])
    under_way = queue_erasure_of(tenant, later)
    ship_journal(place.open())
    (entry,) = own(tenant, place, PERSON)
    assert (entry.id, entry.facts["texts"]) == (str(erasure.pk), [["dataset.description", str(made.pk)]])
    assert entry.facts["suppressed"]
    assert not [said for said in (EMAIL, NAME, "byron") if said in str(entry.facts).lower()]
    with acting(tenant):
        Dataset.objects.filter(pk=made.pk).update(description=f"for {EMAIL}")
        SuppressedIdentifier.objects.all().delete()
        SubjectErasure.objects.filter(pk=erasure.pk).update(checkpoint={"stage": "records"})  # as it was in the backup
    early = Entry(PERSON, str(tenant.pk), str(under_way.pk), entry.facts | {"search": str(later.pk)})
    assert replay([entry, early]).done[PERSON] == 2
    with acting(tenant):
        assert Dataset.objects.get(pk=made.pk).description == "[erased]"
        listed = SuppressedIdentifier.objects.values_list("key", flat=True)
        assert {bytes(key).hex() for key in listed} == set(entry.facts["suppressed"])
        assert SubjectSearch.objects.exclude(identifiers=None).get() == later


def test_what_was_written_since_an_erasure_stays_where_the_backup_is_from_after_it(tenant, place):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(ROWS)).status == "succeeded"
    with acting(tenant):
        Dataset.objects.filter(pk=made.pk).update(description=f"for {EMAIL}")
    erase_person(tenant, search_for(tenant, [Identifier("EMAIL_ADDRESS", EMAIL)]))
    ship_journal(place.open())
    (entry,) = own(tenant, place, PERSON)
    with acting(tenant):
        Dataset.objects.filter(pk=made.pk).update(description="Support chats of 2026")
        SuppressedIdentifier.objects.all().delete()
    assert replay([entry]).done[PERSON] == 0
    with acting(tenant):
        assert Dataset.objects.get(pk=made.pk).description == "Support chats of 2026"
        assert SuppressedIdentifier.objects.exists()


def test_each_erasure_is_read_once_for_the_journal(tenant, dataset, place):
    erase(tenant, dataset, ["r1"])
    ship_journal(place.open())
    known = {entry.key for entry in read_journal(place.open()).entries}
    with CaptureQueriesContext(connection) as first:
        list(collect_entries(known))
    for name in ("r2", "r3", "r4"):
        erase(tenant, dataset, [name])
    ship_journal(place.open())
    known = {entry.key for entry in read_journal(place.open()).entries}
    with CaptureQueriesContext(connection) as later:
        list(collect_entries(known))
    assert len(later) == len(first)


def test_a_kek_that_was_rotated_away_goes_and_leaves_what_it_wrapped_to_another(tenant, dataset):
    with acting(tenant):
        kek = EncryptionKey.objects.get(purpose=KeyPurpose.KEK, state=KeyState.ACTIVE)
    found = replay([Entry(KEY, str(tenant.pk), str(kek.pk), {"scope": str(tenant.pk), "lost": []})])
    assert (found.done[KEY], found.unreadable_objects) == (1, 0)
    with acting(tenant):
        kek.refresh_from_db()
        assert (kek.state, kek.wrapped) == (KeyState.DESTROYED, None)
    assert len(read_all(tenant, dataset)) == 9


def test_what_went_with_a_kek_goes_with_it_again_and_nothing_else(tenant, dataset, place):
    with acting(tenant):
        lost = current_key(KeyPurpose.DATASET, uuid4()).id
        kek = EncryptionKey.objects.get(purpose=KeyPurpose.KEK, state=KeyState.ACTIVE)
        rewrap_keys(rotate_key(KeyPurpose.KEK, tenant.pk).pk, limit=100)
        EncryptionKey.objects.filter(pk=lost).update(wrapped_by=kek.pk)
        EncryptionKey.objects.filter(pk=kek.pk).update(state=KeyState.DESTROYED, wrapped=None)
    ship_journal(place.open())
    (entry,) = own(tenant, place, KEY)
    assert (entry.id, entry.facts["lost"]) == (str(kek.pk), [str(lost)])
    with acting(tenant):
        assert rewrap_keys(rotate_key(KeyPurpose.KEK, tenant.pk).pk, limit=100) > 0, "what is lost is in nobody's way"
        EncryptionKey.objects.filter(pk=kek.pk).update(state=KeyState.DECRYPT_ONLY, wrapped=kek.wrapped)
    assert replay([entry]).done[KEY] == 2
    with acting(tenant):
        states = EncryptionKey.objects.filter(pk__in=[kek.pk, lost]).values_list("state", flat=True)
        assert set(states) == {KeyState.DESTROYED}
    assert len(read_all(tenant, dataset)) == 9


ADA = "ada.lovelace@example.com"


def anonymized(tenant, dataset, *names):
    """What the journal says of an anonymization that the database does not know: it spares what is not there."""
    facts = {
        "dataset": str(dataset.pk),
        "records": list(names),
        "reason": "retention",
        "purpose": "",
        "requested_by": str(dataset.pk),
        "created_at": "2026-01-01T00:00:00+00:00",
        "spared": {name: ["ab" * 32] for name in names},
    }
    return Entry(ERASURE, str(tenant.pk), str(uuid4()), facts)


@pytest.fixture
def personal(tenant):
    """Two versions: of the second one record shows its person, as in the first, and one does not any more."""
    made = make_dataset(tenant)
    for texts in ((f"Write to {ADA}", f"Ask {ADA}", "Nobody"), ("Write to us", f"Ask {ADA}", "Nobody")):
        rows = [{"id": f"r{index}", "text": text} for index, text in enumerate(texts)]
        assert upload(tenant, made, jsonl(rows)).status == "succeeded"
    return made


def shown(tenant, dataset, version="main"):
    return {one.id: one.data["text"] for one in read_all(tenant, dataset, version=version)}


def test_a_backup_from_before_an_anonymization_keeps_its_records_without_the_people(tenant, personal):
    """Its versions have none of the records that the erasures spared: heads are anonymized first, once each dataset."""
    entries = [anonymized(tenant, personal, "r0"), anonymized(tenant, personal, "r1")]
    for _ in range(2):
        found = replay(entries)
        assert (found.refused, found.lost, found.done[ERASURE]) == ([], [], 2)
        assert shown(tenant, personal) == {"r0": "Write to us", "r1": "Ask <EMAIL_ADDRESS>", "r2": "Nobody"}
        assert shown(tenant, personal, "v1.0.0") == {"r2": "Nobody"}
        assert shown(tenant, personal, "v1.1.0") == {"r0": "Write to us", "r2": "Nobody"}
    with acting(tenant):
        masking = Masking.objects.get(dataset=personal)
        assert (masking.status, masking.version_count, masking.upto) == ("succeeded", 1, None)


def test_what_cannot_be_anonymized_again_goes_and_is_counted(tenant, personal):
    FindingsBlob.objects.using("owner").filter(dataset_id=personal.pk).delete()
    found = replay([anonymized(tenant, personal, "r0", "r1")])
    assert (found.refused, found.done[ERASURE]) == ([], 1)
    assert found.lost == [f"2 records of dataset {personal.pk} could not be anonymized again: gone"]
    assert shown(tenant, personal) == {"r2": "Nobody"}


def test_a_hold_of_the_past_keeps_the_originals_and_once_it_is_gone_they_are_anonymized(tenant, personal):
    with acting(tenant):
        Dataset.objects.filter(pk=personal.pk).update(legal_hold=True)
    entry = anonymized(tenant, personal, "r0", "r1")
    held = replay([entry])
    assert (len(held.refused), held.lost) == (1, [])
    assert shown(tenant, personal)["r1"] == f"Ask {ADA}"
    with acting(tenant):
        Dataset.objects.filter(pk=personal.pk).update(legal_hold=False)
    assert replay([entry]).refused == []
    assert shown(tenant, personal) == {"r0": "Write to us", "r1": "Ask <EMAIL_ADDRESS>", "r2": "Nobody"}
