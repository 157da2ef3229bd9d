"""T57, T77: one person planted through every writer, erased, and then in no row, no file and no restored backup."""

import json
import os
import secrets
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from compliance.backup.repository import object_file
from datasets.models import SuppressedIdentifier
from datasets.services.erasure import work as record_work
from tests.factories.access import acting
from tests.factories.backup import back_up, new_place, run_restore, told_by
from tests.factories.planted import (
    COUNT,
    Person,
    all_rows,
    assert_whole,
    canaries_in,
    canaries_in_copies,
    canaries_in_rows,
    contexts_used,
    copies_of,
    found_in_files,
    plant,
    roots_of,
    secrets_in_rows,
    secrets_now,
)
from tests.factories.subjects import erase_person, search_for
from tests.isolation.rows import connect
from vaultsite.backup.drill import second_environment
from vaultsite.management.commands import rewrite_tables
from vaultsite.runtime.binaries import client_program
from vaultsite.runtime.environment import PROJECT, completed
from vaultsite.runtime.home import Home
from vaultsite.runtime.servers import borrowed_servers

pytestmark = pytest.mark.slow
ALL = set(range(COUNT))
#: What lies in chunks; the others are in a draft, a report of rejected lines, the words about the dataset, a token.
IN_CHUNKS = set(range(40))


def someone_new():
    """Letters alone: a number by chance would be somebody's."""
    return Person("zanzibar" + secrets.token_hex(8).translate(str.maketrans("0123456789", "ghijklmnop")))


def cluster():
    """The folder of the database server, its write-ahead log included."""
    return Home(Path(os.environ["VAULT_TEST_HOME"]).absolute()).cluster


def rows_of_backup(place, manifest):
    """The rows of the dump in a backup, as text."""
    pieces = b"".join(place.open().read(f"backups/{manifest.id}/database"))
    command = [client_program("pg_restore"), "--data-only", "--file=-"]
    told = subprocess.run(command, input=pieces, check=True, capture_output=True).stdout.decode()
    return [("dump", line) for line in told.splitlines()]


def copies_in_backup(place, copies):
    """The same objects as they lie in the repository of backups."""
    repository = place.open()
    bodies = {one.name: b"".join(repository.read(object_file(one.name))) for one, _ in copies}
    return [(one, bodies[one.name][one.offset : one.offset + one.length]) for one, _ in copies]


