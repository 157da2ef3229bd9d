"""One part of the archive: what it is called, how events are packed into it, sealed, and read back."""

import struct
import zlib
from collections.abc import Iterable
from datetime import date
from typing import Final

from access.services.keyring import open_column, seal_column
from audit.models import AuditArchivePart
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import IntegrityFailure

KIND: Final = "audit-archive"
#: Of each event: its sequence number and the length of its bytes, big-endian, before them.
_HEAD: Final = struct.Struct(">QI")

#: Sequence number and exact bytes of an event.
Stored = tuple[int, bytes]


def pack(events: Iterable[Stored]) -> bytes:
    """Events as one compressed byte string."""
    return zlib.compress(b"".join(_HEAD.pack(seq, len(body)) + body for seq, body in events))


def unpack(packed: bytes) -> list[Stored]:
    """What ``pack`` was given. Raises IntegrityFailure for anything else."""
    try:
        content, at, events = zlib.decompress(packed), 0, []
        while at < len(content):
            seq, length = _HEAD.unpack_from(content, at)
            at += _HEAD.size + length
            if at > len(content):
                raise IntegrityFailure
            events.append((seq, content[at - length : at]))
    except (zlib.error, struct.error) as broken:
        raise IntegrityFailure from broken
    return events


def seal_part(month: date, number: int, events: Iterable[Stored]) -> bytes:
    """A part under the keys of the tenant whose scope is open. Raises KeyUnavailable, IntegrityFailure."""
    return seal_column(KIND, _place(month, number), pack(events))


def open_part(month: date, number: int, sealed: bytes) -> list[Stored]:
    """Inside the scope of its tenant. Raises IntegrityFailure, KeyDestroyed, KeyUnavailable."""
    return unpack(open_column(KIND, _place(month, number), sealed))


def read_part(part: AuditArchivePart) -> list[Stored]:
    """What a part holds, from the store, inside the scope of its tenant.

    Raises BlobMissing, IntegrityFailure, KeyDestroyed, KeyUnavailable, StorageUnavailable.
    """
    return open_part(part.month, part.number, BlobStore.default().get(part.name))


def _place(month: date, number: int) -> bytes:
    return f"{month:%Y-%m}/{number}".encode()
