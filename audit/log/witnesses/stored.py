"""Witnesses that are storages: the vault's blob store, and a folder.

A note is one object. Its name is the log's origin and the size with 15 digits in groups of three
(``../000/000/001/234/567``), so that the newest one is found by five short listings.
"""

import copy
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.utils import timezone

from audit.log.errors import WitnessConflict, WitnessUnavailable
from audit.log.witnesses.base import Holding, Witness
from vaultsite.kernel.blobs.filesystem import AtomicFileSystemStorage
from vaultsite.kernel.blobs.store import ALIAS
from vaultsite.kernel.errors import VaultError

#: The folder of the witness in the blob store, beside the vault's sealed objects.
PREFIX: Final = "audit-checkpoints"
_GROUPS: Final = 5
_DIGITS: Final = 3
#: The longest note that is read, bytes.
_BIGGEST: Final = 64 * 1024


class StorageWitness(Witness):
    """Notes as objects of a Django storage, locked where the storage's bucket can lock objects (S3 Object Lock).

    The storage's credentials are the vault's own: without a lock, whoever holds the vault's machine can remove what it
    holds.
    """

    def __init__(self, storage: Storage, *, prefix: str = "", lock_days: int = 0) -> None:
        self._storage = storage
        self._prefix = f"{prefix}/" if prefix else ""
        self._lock_days = lock_days
        self._locks: bool | None = None

    def hold(self, log: str, size: int, note: str) -> Holding:
        place = self._place(log, size)
        with self._translated():
            held = self._read(place)
            until = None
            if held is None:
                until = self._locked_until()
                saved = self._storage_locking(until).save(place, ContentFile(note.encode()))
                if saved != place:  # somebody else was faster
                    self._storage.delete(saved)
                held = self._read(place)
        if held != note:
            raise WitnessConflict(witness=self.name, size=size)
        return Holding(place, until)

    def newest(self, log: str) -> str | None:
        with self._translated():
            place = self._newest_below(f"{self._prefix}{log}", _GROUPS)
            return self._read(place) if place else None

    def read(self, log: str, size: int) -> str | None:
        with self._translated():
            return self._read(self._place(log, size))

    def locks(self) -> bool:
        if self._locks is None:
            with self._translated():
                self._locks = self._lock_days > 0 and _can_lock(self._storage)
        return self._locks

    def _place(self, log: str, size: int) -> str:
        digits = f"{size:0{_GROUPS * _DIGITS}d}"
        groups = [digits[start : start + _DIGITS] for start in range(0, len(digits), _DIGITS)]
        return f"{self._prefix}{log}/{'/'.join(groups)}"

    def _read(self, place: str) -> str | None:
        try:
            with self._storage.open(place, "rb") as file:
                return bytes(file.read(_BIGGEST)).decode("utf-8", "replace")
        except (FileNotFoundError, IsADirectoryError):
            return None

    def _newest_below(self, folder: str, groups: int) -> str | None:
        """The last place below ``folder``; folders that a killed writer left empty are passed over."""
        try:
            folders, files = self._storage.listdir(folder)
        except FileNotFoundError:
            return None
        names = files if groups == 1 else folders
        for name in sorted((one for one in names if one.isdecimal() and len(one) == _DIGITS), reverse=True):
            place = f"{folder}/{name}"
            found = place if groups == 1 else self._newest_below(place, groups - 1)
            if found:
                return found
        return None

    def _locked_until(self) -> datetime | None:
        return timezone.now() + timedelta(days=self._lock_days) if self.locks() else None

    def _storage_locking(self, until: datetime | None) -> Any:
        if until is None:
            return self._storage
        locking: Any = copy.copy(self._storage)
        locking.object_parameters = {
            **locking.object_parameters,
            "ObjectLockMode": "COMPLIANCE",
            "ObjectLockRetainUntilDate": until,
        }
        return locking

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """What a storage raises is its library's own, and S3's, Google's and Azure's have no type in common."""
        try:
            yield
        except VaultError:
            raise
        except Exception as fault:
            reason = os.strerror(fault.errno or errno.EIO) if isinstance(fault, OSError) else type(fault).__name__
            raise WitnessUnavailable(witness=self.name, reason=reason) from fault


class BlobStoreWitness(StorageWitness):
    """The vault's own blob store."""

    name = "blob store"

    def __init__(self, lock_days: int) -> None:
        super().__init__(storages[ALIAS], prefix=PREFIX, lock_days=lock_days)


class FolderWitness(StorageWitness):
    """A folder, made with its first note: better on a disk of another machine, which the vault may only add to."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(AtomicFileSystemStorage(location=folder))


def _can_lock(storage: Any) -> bool:
    """Whether the bucket of an S3 storage was made with Object Lock; other storages have none that we know of."""
    if not hasattr(storage, "bucket_name") or not hasattr(storage, "object_parameters"):
        return False
    client = storage.connection.meta.client
    try:
        told = client.get_object_lock_configuration(Bucket=storage.bucket_name)
    except client.exceptions.ClientError:
        return False
    return bool(told.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")
