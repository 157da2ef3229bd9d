"""Read a whole tree in order, leaving out chunks whose statistics say that they hold nothing of interest."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Final

from datasets.tree.chunk import Chunk, ChunkCodec, ChunkSidecar
from datasets.tree.node import Child
from datasets.tree.reader import decoded_chunk, iterate_chunk_children, iterate_chunks
from datasets.tree.statistics import ChunkStatistics
from datasets.tree.store import TreeSource

#: Sidecars looked at before the first of their chunks is read.
_ASKED: Final = 64


def scan(
    source: TreeSource,
    root: bytes,
    *,
    keep: Callable[[ChunkStatistics], bool] | None,
    after_id: str | None = None,
) -> Iterator[tuple[Child, Chunk]]:
    """The chunks that ``keep`` does not rule out, decoded, in order, from the one after ``after_id`` on.

    ``keep`` is asked with a chunk's statistics whether it may hold what is looked for (None: all are read); a chunk
    without statistics is read. Of a chunk that is ruled out only the sidecar is loaded. As in ``iterate_chunks``,
    ``chunk.after(after_id)`` is where to begin in the first. Raises what that raises.
    """
    if keep is None:
        yield from iterate_chunks(source, root, after_id)
        return
    codec = ChunkCodec()
    children = iterate_chunk_children(source, root, after_id)
    while run := list(islice(children, _ASKED)):
        kept = _kept(source, run, keep)
        bodies = source.load_bodies([child.digest for child in kept])
        for child, body in zip(kept, bodies, strict=True):
            yield child, decoded_chunk(codec, body, child)


def _kept(source: TreeSource, run: Sequence[Child], keep: Callable[[ChunkStatistics], bool]) -> list[Child]:
    sidecars = map(ChunkSidecar.decode, source.load_sidecars([child.digest for child in run]))
    return [
        child
        for child, sidecar in zip(run, sidecars, strict=True)
        if not sidecar.statistics or keep(ChunkStatistics.decode(sidecar.statistics))
    ]
