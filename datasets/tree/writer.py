"""Save the chunks and nodes of a growing tree in batches, compressing one batch while the next is being filled."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from datasets.tree.chunk import ChunkCodec, ChunkSidecar
from datasets.tree.node import Child, Node
from datasets.tree.record import TreeRecord
from datasets.tree.store import NewObject, ObjectKind, TreeStore

#: Canonical bytes that are saved together, about a pack; memory holds two batches.
BATCH_BYTES: Final = 4 * 1024 * 1024

#: A record, the digest of the parent's chunk it comes from, and what came with the change that brought it.
Entry: TypeAlias = tuple[TreeRecord, bytes | None, bytes | None]


@dataclass(frozen=True, slots=True)
class ChunkBuilt:
    """A chunk of the new tree that was put together from records, in columns of one item a record.

    ``origins`` has the digest of the parent's (in a merge, either tree's) chunk a record was taken from, None for one
    from a change; ``findings``
    what came with the change, None otherwise. ``is_stored`` tells that the store had the chunk before, perhaps from an
    interrupted run of the same job.
    """

    digest: bytes
    records: list[TreeRecord]
    leaves: list[bytes]
    origins: list[bytes | None]
    findings: list[bytes | None]
    is_stored: bool


class _Draft(NamedTuple):
    """A chunk that lacks only its compressed text."""

    digest: bytes
    record_count: int
    canonical_size: int
    sidecar: bytes
    head: bytes
    text: bytes

    def finished(self, frame: bytes) -> NewObject:
        body = self.head + frame
        return NewObject(self.digest, ObjectKind.CHUNK, self.record_count, self.canonical_size, body, self.sidecar)


@dataclass(slots=True)
class _Batch:
    """What is saved together, children before parents, and what ``on_chunk`` is told then."""

    objects: list[_Draft | NewObject] = field(default_factory=list)
    chunks: list[tuple[bytes, list[Entry], list[bytes]]] = field(default_factory=list)
    size: int = 0


class TreeWriter:
    """Saves what the store does not have yet, and tells ``on_chunk`` of every chunk once it is saved.

    Compression runs in a thread of its own, for a whole batch in one call without the interpreter lock; the store and
    ``on_chunk`` are called in the caller's thread. ``close`` ends the thread, whatever happened.
    """

    def __init__(
        self,
        store: TreeStore,
        on_chunk: Callable[[ChunkBuilt], None] | None,
        describe: Callable[[Sequence[TreeRecord]], bytes] | None,
    ) -> None:
        self._store = store
        self._on_chunk = on_chunk
        self._describe = describe
        self._codec = ChunkCodec()
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="tree-compression")
        self._filling = _Batch()
        self._compressing: tuple[Future[list[bytes]], _Batch] | None = None

    def add_chunk(self, digest: bytes, entries: list[Entry], leaves: list[bytes], *, size: int, is_kept: bool) -> None:
        """Queue a chunk of ``size`` canonical bytes; when the store keeps it for sure, only for ``on_chunk``."""
        if not is_kept:
            records = [entry[0] for entry in entries]
            sizes = tuple([len(record.canonical) for record in records])
            statistics = self._describe(records) if self._describe else b""
            sidecar = ChunkSidecar(records[0].id, records[-1].id, size, sizes, statistics).encode()
            head, text = self._codec.prepare(records)
            self._filling.objects.append(_Draft(digest, len(records), size, sidecar, head, text))
        if self._on_chunk is not None:
            self._filling.chunks.append((digest, entries, leaves))
        self._grow(size)

    def add_node(self, node: Node, summary: Child) -> None:
        body, sidecar = node.body(), node.sidecar()
        self._filling.objects.append(
            NewObject(summary.digest, ObjectKind.NODE, summary.record_count, summary.canonical_size, body, sidecar)
        )
        self._grow(len(body) + len(sidecar))

    def finish(self) -> None:
        """Save all that was queued."""
        self._start_batch()
        self._settle()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)

    def _grow(self, size: int) -> None:
        self._filling.size += size
        if self._filling.size >= BATCH_BYTES:
            self._start_batch()

    def _start_batch(self) -> None:
        """Begin to compress what was queued, leaving out what the store has; meanwhile save the batch before it."""
        batch, self._filling = self._filling, _Batch()
        if batch.objects:
            known = self._store.known([item.digest for item in batch.objects])
            batch.objects = [item for item in batch.objects if item.digest not in known]
        texts = [item.text for item in batch.objects if isinstance(item, _Draft)]
        compressed = self._pool.submit(self._codec.compress, texts)
        self._settle()
        self._compressing = (compressed, batch)

    def _settle(self) -> None:
        if self._compressing is None:
            return
        (compressed, batch), self._compressing = self._compressing, None
        frames = iter(compressed.result())
        objects = [item.finished(next(frames)) if isinstance(item, _Draft) else item for item in batch.objects]
        if objects:
            self._store.save(objects)
        if self._on_chunk is None:
            return
        saved = {item.digest for item in objects}
        for digest, entries, leaves in batch.chunks:
            records, origins, findings = map(list, zip(*entries, strict=True))
            self._on_chunk(ChunkBuilt(digest, records, leaves, origins, findings, is_stored=digest not in saved))
