"""Backups as they are taken: what is copied, what is told, and what is refused."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from audit.models import AuditEvent
from compliance.backup.keys import make_key, read_key
from compliance.backup.repository import is_backup_id, new_backup_id, object_file, open_repository
from compliance.errors.backup import (
    BackupDamaged,
    BackupKeyUnusable,
    BackupNotFound,
    DatabaseProgramFailed,
    DumpFiltered,
    RepositoryBusy,
)
from compliance.models import BackupRun
from compliance.models.posture import ProbeState
from compliance.posture.probes import restore_drill
from datasets.models import Blob
from datasets.services.sweep import sweep_blobs
from tests.factories.access import acting
from tests.factories.backup import back_up, drilled, new_place
from tests.factories.datasets import jsonl, make_dataset, purge, rows_of, upload
from tests.factories.upkeep import file_of
from vaultsite.backup import database
from vaultsite.backup.database import load, objects_kept, open_snapshot
from vaultsite.backup.take import take_backup
from vaultsite.kernel.blobs import BlobStore


@pytest.fixture
def place(tmp_path):
    return new_place(tmp_path)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(rows_of(40))).status == "succeeded"
    return made


def runs(tenant):
    with acting(tenant):
        return list(BackupRun.objects.order_by("id"))


def own(tenant, manifest):
    """Of all that a backup holds, which other tests' organizations share, what is one organization's."""
    return [one for one in manifest.objects if one.tenant == str(tenant.pk)]


def sweep_all():
    """Other tests have left dead objects too, and a sweep takes only so many."""
    while sweep_blobs():
        continue


def blobs_of(tenant):
    with acting(tenant):
        return set(Blob.objects.filter(state="sealed").values_list("name", flat=True))


def test_a_backup_holds_every_object_and_tells_each_organization_of_its_own(tenant, rival, dataset, place):
    manifest = back_up(place)
    assert blobs_of(tenant) <= {one.name for one in manifest.objects}
    (run,), (other,) = runs(tenant), runs(rival)
    assert (run.status, run.dataset_count, run.object_count, run.missing_count) == ("succeeded", 1, 1, 0)
    assert (other.status, other.dataset_count, other.object_count) == ("succeeded", 0, 0)
    with acting(tenant):
        event = AuditEvent.objects.get(type="data.backup.completed")
        assert event.resource_id == manifest.id


def test_the_next_backup_copies_only_new_objects(tenant, dataset, place):
    first = back_up(place)
    kept = {one.name: (place.folder / object_file(one.name)).stat().st_mtime_ns for one in own(tenant, first)}
    assert upload(tenant, dataset, jsonl(rows_of(5, seed=1)), mode="append").status == "succeeded"
    second = back_up(place)
    assert second.new_objects >= (brought := len(own(tenant, second)) - len(own(tenant, first))) > 0
    assert {name: (place.folder / object_file(name)).stat().st_mtime_ns for name in kept} == kept
    assert [run.new_object_count for run in runs(tenant)] == [1, brought]


def test_nothing_in_a_repository_is_in_the_clear(tenant, place):
    marked = make_dataset(tenant, name="zanzibar ledger", description="of zanzibar")
    assert upload(tenant, marked, jsonl([{"text": "zanzibar"}])).status == "succeeded"
    back_up(place, "--with-keys")
    written = [path for path in place.folder.rglob("*") if path.is_file()]
    assert len(written) > 4
    assert [path.name for path in written if b"zanzibar" in path.read_bytes()] == []
    assert {path.stat().st_mode & 0o077 for path in written if path.name != "repository.json"} == {0}


def test_a_flipped_byte_in_any_file_is_found(tenant, dataset, place):
    manifest = back_up(place, "--with-keys")
    repository = place.open()
    for path in sorted(one for one in place.folder.rglob("*") if one.is_file()):
        name = str(path.relative_to(place.folder))
        if path.name in {"repository.json", "lock"}:
            continue
        whole = path.read_bytes()
        for changed in (flipped(whole, 3), flipped(whole, len(whole) // 2), flipped(whole, -1), whole[:-1], b""):
            path.write_bytes(changed)
            with pytest.raises(BackupDamaged):
                b"".join(repository.read(name))
        path.write_bytes(whole)
    assert repository.manifest(manifest.id) == manifest


def flipped(body, index):
    changed = bytearray(body)
    changed[index] ^= 1
    return bytes(changed)


def test_files_that_were_exchanged_do_not_open(tenant, dataset, place):
    back_up(place)
    back_up(place)
    one, other = place.open().backups()
    for file in ("manifest", "database"):
        here, there = (place.folder / "backups" / backup / file for backup in (one, other))
        here.write_bytes(there.read_bytes())
        with pytest.raises(BackupDamaged):
            b"".join(place.open().read(f"backups/{one}/{file}"))


def test_a_key_is_a_private_file_and_another_opens_nothing(tmp_path, place):
    with pytest.raises(BackupKeyUnusable):
        open_repository(place.folder, make_key(tmp_path / "another.key"))
    with pytest.raises(BackupKeyUnusable):
        make_key(place.key_file)
    place.key_file.chmod(0o640)
    with pytest.raises(BackupKeyUnusable, match="others may read"):
        read_key(place.key_file)
    noise = tmp_path / "noise"
    noise.write_text("vault-backup-key-1 no key")
    noise.chmod(0o600)
    with pytest.raises(BackupKeyUnusable):
        read_key(noise)
    with pytest.raises(BackupKeyUnusable):
        read_key(tmp_path / "absent")


def test_a_backup_that_is_not_there_is_not_found(tmp_path, place):
    with pytest.raises(BackupNotFound):
        place.open().newest()
    with pytest.raises(BackupNotFound):
        place.open().manifest("20260101T000000Z-00000000")
    with pytest.raises(BackupNotFound):
        open_repository(tmp_path / "nowhere", place.key)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("dear")
    with pytest.raises(BackupNotFound):
        open_repository(tmp_path / "full", place.key, create=True)


def test_of_two_backups_in_one_second_the_later_is_the_newest():
    moment = timezone.now().replace(microsecond=1)
    ids = [new_backup_id(moment + timedelta(microseconds=step)) for step in (0, 1, 900_000)]
    assert sorted(ids) == ids
    assert all(is_backup_id(one) for one in ids)


def test_one_at_a_time_writes_and_who_fails_says_so(tenant, place):
    with place.open().writing():
        with pytest.raises(RepositoryBusy):
            take_backup(place.open())
        with pytest.raises(CommandError, match="VAULT_COMP_8207"):
            back_up(place)
    (run,) = runs(tenant)
    assert (run.status, run.error_code) == ("failed", RepositoryBusy.code)


def test_objects_are_not_removed_while_a_backup_copies_them(tenant, dataset, place):
    """T57: what a purge leaves to remove waits until the backup that names it is whole."""
    (name,) = blobs_of(tenant)
    with objects_kept(), open_snapshot():
        purge(tenant, dataset)
        sweep_all()
        assert BlobStore.default().exists(name)
    sweep_all()
    assert not BlobStore.default().exists(name)


def test_an_object_that_the_store_lost_is_said_to_be_missing(tenant, dataset, place):
    (name,) = blobs_of(tenant)
    lost = file_of(name).read_bytes()
    file_of(name).unlink()
    with pytest.raises(CommandError, match="objects were not in the store"):
        back_up(place)
    (run,) = runs(tenant)
    assert (run.status, run.missing_count) == ("incomplete", 1)
    file_of(name).write_bytes(lost)
    assert name not in back_up(place).missing


def test_old_backups_go_with_the_objects_that_only_they_name(tenant, dataset, place, settings):
    first = back_up(place)
    (name,) = blobs_of(tenant)
    purge(tenant, dataset)
    sweep_all()
    settings.BACKUP_DAYS = 1
    repository = place.open()
    back_up(place)
    assert repository.has_object(name), "the first backup still names it"
    assert repository.remove_backups(finished_before=timezone.now() - timedelta(days=1)) == []
    settings.BACKUP_DAYS = 0
    last = back_up(place)
    assert repository.backups() == [last.id]
    assert not repository.has_object(name)
    expired = {run.backup_id for run in runs(tenant) if run.expired_at is not None}
    assert first.id in expired
    assert last.id not in expired


def test_a_dump_that_would_hide_rows_is_not_made(place):
    """A table that shows its owner less than everything would make a backup of a part."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("CREATE TABLE hiding (id int)")
        cursor.execute("ALTER TABLE hiding ENABLE ROW LEVEL SECURITY")
        cursor.execute("ALTER TABLE hiding FORCE ROW LEVEL SECURITY")
        try:
            with pytest.raises(DumpFiltered):
                take_backup(place.open())
        finally:
            cursor.execute("DROP TABLE hiding")
    assert place.open().backups() == []