def told_by_restored(home, tenant, dataset, person, contexts):
    own = second_environment(home, keys_from_backup=False)
    places = home.with_name("contexts.json")
    places.write_text(json.dumps([[str(one.scope_id), one.kind, one.object_id.hex()] for one in contexts]))
    with borrowed_servers(home, throwaway=True) as environment:
        command = [sys.executable, "-m", "tests.journeys.restored_person", str(tenant.pk), str(dataset.pk)]
        ended = subprocess.run(
            [*command, person.word, str(places)],
            cwd=PROJECT,
            env=completed(own, environment) | {"DJANGO_SETTINGS_MODULE": "vaultsite.settings"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def clear_text_in_files(person, place):
    """Objects and backups are sealed before they are written: the word is in no file of theirs, at any time."""
    store = Path(settings.STORAGES["vault"]["OPTIONS"]["location"])
    return found_in_files([store, place.folder], {person.word.encode()})


def write_out_pages():
    """Let the database write every page that has changed to its files."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("CHECKPOINT")


def test_of_fifty_canaries_no_row_file_or_restored_backup_gives_one_after_the_erasure(tenant, tmp_path, monkeypatch):
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)
    person, place, contexts = someone_new(), new_place(tmp_path), contexts_used(monkeypatch)
    dataset = plant(tenant, person)
    search = search_for(tenant, person.identifiers)
    manifest = back_up(place)
    roots, before, old_secrets = roots_of(tenant, dataset), copies_of(tenant, dataset), secrets_now(tenant)

    assert canaries_in(tenant, dataset, person) == ALL, "the control: all are there"
    found, shut = canaries_in_rows(tenant, person, all_rows(), contexts)
    assert found == ALL, "the search knows whom it is for"
    assert shut == {"access_encryptionkey"}, "nothing sealed is left unread but keys that only the KMS unwraps"
    assert canaries_in_copies(tenant, dataset, person, before, old_secrets) >= IN_CHUNKS

    erasure = erase_person(tenant, search)
    assert (erasure.status, erasure.remaining) == ("succeeded", {})
    call_command("backup", str(place.folder), "--key-file", str(place.key_file), "--journal")
    assert canaries_in(tenant, dataset, person) == set()
    assert canaries_in_rows(tenant, person, all_rows(), contexts) == (set(), {"access_encryptionkey"})
    assert canaries_in_copies(tenant, dataset, person, before, secrets_now(tenant)) == set()
    assert_whole(tenant, dataset, roots)

    _assert_files_forget(tenant, dataset, person, before)
    assert clear_text_in_files(person, place) == {}

    in_backup = copies_in_backup(place, before)
    of_backup = secrets_in_rows(rows_of_backup(place, manifest))
    assert canaries_in_copies(tenant, dataset, person, in_backup, of_backup) >= IN_CHUNKS, "beyond use, not gone"
    home = tmp_path / "vault"
    told_by(run_restore(place, home))
    told = told_by_restored(home, tenant, dataset, person, contexts)
    assert (told["stores"], told["rows"], told["identifiers"]) == ([], [], 0)
    assert told["roots"] == {label: root.hex() for label, root in roots.items()}
    restored = {bytes.fromhex(secret) for secret in told["secrets"]}
    assert canaries_in_copies(tenant, dataset, person, in_backup, restored) == set()
    with acting(tenant):
        assert told["suppressed"] == SuppressedIdentifier.objects.count() == COUNT


def test_a_table_in_use_is_left_for_the_next_time_and_the_audit_is_not_written_anew():
    before = files_of("access_user", "access_lease", "audit_leaf")
    with connect("vault_owner") as reader:
        reader.execute("LOCK TABLE access_lease IN ACCESS SHARE MODE")
        with pytest.raises(CommandError, match=r"not written anew: access_lease$"):
            call_command("rewrite_tables", stdout=StringIO())
    after = files_of("access_user", "access_lease", "audit_leaf")
    assert [name for name in before if before[name] != after[name]] == ["access_user"]


def test_what_an_older_transaction_can_still_see_is_not_said_to_be_gone():
    """A rewriting copies the rows that somebody may still read: nothing is written, and who it is, is named."""
    before = files_of("access_user")
    with connect("vault_app") as reader:
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        (pid,) = reader.execute("SELECT pg_backend_pid()").fetchone()
        with connect("vault_owner") as writer:
            writer.execute("CREATE TABLE rewrite_probe AS SELECT 1 AS one")
            writer.rollback()
        with pytest.raises(CommandError, match=rf"is kept for: .*process {pid} of vault_app"):
            call_command("rewrite_tables", stdout=StringIO())
    assert files_of("access_user") == before


def test_a_table_that_could_not_be_written_is_not_called_in_use(monkeypatch):
    monkeypatch.setattr(rewrite_tables, "_REWRITE", "SELECT pg_sleep(1) AS {}")
    monkeypatch.setattr(rewrite_tables, "_PATIENCE", "SET statement_timeout = '20ms'")
    monkeypatch.setattr(rewrite_tables, "_IMPATIENCE", "RESET statement_timeout")
    with pytest.raises(
        CommandError, match=r"not written anew: \w+: canceling statement due to statement timeout"
    ) as told:
        call_command("rewrite_tables", stdout=StringIO())
    assert "in use" not in str(told.value)


def files_of(*tables):
    """Table -> the file it lies in."""
    with connect("vault_owner") as connection:
        return {name: connection.execute("SELECT pg_relation_filepath(%s)", [name]).fetchone() for name in tables}


def _assert_files_forget(tenant, dataset, person, before):
    """Old rows and the log give their bytes to who reads the server's files, until the tables are written anew."""
    write_out_pages()
    word, gone = person.word.encode(), {one.secret for one, _ in before} - secrets_now(tenant)
    found = found_in_files([cluster()], {word, *gone})
    assert word in found, "what stood in the clear"
    in_files = {secret for secret in found if secret != word}
    assert canaries_in_copies(tenant, dataset, person, before, in_files) >= IN_CHUNKS, "what secrets of the past open"
    call_command("rewrite_tables", stdout=StringIO())
    assert found_in_files([cluster()], {word, *gone}) == {}
