"""Bring a backup into an empty vault, step by step, and open it only when what was erased since is erased again.

Every step that is done is written down before the next begins; each can be done again. A restore that was killed goes
on where it was when it is started again.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from compliance.backup.manifest import Manifest
from compliance.backup.repository import Repository, object_file
from compliance.errors.backup import BackupDamaged, ReplayRefused, RestoreTargetInUse
from vaultsite.backup.database import close_database, folder_is_empty, is_empty, load, open_database
from vaultsite.backup.kept_apart import unpack_keys
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing
from vaultsite.runtime.environment import PROJECT, completed
from vaultsite.runtime.home import open_home
from vaultsite.runtime.restoring import Progress, end_progress, read_progress, write_progress
from vaultsite.runtime.servers import borrowed_servers

#: Exit status of ``replay_journal`` when something could not be erased again.
REFUSED: Final = 3
#: Why a vault is restored that nobody will use.
DRILL: Final = "drill"


@dataclass
class Restore:
    """One restore into the vault of the settings. ``told`` is what the replay said of itself."""

    repository: Repository
    manifest: Manifest
    key_file: Path
    say: Callable[[str], object]
    throwaway: bool = False
    reason: str = "database-restored"
    #: How many records of every dataset are read at the end; none unless it is a drill.
    compared_records: int = 0
    compared: list[dict[str, Any]] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return Path(settings.VAULT_HOME)

    def run(self) -> None:
        """Raises RestoreTargetInUse, BackupDamaged, DatabaseProgramFailed, ReplayRefused."""
        open_home(self.home)
        progress = self._begin()
        self._timed("check", self._check)
        with self._servers() as environment:
            steps: dict[str, Callable[[dict[str, str]], None]] = {
                "database": self._load_database,
                "objects": self._copy_objects,
                "keys": self._write_keys,
                "replay": self._replay,
                "verify": self._verify,
            }
            for name, step in steps.items():
                if name not in progress.steps:
                    self._timed(name, partial(step, environment))
                    progress = progress.after(name)
                    write_progress(self.home, progress)
            open_database(_owner_url(environment))
            end_progress(self.home)
            if self.compared_records:
                self._timed("compare", partial(self._compare, environment))

    def _begin(self) -> Progress:
        wanted = Progress(str(self.repository.id), self.manifest.id)
        found = read_progress(self.home)
        if found is not None:
            if (found.repository, found.backup) != (wanted.repository, wanted.backup):
                raise RestoreTargetInUse(f"the restore of backup {found.backup} was begun here and has not ended")
            return found
        if (self.home / "postgres").exists() or not folder_is_empty(self.home / "blobs"):
            raise RestoreTargetInUse(f"{self.home} holds a vault: restore into an empty folder")
        if next(BlobStore.default().names(), None) is not None:
            raise RestoreTargetInUse("the object store holds objects")
        if self._has_servers() and not is_empty(settings.CONFIG.owner_database_url):
            raise RestoreTargetInUse("the database holds tables")
        write_progress(self.home, wanted)
        return wanted

    def _check(self) -> None:
        """Before anything is written: whole files, and every object there."""
        backup = f"backups/{self.manifest.id}"
        self.repository.check(f"{backup}/database", self.manifest.database)
        if self.manifest.keys is not None:
            self.repository.check(f"{backup}/keys", self.manifest.keys)
        lost = [one.name for one in self.manifest.objects if not self.repository.has_object(one.name)]
        if lost:
            raise BackupDamaged(f"{len(lost)} objects of the backup are not in the repository")

    def _has_servers(self) -> bool:
        """Whether the target's database is one that the operator named; a drill has always its own."""
        is_own = self.reason == DRILL or (self.home / "postgres").exists()
        return bool(settings.CONFIG.owner_database_url) and not is_own

    @contextmanager
    def _servers(self) -> Iterator[dict[str, str]]:
        """The environment of the target's commands; its embedded servers run inside unless others are named."""
        if self._has_servers():
            yield dict(os.environ)
            return
        with borrowed_servers(self.home, throwaway=self.throwaway) as environment:
            yield completed(os.environ, environment)

    def _load_database(self, environment: dict[str, str]) -> None:
        """One transaction: what a killed restore left is either nothing or all of it."""
        url = _owner_url(environment)
        if is_empty(url):
            close_database(url)
            load(url, self.repository.read(f"backups/{self.manifest.id}/database"))

    def _copy_objects(self, _environment: dict[str, str]) -> None:
        store = BlobStore.default()
        for one in self.manifest.objects:
            if _has(store, one.name, one.size):
                continue
            name = object_file(one.name)
            body = b"".join(self.repository.read(name))
            if len(body) != one.size:
                raise BackupDamaged(f"{name} is another than the manifest names")
            store.put(one.name, body)

    def _write_keys(self, _environment: dict[str, str]) -> None:
        if self.manifest.keys is not None:
            packed = b"".join(self.repository.read(f"backups/{self.manifest.id}/keys"))
            self.say(f"{unpack_keys(packed, self.home)} files of keys written")

    def _replay(self, environment: dict[str, str]) -> None:
        """In a process of its own: the settings of this one know no database."""
        command = ["replay_journal", str(self.repository.folder), "--key-file", str(self.key_file)]
        ended = self._manage(environment, *command, "--backup", self.manifest.id)
        self.told = json.loads(ended.stdout.splitlines()[-1]) if ended.stdout.strip() else {}
        for line in self.told.get("lost", ()):
            self.say(line)
        if ended.returncode == REFUSED:
            raise ReplayRefused("; ".join(self.told.get("refused", ())))
        if ended.returncode != 0:
            raise ReplayRefused(f"the replay ended with status {ended.returncode}: {ended.stderr.strip()[-600:]}")

    def _verify(self, environment: dict[str, str]) -> None:
        """What the audit says of itself is for people to judge: newer events are missing, and it must say so."""
        ended = self._manage(environment, "begin_recovery", "--reason", self.reason)
        self.say(ended.stdout.rstrip())
        if ended.returncode != 0:
            self.say(f"the audit's verification ended with status {ended.returncode}: {ended.stderr.strip()[-600:]}")

    def _compare(self, environment: dict[str, str]) -> None:
        """After the vault is open: what is read is what a user would read."""
        command = ["compare_restored", str(self.repository.folder), "--key-file", str(self.key_file)]
        ended = self._manage(
            environment, *command, "--backup", self.manifest.id, "--records", str(self.compared_records)
        )
        if ended.returncode != 0:
            raise BackupDamaged(f"the comparison ended with status {ended.returncode}: {ended.stderr.strip()[-600:]}")
        self.compared = json.loads(ended.stdout.splitlines()[-1])

    def _manage(self, environment: dict[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)  # noqa: S603

    def _timed(self, name: str, step: Callable[[], None]) -> None:
        began = time.monotonic()
        step()
        self.seconds[name] = time.monotonic() - began
        self.say(f"{name}: {self.seconds[name]:.1f} s")


def _owner_url(environment: dict[str, str]) -> str:
    """That of the embedded server, or the one that the operator named, in the environment or in a file."""
    return environment.get("VAULT_OWNER_DATABASE_URL") or str(settings.CONFIG.owner_database_url)


def _has(store: BlobStore, name: str, size: int) -> bool:
    """Objects are stored whole or not at all, so one of the right size under its random name is the one."""
    try:
        return store.size(name) == size
    except BlobMissing:
        return False
