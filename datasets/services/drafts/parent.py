"""Many records of one version by id, loading each node and chunk that may hold one of them once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Child, Node
from datasets.tree.reader import decoded_chunk, load_node
from datasets.tree.record import TreeRecord
from datasets.tree.store import TreeSource

#: Chunks asked of the store at once.
_READ_AHEAD: Final = 16


def find_many(store: TreeSource, root: bytes, ids: Sequence[str]) -> Iterator[TreeRecord]:
    """Those of the records below ``root`` that have one of ``ids`` (ascending, each once), in order of id."""
    if root == EMPTY_ROOT or not ids:
        return
    yield from _below(store, load_node(store, root), ids)


def _below(store: TreeSource, node: Node, ids: Sequence[str]) -> Iterator[TreeRecord]:
    wanted = list(_wanted(node, ids))
    if node.level > 1:
        for child, inside in wanted:
            yield from _below(store, load_node(store, child.digest), inside)
        return
    codec = ChunkCodec()
    for start in range(0, len(wanted), _READ_AHEAD):
        run = wanted[start : start + _READ_AHEAD]
        bodies = store.load_bodies([child.digest for child, _ in run])
        for (child, inside), body in zip(run, bodies, strict=True):
            chunk = decoded_chunk(codec, body, child)
            for record_id in inside:
                index = bisect_left(chunk.ids, record_id)
                if index < len(chunk) and chunk.ids[index] == record_id:
                    yield chunk[index]


def _wanted(node: Node, ids: Sequence[str]) -> Iterator[tuple[Child, Sequence[str]]]:
    """The children whose range holds any of the ids, each with those."""
    for child in node.children:
        inside = ids[bisect_left(ids, child.first_id) : bisect_right(ids, child.last_id)]
        if inside:
            yield child, inside
