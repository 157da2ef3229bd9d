"""The tree over the rows of an exported file: salted RFC 6962 leaves, grown one row at a time."""

import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

SALT_BYTES: Final = 16
_INDEX: Final = struct.Struct(">Q")
_EMPTY: Final = hashlib.sha256().digest()


def row_salt(salt: bytes, index: int) -> bytes:
    """HMAC-SHA-256(salt, u64be index)[:16]: showing one row's salt says nothing of another's."""
    return hmac.digest(salt, _INDEX.pack(index), "sha256")[:SALT_BYTES]


def row_leaf(salt: bytes, index: int, row: bytes) -> bytes:
    """SHA-256(0x00 ‖ row salt ‖ row): ``row`` is the row's JSON line without its line feed."""
    return hashlib.sha256(b"\x00" + row_salt(salt, index) + row).digest()


@dataclass
class RowTree:
    """The RFC 6962 tree so far: its leaves' number, and the roots of its perfect subtrees from left to right.

    That is all it takes to go on, so a tree survives its process as at most 64 hashes.
    """

    count: int = 0
    subtrees: list[bytes] = field(default_factory=list)

    @classmethod
    def resumed(cls, count: int, subtrees: Sequence[str]) -> Self:
        return cls(count, [bytes.fromhex(digest) for digest in subtrees])

    def add(self, leaf: bytes) -> None:
        self.count += 1
        at = self.count
        while not at & 1:
            leaf = hashlib.sha256(b"\x01" + self.subtrees.pop() + leaf).digest()
            at >>= 1
        self.subtrees.append(leaf)

    def root(self) -> bytes:
        if not self.subtrees:
            return _EMPTY
        root = self.subtrees[-1]
        for left in reversed(self.subtrees[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root
