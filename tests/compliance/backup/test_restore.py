"""Backups brought back into a second vault with servers of its own: what is there again, and what stays gone."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction

from access.models import EncryptionKey, KeyPurpose
from access.services.keyring import destroy_keys
from compliance.models import BackupRun, RestoreDrill
from compliance.retention.policies import end_policy
from datasets.models import Dataset
from tests.factories.access import acting
from tests.factories.backup import back_up, new_place, restore_command, run_restore, told_by
from tests.factories.datasets import jsonl, make_dataset, purge, upload
from tests.factories.retention import make_policy, officer
from tests.factories.upkeep import erase, queue_erasure
from tests.journeys.waiting import until
from vaultsite.backup.drill import second_environment
from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.console import Console
from vaultsite.runtime.environment import PROJECT, completed
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.restoring import is_restoring, read_progress
from vaultsite.runtime.servers import borrowed_servers
from vaultsite.runtime.vault import run_vault

pytestmark = pytest.mark.slow
CANARY = "zanzibar-9f31c"


@pytest.fixture
def place(tmp_path):
    return new_place(tmp_path)


def rows(count, canaries=()):
    return [
        {"id": f"r{n}", "text": f"row {n} {CANARY if n in canaries else ''} " + "and so on " * 60} for n in range(count)
    ]


def filled(tenant, count, canaries=()):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(rows(count, canaries))).status == "succeeded"
    return made


@contextmanager
def process(command, environment, log):
    """A process group of our own, gone at the end."""
    with log.open("ab") as told:
        started = subprocess.Popen(
            launch_command(*command, death_signal="KILL"),
            cwd=PROJECT,
            env=environment,
            stdout=told,
            stderr=told,
            start_new_session=True,
        )
    try:
        yield started
    finally:
        with_group(started)


def with_group(started):
    if started.poll() is None:
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()


def kill_when(condition, place, home, log):
    """Start a restore and kill it, with all that it had started, as soon as ``condition`` holds of its group."""
    with process(restore_command(place), second_environment(home, keys_from_backup=False), log) as started:
        until(lambda: condition(started.pid) or started.poll() is not None, every=0.005)
        assert started.poll() is None, log.read_text()
        os.killpg(started.pid, signal.SIGKILL)


def kill_while_it_loads(place, home, log):
    """The same in the middle of the dump, however fast the machine is: it kills its own group."""
    command = [sys.executable, "-m", "tests.journeys.dying_restore", *restore_command(place)[2:]]
    environment = second_environment(home, keys_from_backup=False) | {"DJANGO_SETTINGS_MODULE": "vaultsite.settings"}
    with process(command, environment, log) as started:
        assert started.wait(timeout=300) == -signal.SIGKILL, log.read_text()


def look(tenant, home):
    """What can be read of an organization in a restored vault."""
    own = second_environment(home, keys_from_backup=False)
    with borrowed_servers(home, throwaway=True) as environment:
        asked = [sys.executable, "-m", "tests.journeys.restored", str(tenant.pk), CANARY]
        ended = subprocess.run(
            asked,
            cwd=PROJECT,
            env=completed(own, environment) | {"DJANGO_SETTINGS_MODULE": "vaultsite.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_restored_vault_has_everything_but_what_was_erased_since(tenant, rival, place, tmp_path):
    """T57, T77: killed three times on the way, it is closed until it is done; no canary erased since is in it."""
    kept, emptied, purged, shredded = (
        filled(tenant, 30),
        filled(tenant, 30, {3, 7, 20}),
        filled(tenant, 5),
        filled(tenant, 5),
    )
    theirs = filled(rival, 12)
    with acting(tenant):
        key = EncryptionKey.objects.get(purpose=KeyPurpose.DATASET, scope_id=shredded.pk)
    back_up(place)

    erased = erase(tenant, emptied, ["r3", "r7"])
    asked_for = queue_erasure(tenant, emptied, ["r20"])
    purge(tenant, purged)
    with acting(tenant):
        destroy_keys(shredded.pk)
    call_command("backup", str(place.folder), "--key-file", str(place.key_file), "--journal")

    home, log = tmp_path / "vault", tmp_path / "restore.log"
    kill_when(lambda _: (home / "postgres").exists(), place, home, log)
    assert is_restoring(home)
    kill_while_it_loads(place, home, log)
    assert not has_done(home, "database")
    kill_when(lambda _: has_done(home, "objects"), place, home, log)
    with pytest.raises(StartError, match="has not ended"):
        run_vault(home, Console(sys.stderr))

    told = told_by(run_restore(place, home))
    assert "database" not in told["seconds"], "that step was done before"
    assert told["replay"]["done"]["records-erased"] >= 2, "those of other tests too"
    assert not is_restoring(home)

    found, other = look(tenant, home), look(rival, home)
    assert (found["ready"], other["ready"]) == (200, 200)
    assert sorted(found["datasets"][str(kept.pk)]["records"]) == sorted(row["id"] for row in rows(30))
    assert found["datasets"][str(kept.pk)]["damaged"] == 0
    left = found["datasets"][str(emptied.pk)]
    assert (len(left["records"]), left["has_canary"]) == (27, False)
    assert {"r3", "r7", "r20"}.isdisjoint(left["records"])
    assert {found["erasures"][str(one.pk)] for one in (erased, asked_for)} == {"succeeded"}
    assert str(purged.pk) not in found["datasets"]
    assert "error" in found["datasets"][str(shredded.pk)]
    assert str(key.pk) in found["destroyed"]
    assert other["datasets"][str(theirs.pk)]["records"] == {row["id"]: row for row in rows(12)}

    again = run_restore(place, home)
    assert again.returncode != 0
    assert "VAULT_COMP_8202" in again.stderr


def test_a_vault_stays_closed_until_what_was_erased_is_erased_again(tenant, place, tmp_path):
    """T77: killed while it replays, refused, killed at the last step; a lowered minimum is in nobody's way."""
    policy = make_policy(tenant, minimum_days=1000)
    held, minded = filled(tenant, 5, {1}), filled(tenant, 5, {2})
    with acting(tenant):
        Dataset.objects.filter(pk=held.pk).update(legal_hold=True)
    back_up(place)
    with acting(tenant, officer(tenant)) as scope:
        end_policy(scope.principal, policy_id=policy.pk)
        Dataset.objects.filter(pk=held.pk).update(legal_hold=False)
    purge(tenant, held)
    purge(tenant, minded)
    call_command("backup", str(place.folder), "--key-file", str(place.key_file), "--journal")

    home, log = tmp_path / "vault", tmp_path / "restore.log"
    kill_when(lambda _: has_done(home, "keys"), place, home, log)
    refused = run_restore(place, home)
    assert refused.returncode != 0
    assert "VAULT_COMP_8204" in refused.stderr
    assert (str(held.pk) in refused.stderr, str(minded.pk) in refused.stderr) == (True, False)
    assert is_restoring(home)
    closed = look(tenant, home)
    assert (closed["ready"], str(minded.pk) in closed["datasets"]) == (503, False)
    with pytest.raises(StartError, match="has not ended"):
        run_vault(home, Console(sys.stderr))

    with (
        borrowed_servers(home, throwaway=True) as environment,
        psycopg.connect(environment["VAULT_OWNER_DATABASE_URL"]) as owner,
    ):
        owner.execute("UPDATE datasets_dataset SET legal_hold = false WHERE id = %s", [held.pk])
    kill_when(lambda _: has_done(home, "replay"), place, home, log)
    told = told_by(run_restore(place, home))
    assert {"database", "objects", "keys", "replay"}.isdisjoint(told["seconds"]), "those steps were done before"
    opened = look(tenant, home)
    assert (opened["ready"], opened["datasets"]) == (200, {})


