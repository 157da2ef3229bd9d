"""Where chunks and nodes end: decided by a keyed hash of ids, so that edits move boundaries only nearby."""

import hashlib
from collections.abc import Callable
from typing import Final

from vaultsite.kernel.crypto.keys import SecretKey

#: Canonical bytes of a chunk: none is cut before MIN_CHUNK_BYTES, and one that reaches MAX_CHUNK_BYTES ends there.
#: In between, the chance of a cut after a record is its size divided by CHUNK_TARGET_BYTES.
CHUNK_TARGET_BYTES: Final = 64 * 1024
MIN_CHUNK_BYTES: Final = 16 * 1024
MAX_CHUNK_BYTES: Final = 256 * 1024

#: Children of a node, in the same manner: from MIN_CHILDREN on one child in CHILDREN_TARGET ends its node.
CHILDREN_TARGET: Final = 256
MIN_CHILDREN: Final = 64
MAX_CHILDREN: Final = 1024

#: hash < size / target, with the hash read as a fraction of 2^64.
BYTE_THRESHOLD: Final = (1 << 64) // CHUNK_TARGET_BYTES
CHILD_THRESHOLD: Final = (1 << 64) // CHILDREN_TARGET


def boundary_hash(key: SecretKey) -> Callable[[bytes], int]:
    """The function message -> keyed BLAKE2b-64 (RFC 7693) as a big-endian integer. Messages are level u8 ‖ id.

    The key is the dataset's boundary key: without it nobody can choose ids that make degenerate trees, nor learn
    content from where chunks end.
    """
    copy = hashlib.blake2b(digest_size=8, key=key.reveal()).copy

    def digest(message: bytes) -> int:
        state = copy()
        state.update(message)
        return int.from_bytes(state.digest(), "big")

    return digest
