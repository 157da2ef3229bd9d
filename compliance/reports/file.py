"""The file of a report: sealed parts in the blob store, written in order, named so that leftovers are found."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Final
from uuid import UUID

from access.services.keyring import open_column, seal_column
from compliance.errors.reports import ReportExpired
from compliance.models import Report
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing

KIND: Final = "report"
#: Plaintext bytes of a part at most: what a download holds in memory.
PART_BYTES: Final = 4 * 1024 * 1024


class Target:
    """Takes the bytes of a file from front to back; each part is sealed in a scope of its own."""

    def __init__(self, report: Report, fence: int, scope: Callable[[], AbstractContextManager[None]]) -> None:
        self.parts: list[list[object]] = []
        self.size = 0
        self._digest = hashlib.sha256()
        self._report_id, self._fence, self._scope = report.pk, fence, scope
        self._waiting = bytearray()

    def write(self, data: bytes) -> None:
        self._waiting += data
        self.size += len(data)
        self._digest.update(data)
        while len(self._waiting) >= PART_BYTES:
            self._seal(PART_BYTES)

    def end(self) -> str:
        """Seal what is left; the file's SHA-256 in hex."""
        if self._waiting:
            self._seal(len(self._waiting))
        return self._digest.hexdigest()

    def _seal(self, size: int) -> None:
        body = bytes(self._waiting[:size])
        del self._waiting[:size]
        number = len(self.parts)
        name = part_name(self._report_id, self._fence, number)
        with self._scope():
            BlobStore.default().put(name, seal_column(KIND, _place(self._report_id, number), body))
        self.parts.append([name, len(body)])


def part_name(report_id: UUID, fence: int, number: int) -> str:
    """The blob of a part as written under a claim: nobody else's, and known to whoever cleans up after a kill."""
    unique = hashlib.sha256(f"{report_id}/{fence}/{number}".encode()).hexdigest()[:32]
    return f"{KIND}/{unique[:2]}/{unique}"


def read_parts(report: Report) -> Iterator[bytes]:
    """The file in pieces, inside a scope. Raises ReportExpired when it was removed meanwhile, IntegrityFailure."""
    yield from (read_part(report.pk, number, name) for number, (name, _) in enumerate(report.parts))


def read_part(report_id: UUID, number: int, name: str) -> bytes:
    """Inside a scope. Raises ReportExpired, IntegrityFailure."""
    try:
        sealed = BlobStore.default().get(name)
    except BlobMissing as missing:
        raise ReportExpired from missing
    return open_column(KIND, _place(report_id, number), sealed)


def remove_file(report: Report) -> None:
    """Delete every part of a file, and what killed workers left of it."""
    store = BlobStore.default()
    for name, _ in report.parts:
        with suppress(BlobMissing):
            store.delete(name)
    remove_leftovers(report.pk, before=report.fence + 1)


def remove_leftovers(report_id: UUID, *, before: int) -> None:
    """Delete what claims below ``before`` wrote: a report is written anew by each."""
    store = BlobStore.default()
    for fence in range(1, before):
        number = 0
        while store.exists(name := part_name(report_id, fence, number)):
            store.delete(name)
            number += 1


def _place(report_id: UUID, number: int) -> bytes:
    return report_id.bytes + number.to_bytes(4, "big")
