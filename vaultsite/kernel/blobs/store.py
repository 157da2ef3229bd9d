"""The blob store: immutable byte strings under generated names, in any Django storage."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from django.core.files.base import ContentFile
from django.core.files.storage import InvalidStorageError, Storage, storages

from vaultsite.kernel.blobs.names import is_blob_name
from vaultsite.kernel.errors import BlobMissing, StorageFull, StorageUnavailable
from vaultsite.kernel.regions import DEFAULT_STORE

#: The alias in STORAGES that holds sealed data, but for that of regions with stores of their own.
ALIAS: Final = DEFAULT_STORE

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class BlobStore:
    """Blobs are written once, read whole or in part, and deleted; they are never changed.

    Every method raises ValueError for a name that ``new_blob_name`` cannot have made, StorageFull when there is no
    room, and StorageUnavailable when the storage fails in another way.
    """

    def __init__(self, storage: Storage, alias: str = ALIAS) -> None:
        self._storage = storage
        self.alias = alias

    @classmethod
    def default(cls) -> "BlobStore":
        """The store over STORAGES["vault"]."""
        return cls.at(ALIAS)

    @classmethod
    def at(cls, alias: str) -> "BlobStore":
        """The store over STORAGES[alias]. Raises StorageUnavailable when the settings name none."""
        try:
            return cls(storages[alias], alias)
        except InvalidStorageError as unknown:
            raise StorageUnavailable("The settings have no such store") from unknown

    def percent_full(self) -> int | None:
        """How full the disk of the store is, 0 to 100; None for a store that has no disk of ours."""
        location = getattr(self._storage, "location", None)
        if not isinstance(location, str) or not Path(location).is_dir():
            return None
        usage = shutil.disk_usage(location)
        return 100 - 100 * usage.free // usage.total

    def put(self, name: str, data: bytes) -> None:
        """Store ``data``; it is durable when this returns. Raises FileExistsError when the name is taken."""
        with _translated(name):
            saved = self._storage.save(name, ContentFile(data))
            if saved == name:
                return
            self._storage.delete(saved)
        raise FileExistsError(errno.EEXIST, "a blob is written once", name)

    def get(self, name: str) -> bytes:
        """The whole blob. Raises BlobMissing."""
        with _translated(name), self._storage.open(name, "rb") as file:
            return bytes(file.read())

    def get_range(self, name: str, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``. Raises BlobMissing when the blob is not there or ends before they do."""
        if offset < 0 or length < 0:
            raise ValueError("a range starts inside the blob and has a length")
        with _translated(name), self._storage.open(name, "rb") as file:
            file.seek(offset)
            data = bytes(file.read(length))
        if len(data) != length:
            raise BlobMissing("The stored object ends before the range does")
        return data

    def remove_stale_temporaries(self) -> int:
        """Remove what writers killed in the middle left, where the storage knows of such; returns how many."""
        remove = getattr(self._storage, "remove_stale_temporaries", None)
        return int(remove()) if remove is not None else 0

    def delete(self, name: str) -> None:
        """Remove the blob; removing it again changes nothing."""
        with _translated(name):
            self._storage.delete(name)

    def exists(self, name: str) -> bool:
        with _translated(name):
            return bool(self._storage.exists(name))

    def size(self, name: str) -> int:
        """Bytes stored. Raises BlobMissing."""
        with _translated(name):
            return int(self._storage.size(name))

    def names(self, prefix: str = "") -> Iterator[str]:
        """Every blob whose name starts with ``prefix``, in order within a folder; other files are passed over."""
        return (name for name in self._walk("", prefix) if is_blob_name(name))

    def _walk(self, folder: str, prefix: str) -> Iterator[str]:
        try:
            folders, files = self._storage.listdir(folder)
        except FileNotFoundError:
            return
        except OSError as fault:
            raise _as_ours(fault) from fault
        for name in sorted(files):
            if f"{folder}{name}".startswith(prefix):
                yield f"{folder}{name}"
        for name in sorted(folders):
            path = f"{folder}{name}/"
            if path.startswith(prefix) or prefix.startswith(path):
                yield from self._walk(path, prefix)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    if not is_blob_name(name):
        raise ValueError("not a name of a blob")
    try:
        yield
    except FileNotFoundError as missing:
        raise BlobMissing from missing
    except OSError as fault:
        raise _as_ours(fault) from fault


def _as_ours(fault: OSError) -> StorageFull | StorageUnavailable:
    return StorageFull() if fault.errno in _FULL else StorageUnavailable()
