"""The Merkle tree of RFC 6962 and RFC 9162 section 2.1: hashes, roots, proofs and their verification; no Django.

Leaves are numbered from 0. A subtree is named by (level, index): the root of the perfect tree over the leaves
``index * 2**level`` to ``(index + 1) * 2**level - 1``. Proofs are lists of 32-byte hashes, from the leaf upwards.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32
#: The root of a tree without leaves.
EMPTY_ROOT: Final = sha256(b"").digest()

#: Gives the root of the perfect subtree (level, index), which must be complete.
Subtrees = Callable[[int, int], bytes]


class InvalidProof(ValueError):
    """The proof does not show what it is said to show. The message says why, and holds no data."""


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf with this content."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an interior node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """A tree that grows by its end and remembers the roots of its perfect subtrees alone: log2(size) hashes.

    ``peaks`` are those roots, the biggest subtree (that of the first leaves) first.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError("a tree has one peak for every bit of its size")

    def append(self, leaf: bytes) -> None:
        """Add one leaf's hash."""
        node, size = leaf, self.size
        while size & 1:
            node = node_hash(self.peaks.pop(), node)
            size >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        return _fold(self.peaks)


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of neighbouring hashes."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root(size: int, subtrees: Subtrees) -> bytes:
    """The root of the tree of the first ``size`` leaves."""
    return _range_root(0, size, subtrees) if size else EMPTY_ROOT


def inclusion_proof(seq: int, size: int, subtrees: Subtrees) -> list[bytes]:
    """The proof that leaf ``seq`` is in the tree of ``size`` leaves (RFC 9162 section 2.1.3.1).

    Raises ValueError unless 0 <= seq < size.
    """
    if not 0 <= seq < size:
        raise ValueError("no such leaf in a tree of this size")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if seq < middle:
            proof.append(_range_root(middle, end, subtrees))
            end = middle
        else:
            proof.append(_range_root(start, middle, subtrees))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, subtrees: Subtrees) -> list[bytes]:
    """The proof that the tree of ``old`` leaves is the beginning of that of ``new`` (RFC 9162 section 2.1.4.1).

    Empty for old == new. Raises ValueError unless 1 <= old <= new: of the empty tree nothing can be shown.
    """
    if not 1 <= old <= new:
        raise ValueError("the old tree has leaves, and not more than the new one")
    proof: list[bytes] = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range_root(middle, end, subtrees))
            end = middle
        else:
            proof.append(_range_root(start, middle, subtrees))
            start = middle
    if start:
        proof.append(_range_root(start, end, subtrees))
    return proof[::-1]


def verify_inclusion(*, leaf: bytes, seq: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise InvalidProof unless ``proof`` shows that the tree has ``leaf`` at ``seq`` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= seq < size:
        raise InvalidProof("no such leaf in a tree of this size")
    _require_hashes(leaf, root, *proof)
    node = leaf
    for sibling, is_left in _climb(seq, size - 1, proof):
        node = node_hash(sibling, node) if is_left else node_hash(node, sibling)
    if node != root:
        raise InvalidProof("the proof leads to another root")


def verify_consistency(*, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Raise InvalidProof unless ``proof`` shows that the new tree extends the old one (RFC 9162 section 2.1.4.2).

    An old tree of no leaves is refused with any proof: everything extends it, so nothing is shown.
    """
    if not 1 <= old <= new:
        raise InvalidProof("the old tree has leaves, and not more than the new one")
    _require_hashes(old_root, new_root, *proof)
    if old == new:
        if proof or old_root != new_root:
            raise InvalidProof("trees of one size have one root, and nothing to prove")
        return
    if not proof:
        raise InvalidProof("the proof is empty")
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    first = second = path[0]
    for sibling, is_left in _climb(place, last, path[1:]):
        first = node_hash(sibling, first) if is_left else first
        second = node_hash(sibling, second) if is_left else node_hash(second, sibling)
    if first != old_root or second != new_root:
        raise InvalidProof("the proof leads to other roots")


def _climb(place: int, last: int, proof: Sequence[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each hash of a proof with whether it stands on the left, from a node's ``place`` up; ``last`` is the level's end.

    Raises InvalidProof when the proof does not end where the root is.
    """
    for sibling in proof:
        if not last:
            raise InvalidProof("the proof is too long")
        is_left = bool(place & 1) or place == last
        yield sibling, is_left
        while is_left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    if last:
        raise InvalidProof("the proof is too short")


def _require_hashes(*hashes: bytes) -> None:
    if any(len(one) != HASH_BYTES for one in hashes):
        raise InvalidProof("a hash has 32 bytes")


def _split(count: int) -> int:
    """The biggest power of two below ``count`` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def _range_root(start: int, end: int, subtrees: Subtrees) -> bytes:
    """The root over leaves ``start`` to ``end - 1``, where ``start`` is a multiple of the range's biggest subtree."""
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(subtrees(level, start >> level))
        start += 1 << level
    return _fold(peaks)


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, the biggest first."""
    if not peaks:
        return EMPTY_ROOT
    node = peaks[-1]
    for left in peaks[-2::-1]:
        node = node_hash(left, node)
    return node
