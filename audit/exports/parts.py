"""The file of an export as sealed parts in the blob store: written once, named so that leftovers are found."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Final
from uuid import UUID

from access.services.keyring import open_column, seal_column
from audit.exports.errors import AuditExportExpired
from audit.models import AuditExport
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing

KIND: Final = "audit-export"
#: Plaintext bytes of a part at most: what a download holds in memory.
PART_BYTES: Final = 4 * 1024 * 1024


def part_name(export_id: UUID, fence: int, number: int) -> str:
    """The blob of a part as written under a claim: nobody else's, and known to whoever cleans up after a kill."""
    unique = hashlib.sha256(f"{export_id}/{fence}/{number}".encode()).hexdigest()[:32]
    return f"{KIND}/{unique[:2]}/{unique}"


def write_part(export_id: UUID, fence: int, number: int, body: bytes) -> list[object]:
    """Seal and store a part, inside a scope; returns its entry in ``AuditExport.parts``."""
    name = part_name(export_id, fence, number)
    BlobStore.default().put(name, seal_column(KIND, _place(export_id, number), body))
    return [name, len(body)]


def read_part(export_id: UUID, number: int, name: str) -> bytes:
    """Inside a scope. Raises AuditExportExpired when the file was removed meanwhile, IntegrityFailure."""
    try:
        sealed = BlobStore.default().get(name)
    except BlobMissing as missing:
        raise AuditExportExpired from missing
    return open_column(KIND, _place(export_id, number), sealed)


def remove_parts(export: AuditExport) -> None:
    """Delete every part of a file, those that no checkpoint names included."""
    store = BlobStore.default()
    for name, _ in export.parts:
        store.delete(name)
    remove_leftovers(export, fence=export.fence + 1)


def remove_leftovers(export: AuditExport, *, fence: int) -> None:
    """Delete what earlier claims wrote behind the last checkpoint."""
    store, named = BlobStore.default(), {name for name, _ in export.parts}
    for earlier in range(1, fence):
        for name in _written(export, earlier):
            if name not in named:
                with suppress(BlobMissing):
                    store.delete(name)


def _written(export: AuditExport, fence: int) -> Iterator[str]:
    """The names under one claim, from the first part that no checkpoint names, as long as they exist."""
    store, number = BlobStore.default(), len(export.parts)
    while store.exists(name := part_name(export.pk, fence, number)):
        yield name
        number += 1


def _place(export_id: UUID, number: int) -> bytes:
    return export_id.bytes + number.to_bytes(4, "big")
