"""The replay journal: what was erased, kept beside the backups, because a database brought back does not know it.

Each shipment is a sealed file ``journal/00000001`` that names the digest of the one before; ``journal/head`` says which
is the last, and when somebody last looked for more. A file that is missing, exchanged or out of order does not pass.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson
from django.utils import timezone

from compliance.backup.collect import collect_entries
from compliance.backup.entries import Entry
from compliance.backup.repository import Repository
from compliance.errors.backup import BackupDamaged

_HEAD: Final = "journal/head"


@dataclass(frozen=True)
class Journal:
    """``complete_until``: what was erased up to then is among the entries. ``sequence``: shipments so far."""

    entries: tuple[Entry, ...]
    sequence: int
    digest: str
    complete_until: datetime | None


def ship_journal(repository: Repository) -> int:
    """Write what was erased since the last shipment; returns how many entries. Waits for another that ships."""
    with _turn(repository.folder / "journal" / "lock"):
        looked_at = timezone.now()
        before = read_journal(repository)
        known = {entry.key for entry in before.entries}
        new = [entry for entry in collect_entries(known) if entry.key not in known]
        sequence, digest = before.sequence, before.digest
        if new:
            sequence += 1
            encoded = _encode(sequence, digest, new)
            repository.write(_file(sequence), [encoded])
            digest = hashlib.sha256(encoded).hexdigest()
        head = {"sequence": sequence, "sha256": digest, "complete_until": looked_at}
        repository.write(_HEAD, [orjson.dumps(head)])
    return len(new)


def read_journal(repository: Repository) -> Journal:
    """Everything in the journal, in order. Raises BackupDamaged."""
    entries: list[Entry] = []
    sequence, digest = 0, ""
    while (repository.folder / _file(sequence + 1)).exists():
        encoded = b"".join(repository.read(_file(sequence + 1)))
        told = _decode(encoded)
        if told["sequence"] != sequence + 1 or told["previous"] != digest:
            raise BackupDamaged("the replay journal is not in one piece")
        entries += [Entry(**entry) for entry in told["entries"]]
        sequence, digest = sequence + 1, hashlib.sha256(encoded).hexdigest()
    head = _head(repository)
    if head["sequence"] > sequence:
        raise BackupDamaged("the end of the replay journal is missing")
    if head["sequence"] == sequence and head["sha256"] != digest:
        raise BackupDamaged("the replay journal ends otherwise than it did")
    until = datetime.fromisoformat(head["complete_until"]) if head["complete_until"] else None
    return Journal(tuple(entries), sequence, digest, until)


def _head(repository: Repository) -> dict[str, Any]:
    if not (repository.folder / _HEAD).exists():
        return {"sequence": 0, "sha256": "", "complete_until": None}
    return _decode(b"".join(repository.read(_HEAD)))


def _file(sequence: int) -> str:
    return f"journal/{sequence:08}"


def _encode(sequence: int, previous: str, entries: Sequence[Entry]) -> bytes:
    return orjson.dumps({"sequence": sequence, "previous": previous, "entries": [asdict(one) for one in entries]})


def _decode(encoded: bytes) -> dict[str, Any]:
    try:
        told: dict[str, Any] = orjson.loads(encoded)
    except ValueError:
        raise BackupDamaged("the replay journal cannot be read") from None
    return told


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
