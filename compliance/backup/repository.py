"""A repository: one folder of sealed files, where objects lie once however many backups name them.

repository.json           format, id, and the id of the key (in the clear; nothing else is)
objects/<object's name>   one sealed file for each object of the blob store
backups/<id>/             database, keys (if asked for), and manifest, which is written last
journal/                  compliance.backup.journal
"""

import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson

from compliance.backup.keys import BackupKey
from compliance.backup.manifest import FileFacts, Manifest, ObjectFacts, decode_manifest
from compliance.backup.sealed_files import Place, Written, check_file, open_file, sync_folder, write_sealed
from compliance.errors.backup import BackupDamaged, BackupKeyUnusable, BackupNotFound, RepositoryBusy
from vaultsite.kernel.blobs import is_blob_name
from vaultsite.kernel.identifiers import uuid7

FORMAT: Final = 1
_ABOUT: Final = "repository.json"
_BACKUP_ID: Final = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}", re.ASCII)


@dataclass(frozen=True)
class Repository:
    """An opened repository. Whatever it hands out has been authenticated."""

    folder: Path
    id: UUID
    key: BackupKey

    def place(self, name: str) -> Place:
        return Place(self.id, name)

    def write(self, name: str, parts: Iterable[bytes]) -> Written:
        """Seal ``parts`` as the file ``name``, replacing it in one step."""
        return write_sealed(self.folder / name, self.key, self.place(name), parts)

    def read(self, name: str) -> Iterator[bytes]:
        """The pieces of a file. Raises BackupDamaged."""
        return open_file(self.folder / name, self.key, self.place(name))

    def check(self, name: str, facts: FileFacts) -> None:
        """Raises BackupDamaged unless the file is whole and the one that ``facts`` are of."""
        check_file(self.folder / name, self.key, self.place(name), size=facts.size, sha256=facts.sha256)

    def backups(self) -> list[str]:
        """The ids of finished backups, oldest first."""
        folder = self.folder / "backups"
        if not folder.is_dir():
            return []
        return sorted(one.name for one in folder.iterdir() if is_backup_id(one.name) and (one / "manifest").exists())

    def manifest(self, backup_id: str) -> Manifest:
        """Raises BackupNotFound, BackupDamaged."""
        if backup_id not in self.backups():
            raise BackupNotFound
        found = decode_manifest(b"".join(self.read(f"backups/{backup_id}/manifest")))
        if found.id != backup_id:
            raise BackupDamaged("the manifest is that of another backup")
        return found

    def newest(self) -> str:
        """Raises BackupNotFound."""
        found = self.backups()
        if not found:
            raise BackupNotFound
        return found[-1]

    def has_object(self, name: str) -> bool:
        return (self.folder / object_file(name)).exists()

    def known_objects(self) -> dict[str, ObjectFacts]:
        """Every object that a finished backup names and that is there."""
        manifests = (self.manifest(one) for one in self.backups())
        named = {one.name: one for manifest in manifests for one in manifest.objects}
        return {name: one for name, one in named.items() if self.has_object(name)}

    def remove_backups(self, *, finished_before: datetime) -> list[str]:
        """Remove what ended before a moment, but never the newest; then what no manifest names. Returns the ids."""
        old = [one for one in self.backups()[:-1] if self.manifest(one).finished_at < finished_before]
        for one in old:
            (self.folder / "backups" / one / "manifest").unlink()  # from here on it is none
        self.remove_leftovers()
        return old

    def remove_leftovers(self) -> int:
        """Remove unfinished backups and objects that no manifest names; returns how many objects. Under ``writing``."""
        finished = set(self.backups())
        folder = self.folder / "backups"
        for one in folder.iterdir() if folder.is_dir() else ():
            if one.name not in finished:
                shutil.rmtree(one)
        named = {one.name for backup in finished for one in self.manifest(backup).objects}
        objects = self.folder / "objects"
        unnamed = [
            path for path in objects.rglob("*") if path.is_file() and str(path.relative_to(objects)) not in named
        ]
        for path in unnamed:
            path.unlink()
        return len(unnamed)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the one who writes backups; it ends with the process. Raises RepositoryBusy."""
        with _lock_file(self.folder / "lock") as descriptor:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RepositoryBusy from None
            yield


def object_file(name: str) -> str:
    """Where an object lies. Raises BackupDamaged for a name that no object has: it could lead out of the folder."""
    if not is_blob_name(name):
        raise BackupDamaged("an object has a name that is none")
    return f"objects/{name}"


def is_backup_id(name: str) -> bool:
    return _BACKUP_ID.fullmatch(name) is not None


def new_backup_id(at: datetime) -> str:
    """Sorts by time, of two in one second too: ``20260131T235959Z-1a2b3c4d``, the last three digits by chance."""
    return f"{at:%Y%m%dT%H%M%SZ}-{at.microsecond:05x}{secrets.token_hex(2)[:3]}"


def open_repository(folder: Path, key: BackupKey, *, create: bool = False) -> Repository:
    """Raises BackupNotFound when there is none and ``create`` is false, BackupKeyUnusable for another key."""
    about = folder / _ABOUT
    if not about.exists():
        if not create:
            raise BackupNotFound(f"{folder} is not a repository of backups")
        _make(folder, key)
    try:
        told = orjson.loads(about.read_bytes())
        repository, key_id, form = UUID(told["id"]), UUID(told["key"]), told["format"]
    except (ValueError, KeyError, TypeError):
        raise BackupDamaged(f"{_ABOUT} cannot be read") from None
    if form != FORMAT:
        raise BackupDamaged("the repository has a format that this release does not know")
    if key_id != key.id:
        raise BackupKeyUnusable("this repository is sealed under another key")
    return Repository(folder, repository, key)


def _make(folder: Path, key: BackupKey) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupNotFound(f"{folder} is not empty, and not a repository of backups")
    for name in ("objects", "backups", "journal"):
        (folder / name).mkdir(mode=0o700)
    unfinished = folder / f".{_ABOUT}"
    unfinished.write_bytes(orjson.dumps({"format": FORMAT, "id": str(uuid7()), "key": str(key.id)}))
    unfinished.rename(folder / _ABOUT)
    sync_folder(folder)


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