def has_done(home, step):
    return is_restoring(home) and step in read_progress(home).steps


def test_a_drill_restores_elsewhere_compares_and_leaves_nothing(tenant, place, tmp_path):
    """With the keys in the backup: nothing of the first vault is needed."""
    filled(tenant, 25)
    manifest = back_up(place, "--with-keys")
    with suppress(CommandError):  # what other tests damaged; the row below is of this one's organization
        call_command("restore", str(place.folder), "--key-file", str(place.key_file), "--drill", "--records", "3")
    with acting(tenant):
        drill = RestoreDrill.objects.get()
    assert (drill.status, drill.error_code, drill.backup_id) == ("passed", "", manifest.id)
    assert (drill.dataset_count, drill.version_count, drill.record_count, drill.mismatch_count) == (1, 1, 3, 0)
    assert drill.rto_seconds > 0

    object_file = next((place.folder / "objects").rglob("*/*/*"))
    object_file.unlink()
    with pytest.raises(CommandError, match="VAULT_COMP_8201"):
        call_command("restore", str(place.folder), "--key-file", str(place.key_file), "--drill", "--records", "3")
    with acting(tenant):
        assert list(RestoreDrill.objects.order_by("id").values_list("status", flat=True)) == ["passed", "failed"]


def test_a_killed_backup_is_none_and_keeps_nobody_waiting(tenant, place, tmp_path):
    filled(tenant, 5)
    command = [sys.executable, "manage.py", "backup", str(place.folder), "--key-file", str(place.key_file)]
    log, folder = tmp_path / "backup.log", place.folder / "backups"
    with process(command, dict(os.environ), log) as started, transaction.atomic(using="owner"):
        assert list(BackupRun.objects.using("owner").select_for_update()[:1]) is not None
        until(lambda: any(folder.glob("*/.database.*")) or started.poll() is not None, every=0.01)
        os.killpg(started.pid, signal.SIGKILL)
    assert place.open().backups() == []
    manifest = back_up(place)
    assert place.open().backups() == [manifest.id]
    assert [one.name for one in folder.iterdir()] == [manifest.id]


@pytest.mark.parametrize("left", ["blobs/pack/00/00000000000000000000000000000000", "postgres/PG_VERSION"])
def test_a_vault_that_is_not_empty_is_not_overwritten(tenant, place, tmp_path, left):
    back_up(place)
    home = tmp_path / "vault"
    (home / left).parent.mkdir(parents=True)
    (home / left).write_text("something")
    ended = run_restore(place, home)
    assert ended.returncode != 0
    assert "VAULT_COMP_8202" in ended.stderr
    assert (home / left).read_text() == "something"
