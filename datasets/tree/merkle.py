"""Merkle tree hash and inclusion proofs over leaf hashes (RFC 6962, section 2.1; RFC 9162, section 2.1.3)."""

import hashlib
from collections.abc import Sequence
from typing import Final

HASH_BYTES: Final = 32

_EMPTY: Final = hashlib.sha256().digest()
_sha256 = hashlib.sha256


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes of 32 bytes each; of none, SHA-256 of nothing.

    Pairing level by level and carrying an odd last hash up unchanged gives the same tree as RFC 6962's split at the
    largest power of two.
    """
    if not leaves:
        return _EMPTY
    sha256 = _sha256
    level = leaves
    while len(level) > 1:
        halves = iter(level)
        pairs = [sha256(b"\x01" + left + right).digest() for left, right in zip(halves, halves, strict=False)]
        if len(level) % 2:
            pairs.append(level[-1])
        level = pairs
    return level[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The sibling hashes from the leaf at ``index`` up to the root. Raises IndexError when there is no such leaf."""
    if not 0 <= index < len(leaves):
        raise IndexError(index)
    path = []
    level = list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        index >>= 1
        level = [merkle_root(level[start : start + 2]) for start in range(0, len(level), 2)]
    return path


def root_of_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that ``path`` leads to from ``leaf`` at ``index`` of ``size`` (RFC 9162, section 2.1.3.2).

    None when the path cannot belong to that place: wrong number of hashes, or hashes of a wrong length.
    """
    if not 0 <= index < size or any(len(digest) != HASH_BYTES for digest in (leaf, *path)):
        return None
    node, last = leaf, size - 1
    sha256 = _sha256
    for sibling in path:
        if last == 0:
            return None
        if index % 2 or index == last:
            node = sha256(b"\x01" + sibling + node).digest()
            while index and not index % 2:
                index >>= 1
                last >>= 1
        else:
            node = sha256(b"\x01" + node + sibling).digest()
        index >>= 1
        last >>= 1
    return node if last == 0 else None
