"""Files that are either whole and on disk under their name, or not there at all."""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.utils.deconstruct import deconstructible

_TEMPORARY: Final = ".{}.tmp"
_WRITE_BYTES: Final = 1 << 20


@deconstructible(path="vaultsite.kernel.blobs.filesystem.AtomicFileSystemStorage")
class AtomicFileSystemStorage(FileSystemStorage):
    """Django's file storage with writes that survive a crash: temporary name, fsync, rename, fsync of the folder.

    Files have mode 0600 and folders 0700 whatever the settings for uploads say. A failed write raises the OSError it
    met and leaves nothing behind; what a killed process left is removed by :meth:`remove_stale_temporaries`.
    """

    def _save(self, name: str, content: "File[Any]") -> str:
        path = Path(self.path(name))
        _make_folders(path.parent)
        temporary = path.parent / _TEMPORARY.format(secrets.token_hex(16))
        try:
            _write(temporary, content)
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        try:
            _sync_folder(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return name

    def remove_stale_temporaries(self, older_than_seconds: float = 86_400) -> int:
        """Delete what writers killed in the middle left behind; returns how many files that were."""
        stale = [path for path in self._temporaries() if _age(path) > older_than_seconds]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _temporaries(self) -> Iterator[Path]:
        return Path(self.location).rglob(_TEMPORARY.format("*"))


def _write(path: Path, content: "File[Any]") -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in content.chunks(_WRITE_BYTES):
            file.write(chunk)
        file.flush()
        os.fsync(descriptor)


def _make_folders(folder: Path) -> None:
    """Create what is missing of ``folder``, each new entry on disk in its parent."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _age(path: Path) -> float:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return 0.0
