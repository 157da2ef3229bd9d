"""Where chunks and nodes end: decided by a keyed hash of ids, so that edits move boundaries only nearby."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from vaultsite.kernel.crypto.keys import SecretKey

_HASH_RANGE: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Shape:
    """How large chunks (in canonical bytes) and nodes (in children) grow.

    None is cut before its minimum, and one that reaches its maximum ends there. In between, the chance of a cut after a
    record is its size divided by ``chunk_target``, after a child 1 in ``node_target``.
    """

    chunk_target: int
    chunk_min: int
    chunk_max: int
    node_target: int
    node_min: int
    node_max: int

    @property
    def byte_threshold(self) -> int:
        """A cut is where hash < size / target, the hash read as a fraction of 2^64: hash < size * byte_threshold."""
        return _HASH_RANGE // self.chunk_target

    @property
    def child_threshold(self) -> int:
        return _HASH_RANGE // self.node_target


#: The shape of every tree in the vault, part of the format. Tests of boundaries use smaller ones.
STANDARD: Final = Shape(
    chunk_target=64 * 1024,
    chunk_min=16 * 1024,
    chunk_max=256 * 1024,
    node_target=256,
    node_min=64,
    node_max=1024,
)


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
