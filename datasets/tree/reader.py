"""Read a tree: in order from any id, one record by id, or the proof that a record belongs to a root."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from datasets.errors import CorruptTree, InvalidProof
from datasets.tree.chunk import Chunk, ChunkCodec
from datasets.tree.digests import DIGEST_BYTES, EMPTY_ROOT, chunk_digest_of, entry_leaf, node_digest_of
from datasets.tree.merkle import inclusion_path, root_of_path
from datasets.tree.node import Child, Node, decode_node
from datasets.tree.record import TreeRecord
from datasets.tree.store import TreeSource

#: Chunks asked of the store at once while reading in order; it fetches them as they are asked for.
READ_AHEAD: Final = 256

_last_id = attrgetter("last_id")


def count(store: TreeSource, root: bytes) -> int:
    """The number of records below ``root``, with the erased ones; loads the root alone."""
    return 0 if root == EMPTY_ROOT else sum(child.record_count for child in load_node(store, root).children)


def load_node(store: TreeSource, digest: bytes) -> Node:
    """Raises TreeObjectMissing, CorruptTree."""
    stored = store.load(digest)
    return decode_node(stored.body, stored.sidecar, digest)


def iterate_chunk_children(store: TreeSource, root: bytes, after_id: str | None = None) -> Iterator[Child]:
    """What the nodes say of every chunk with an id greater than ``after_id``, in order; loads nodes only."""
    for children in _chunk_runs(store, root, after_id):
        yield from children


def chunk_digests(store: TreeSource, root: bytes) -> Iterator[bytes]:
    """The digests of all chunks in order of id; loads nodes only."""
    return (child.digest for child in iterate_chunk_children(store, root))


def iterate_chunks(
    store: TreeSource, root: bytes, after_id: str | None = None, *, read_ahead: int = READ_AHEAD
) -> Iterator[tuple[Child, Chunk]]:
    """Every chunk from the one with the first id greater than ``after_id`` on, decoded, in order of id.

    Of the first chunk ``chunk.after(after_id)`` is where to begin. ``read_ahead`` is how many chunks are asked of the
    store at once. Raises TreeObjectMissing, CorruptTree, and what the store raises.
    """
    codec = ChunkCodec()
    for children in _chunk_runs(store, root, after_id):
        for start in range(0, len(children), read_ahead):
            run = children[start : start + read_ahead]
            bodies = store.load_bodies([child.digest for child in run])
            for child, body in zip(run, bodies, strict=True):
                yield child, decoded_chunk(codec, body, child)


def iterate_records(store: TreeSource, root: bytes, after_id: str | None = None) -> Iterator[TreeRecord]:
    """Every record with an id greater than ``after_id``, in order of id."""
    for _, chunk in iterate_chunks(store, root, after_id):
        for index in range(chunk.after(after_id), len(chunk)):
            yield chunk[index]


def locate(store: TreeSource, root: bytes, record_id: str) -> tuple[Child, Chunk, int] | None:
    """The chunk that holds this id, as its node describes it and decoded, and the record's place in it, or None.

    Loads one object a level.
    """
    path = _descend(store, root, record_id)
    if path is None:
        return None
    child = path[-1][0].children[path[-1][1]]
    chunk = _load_chunk(store, child)
    index = bisect_left(chunk.ids, record_id)
    return (child, chunk, index) if index < len(chunk) and chunk.ids[index] == record_id else None


def find(store: TreeSource, root: bytes, record_id: str) -> TreeRecord | None:
    """The record with this id, or None; loads one object a level."""
    place = locate(store, root, record_id)
    return None if place is None else place[1][place[2]]


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One hash tree on the way up: the place ``index`` of ``size`` and the sibling ``path`` (RFC 6962).

    ``count`` is the number of records below the object whose digest this step gives.
    """

    index: int
    size: int
    count: int
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a leaf belongs to a root: the step inside its chunk, then one for each node up to the root."""

    steps: tuple[ProofStep, ...]


def prove(store: TreeSource, root: bytes, record_id: str) -> InclusionProof | None:
    """The proof for the record with this id, None when there is none; loads one object a level."""
    path = _descend(store, root, record_id)
    if path is None:
        return None
    node, position = path[-1]
    chunk = _load_chunk(store, node.children[position])
    at = bisect_left(chunk.ids, record_id)
    if at == len(chunk) or chunk.ids[at] != record_id:
        return None
    index, leaves = bisect_left(chunk.leaf_ids, record_id), chunk.leaves()
    steps = [ProofStep(index, len(leaves), len(leaves), tuple(inclusion_path(leaves, index)))]
    for node, position in reversed(path):
        leaves = [entry_leaf(child.digest, child.record_count) for child in node.children]
        below = sum(child.record_count for child in node.children)
        steps.append(ProofStep(position, len(leaves), below, tuple(inclusion_path(leaves, position))))
    return InclusionProof(tuple(steps))


def verify_proof(root: bytes, leaf: bytes, proof: InclusionProof) -> None:
    """Check that ``proof`` leads from the record's ``leaf`` digest to ``root``. Raises InvalidProof.

    It needs no store and no key. What is proven is membership; the place of a record among its neighbours is not.
    """
    if len(root) != DIGEST_BYTES or len(proof.steps) < 2:  # noqa: PLR2004 - a chunk and the root at least
        raise InvalidProof
    digest, below = leaf, 0
    for height, step in enumerate(proof.steps):
        if not 0 <= step.count < 1 << 64 or (height == 0 and step.count != step.size):
            raise InvalidProof
        start = digest if height == 0 else entry_leaf(digest, below)
        hashed = root_of_path(start, step.index, step.size, step.path)
        if hashed is None:
            raise InvalidProof
        digest = chunk_digest_of(hashed, step.size) if height == 0 else node_digest_of(hashed)
        below = step.count
    if digest != root:
        raise InvalidProof


def _descend(store: TreeSource, root: bytes, record_id: str) -> list[tuple[Node, int]] | None:
    """The nodes from the root down to level 1, each with the place of the child whose range may hold the id."""
    if root == EMPTY_ROOT:
        return None
    path: list[tuple[Node, int]] = []
    digest = root
    while True:
        node = load_node(store, digest)
        position = bisect_left(node.children, record_id, key=_last_id)
        if position == len(node.children) or node.children[position].first_id > record_id:
            return None
        path.append((node, position))
        if node.level == 1:
            return path
        digest = node.children[position].digest


def _chunk_runs(store: TreeSource, root: bytes, after_id: str | None) -> Iterator[list[Child]]:
    """For each node of level 1 in order, those of its chunks that hold an id greater than ``after_id``."""
    if root != EMPTY_ROOT:
        yield from _runs_below(store, load_node(store, root), after_id)


def _runs_below(store: TreeSource, node: Node, after_id: str | None) -> Iterator[list[Child]]:
    start = 0 if after_id is None else bisect_right(node.children, after_id, key=_last_id)
    children = node.children[start:]
    if node.level == 1:
        yield children
        return
    for child in children:
        below = load_node(store, child.digest)
        if below.level != node.level - 1:
            raise CorruptTree("A node stands on the wrong level")
        yield from _runs_below(store, below, after_id)


def _load_chunk(store: TreeSource, child: Child) -> Chunk:
    return decoded_chunk(ChunkCodec(), store.load(child.digest).body, child)


def decoded_chunk(codec: ChunkCodec, body: bytes, child: Child) -> Chunk:
    """The chunk that its node describes as ``child``. Raises CorruptTree when it is another."""
    chunk = codec.decode(body)
    ids = chunk.leaf_ids
    if len(ids) != child.record_count or ids[0] != child.first_id or ids[-1] != child.last_id:
        raise CorruptTree("A chunk is not the one its node names")
    return chunk