def test_what_is_no_dump_is_not_loaded():
    parameters = database.owner_parameters()
    url = " ".join(f"{name}='{value}'" for name, value in parameters.items())
    with pytest.raises(DatabaseProgramFailed, match="pg_restore"):
        load(url, [b"no dump"])


def test_the_command_needs_a_repository_and_a_key(tmp_path):
    with pytest.raises(CommandError, match="name the repository"):
        call_command("backup", stdout=StringIO())
    with pytest.raises(CommandError, match="VAULT_COMP_8203"):
        call_command(
            *("backup", str(tmp_path / "none"), "--key-file", str(tmp_path / "new.key"), "--new-key", "--journal"),
            stdout=StringIO(),
        )


def test_the_probe_of_drills_reads_the_newest_backup_where_it_lies(tenant, dataset, place, settings):
    settings.BACKUP_FOLDER, settings.BACKUP_KEY_FILE = place.folder, place.key_file
    drilled(tenant.pk)
    empty = restore_drill.probe(tenant.pk)
    assert (empty.state, empty.facts["objects_read"]) == (ProbeState.FAILED, 0)
    manifest = back_up(place)
    whole = restore_drill.probe(tenant.pk)
    assert (whole.state, whole.facts["objects_read"]) == (ProbeState.PASSED, 1)
    file = place.folder / object_file(own(tenant, manifest)[0].name)
    file.write_bytes(flipped(file.read_bytes(), -1))
    damaged = restore_drill.probe(tenant.pk)
    assert damaged.facts["breaches"] == ["1 of 1 objects of the newest backup cannot be read"]
    file.unlink()
    assert restore_drill.probe(tenant.pk).state == ProbeState.FAILED
