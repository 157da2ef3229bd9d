"""The id of a version: one hash over everything the version says."""

import hashlib
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from datasets.tree.digests import DIGEST_BYTES, NONCE_BYTES

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def version_id(
    *,
    root: bytes,
    parents: Sequence[bytes],
    author_id: UUID,
    created_at: datetime,
    nonce: bytes,
    message: str,
) -> bytes:
    """SHA-256(0x04 ‖ root ‖ u32be parents ‖ each parent ‖ author ‖ u64be microseconds ‖ SHA-256(nonce ‖ message)).

    ``root`` and ``parents`` are 32-byte digests (a first version has no parents, a merge two, in order), ``created_at``
    is aware, ``nonce`` 16 random bytes kept beside the message so that erasing both reveals nothing about it.
    """
    if {len(digest) for digest in (root, *parents)} != {DIGEST_BYTES} or len(nonce) != NONCE_BYTES:
        raise ValueError("digests have 32 bytes, the nonce 16")
    if created_at.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    microseconds = (created_at - _EPOCH) // timedelta(microseconds=1)
    return hashlib.sha256(
        b"".join(
            (
                b"\x04",
                root,
                struct.pack(">I", len(parents)),
                *parents,
                author_id.bytes,
                struct.pack(">Q", microseconds),
                hashlib.sha256(nonce + message.encode()).digest(),
            )
        )
    ).digest()
