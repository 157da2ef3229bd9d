"""Files of any length, sealed in frames: each is bound to its file, its place in it, and whether it is the last.

A file is MAGIC, then frames of u32be length and sealed bytes (kernel.crypto.aead). A frame that was moved, left out,
taken from another file or cut off does not open; neither does a file that ends after a frame that is not its last.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from compliance.backup.keys import BackupKey
from compliance.errors.backup import BackupDamaged
from vaultsite.kernel.crypto.aead import Context, open_sealed, overhead, seal
from vaultsite.kernel.errors import IntegrityFailure, UnsupportedSealing

MAGIC: Final = b"LDVBACK1"
#: Plaintext bytes of every frame but the last.
FRAME_BYTES: Final = 4 * 1024 * 1024
_LENGTH: Final = 4
_LONGEST: Final = FRAME_BYTES + overhead(FRAME_BYTES)


@dataclass(frozen=True)
class Place:
    """What a file is in its repository: nothing opens as anything else."""

    repository: UUID
    name: str

    def context(self, index: int, *, is_last: bool) -> Context:
        where = self.name.encode() + b"\0" + index.to_bytes(8, "big") + (b"\1" if is_last else b"\0")
        return Context(self.repository, self.repository, "backup.frame", where)


@dataclass(frozen=True)
class Written:
    """Plaintext bytes and their SHA-256, and the bytes that the sealed file has."""

    size: int
    sha256: str
    sealed_size: int


def write_sealed(path: Path, key: BackupKey, place: Place, parts: Iterable[bytes]) -> Written:
    """Seal ``parts`` into ``path`` in one step: the file is whole and on disk under its name, or not there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    digest, size = hashlib.sha256(), 0
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(MAGIC)
            for index, (frame, is_last) in enumerate(_frames(parts)):
                digest.update(frame)
                size += len(frame)
                context = place.context(index, is_last=is_last)
                sealed = seal(key.key, key_id=key.id, context=context, plaintext=frame)
                file.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
            file.flush()
            os.fsync(descriptor)
            sealed_size = file.tell()
        temporary.rename(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return Written(size, digest.hexdigest(), sealed_size)


def open_file(path: Path, key: BackupKey, place: Place) -> Iterator[bytes]:
    """The plaintext in pieces, each authenticated before it is handed out; the end is authenticated with the last.

    Whoever acts on a piece before the last acts on a file that may prove to be cut off. Raises BackupDamaged.
    """
    try:
        with path.open("rb") as file:
            yield from _opened(file, key, place)
    except FileNotFoundError:
        raise BackupDamaged(f"{place.name} is missing") from None
    except (IntegrityFailure, UnsupportedSealing):
        raise BackupDamaged(f"{place.name} does not open: it was changed, or sealed under another key") from None


def check_file(path: Path, key: BackupKey, place: Place, *, size: int, sha256: str) -> None:
    """Read a file to its end. Raises BackupDamaged unless it is what was written."""
    digest, found = hashlib.sha256(), 0
    for piece in open_file(path, key, place):
        digest.update(piece)
        found += len(piece)
    if (found, digest.hexdigest()) != (size, sha256):
        raise BackupDamaged(f"{place.name} is another than the manifest names")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder lasting."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _frames(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Frames of FRAME_BYTES; the last one is shorter, and may be empty."""
    waiting = bytearray()
    for part in parts:
        waiting += part
        while len(waiting) >= FRAME_BYTES:
            yield bytes(waiting[:FRAME_BYTES]), False
            del waiting[:FRAME_BYTES]
    yield bytes(waiting), True


def _opened(file: BinaryIO, key: BackupKey, place: Place) -> Iterator[bytes]:
    if file.read(len(MAGIC)) != MAGIC:
        raise IntegrityFailure
    head, index = file.read(_LENGTH), 0
    while True:
        length = int.from_bytes(head, "big")
        if len(head) != _LENGTH or length > _LONGEST:
            raise IntegrityFailure
        sealed = file.read(length)
        head = file.read(_LENGTH)
        yield open_sealed(key.key, context=place.context(index, is_last=not head), sealed=sealed)
        if not head:
            return
        index += 1
