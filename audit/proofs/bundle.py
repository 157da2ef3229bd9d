"""Writes audit bundles: ZIP archives that prove their events to whoever has the log's public key."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

from django.db.models.functions import TruncDate

from audit.log.stored import StoredTree
from audit.models import AuditCheckpoint
from audit.proofs import verify_export
from audit.proofs.cover import cover
from audit.proofs.events import prove_consistency
from audit.proofs.heads import Trust

#: Earlier checkpoints in a bundle: the last of a day each.
EARLIER: Final = 31
_README: Final = """\
Events of an audit log, and what proves that the log contains them.

    python -m venv check && check/bin/pip install cryptography
    check/bin/python verify_export.py --keys KEYS THIS_ARCHIVE.zip

KEYS is a file with the public keys of the log. Get it from who runs the vault, on another way than this archive; the
file "keys" in the archive is for comparison. verify_export.py is short: read it, or take it from elsewhere too.
"verified" and exit status 0 mean that every event stands in the log, unchanged, at the place that "sequence" names,
under the checkpoint in "checkpoint". Compare that with what a witness holds: --known FILE.
"""


@dataclass(frozen=True)
class BundleEvent:
    """A sealed event: its sequence number and its exact bytes."""

    seq: int
    body: bytes


class _Sums:
    """Adds files to an archive and remembers their SHA-256."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive
        self._sums: dict[str, str] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> None:
        digest = hashlib.sha256()
        with self._archive.open(name, "w", force_zip64=True) as file:
            for part in parts:
                digest.update(part)
                file.write(part)
        self._sums[name] = digest.hexdigest()

    def close(self) -> None:
        lines = "".join(f"{self._sums[name]}  {name}\n" for name in sorted(self._sums))
        self._archive.writestr("SHA256SUMS", lines)


def write_bundle(
    target: IO[bytes],
    *,
    tenant_id: UUID,
    checkpoint: AuditCheckpoint,
    events: Iterable[BundleEvent],
    about: bytes,
) -> int:
    """Write a bundle into ``target``; returns how many events it holds. Inside a scope, which must stay open.

    ``events`` are sealed under ``checkpoint`` (seq < its size) and strictly ascend by seq; they are streamed, eight
    bytes each are kept. ``about`` becomes ``export.json``. Raises ValueError for events out of order or outside,
    MissingHashes, ProofBroken, SigningKeyUnavailable.
    """
    numbers = array("q")
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        files = _Sums(archive)
        files.add("events.jsonl", _lines(events, numbers, checkpoint.size))
        files.add("sequence", (b"%d\n" % number for number in numbers))
        files.add("hashes", cover(StoredTree(tenant_id), numbers, checkpoint.size))
        files.add("checkpoint", [checkpoint.note.encode()])
        for earlier in earlier_checkpoints(tenant_id, checkpoint.size):
            proof = prove_consistency(tenant_id, earlier, checkpoint.size)
            files.add(f"checkpoints/{earlier}", [proof.as_file().encode()])
        files.add("keys", [public_keys(tenant_id).encode()])
        files.add("export.json", [about])
        files.add("README.txt", [_README.encode()])
        files.add("verify_export.py", [Path(verify_export.__file__).read_bytes()])
        files.close()
    return len(numbers)


def _lines(events: Iterable[BundleEvent], numbers: "array[int]", size: int) -> Iterator[bytes]:
    before = -1
    for event in events:
        if not before < event.seq < size:
            raise ValueError("events of a bundle ascend, and lie under its checkpoint")
        before = event.seq
        numbers.append(event.seq)
        yield event.body + b"\n"


def public_keys(tenant_id: UUID) -> str:
    """The keys of an organization's log, one verifier key a line, the newest first. Raises SigningKeyUnavailable."""
    return "".join(f"{verifier}\n" for verifier in Trust.of(tenant_id).verifiers)


def earlier_checkpoints(tenant_id: UUID, size: int) -> list[int]:
    """Sizes of the last checkpoint of each of the latest days, smaller than ``size``."""
    days = (
        AuditCheckpoint.objects.filter(tenant_id=tenant_id, size__lt=size)
        .annotate(day=TruncDate("time"))
        .order_by("-day", "-size")
        .distinct("day")
    )
    return sorted(newest for _, newest in days.values_list("day", "size")[:EARLIER])
