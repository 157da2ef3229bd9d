"""One operation on a stored dataset, timed; in a process of its own so that its memory is its own.

``python -m tests.benchmarks.operations TENANT DATASET NAME JSON`` waits for a line, works, and says what it took.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

import django
import orjson

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
django.setup()

from django.core.files.storage import storages  # noqa: E402 - the models need the settings
from django.utils import timezone  # noqa: E402

from datasets.formats.jsonl import read_jsonl  # noqa: E402
from datasets.formats.rows import RawRecord  # noqa: E402
from datasets.models import Branch, Chunk, Dataset, Ingest, VersionKind  # noqa: E402
from datasets.services.commit import NewVersion, Profile, commit_version, keep_packs  # noqa: E402
from datasets.services.ingest.scan import content_keys  # noqa: E402
from datasets.services.keys import DatasetKeys, load_keys  # noqa: E402
from datasets.services.node_cache import NODES  # noqa: E402
from datasets.services.pack_store import PackReader, PackWriter  # noqa: E402
from datasets.services.places import places_of, sealed_at  # noqa: E402
from datasets.tree.builder import TreeResult, Upsert, build  # noqa: E402
from datasets.tree.chunk import ChunkCodec, verify_chunk  # noqa: E402
from datasets.tree.diff import diff  # noqa: E402
from datasets.tree.digests import keyed_digest  # noqa: E402
from datasets.tree.merge import Collision, merge  # noqa: E402
from datasets.tree.reader import iterate_chunk_children, iterate_chunks, locate  # noqa: E402
from datasets.tree.record import TreeRecord, assembled_record  # noqa: E402
from tests.benchmarks.figures import Cost, cost_of, peak_mb  # noqa: E402
from tests.benchmarks.inputs import changed_lines  # noqa: E402
from tests.benchmarks.sealed import SealedChunk, open_plainly  # noqa: E402
from vaultsite.kernel.blobs import BlobStore  # noqa: E402
from vaultsite.kernel.blobs.store import ALIAS  # noqa: E402
from vaultsite.kernel.crypto.keys import SecretKey  # noqa: E402
from vaultsite.kernel.jobs import Pulse, claim  # noqa: E402
from vaultsite.kernel.tenancy.principal import Principal  # noqa: E402
from vaultsite.kernel.tenancy.scope import tenant_scope  # noqa: E402

Facts = dict[str, Any]
_BLOCK_BYTES = 256 * 1024
#: Chunks read before the other side has its turn.
_WINDOW = 64


class MeteredBlobs(BlobStore):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__(storages[ALIAS])
        self.reads = self.bytes = 0

    def get_range(self, name: str, offset: int, length: int) -> bytes:
        self.reads += 1
        self.bytes += length
        return super().get_range(name, offset, length)


@dataclass
class Operations:
    """The operations on one dataset; each answers with facts that can be written as JSON."""

    tenant_id: UUID
    dataset_id: UUID
    keys: DatasetKeys = field(init=False)
    blobs: MeteredBlobs = field(init=False)

    def __post_init__(self) -> None:
        with self._scope():
            self.keys = load_keys(self.dataset_id)
        self.blobs = MeteredBlobs()

    def ingest(self, path: str) -> Facts:
        """A whole file into the first version: parse, canonical bytes, keys, tree, seal, packs, rows, commit."""
        with Path(path).open("rb") as file:
            blocks = iter(lambda: file.read(_BLOCK_BYTES), b"")
            return self._built(None, self._upserts(blocks), branch="main")

    def change(self, root: str, numbers: Sequence[int], mark: str, *, branch: str = "") -> Facts:
        """New contents for the records of these numbers, as a new tree (with a branch: a version of it)."""
        blocks = changed_lines(numbers, mark)
        return self._built(bytes.fromhex(root), self._upserts(blocks), branch=branch)

    def scan(self, root: str) -> Facts:
        """Every chunk looked up, fetched, opened and decoded."""
        chunks = records = 0
        for _, chunk in iterate_chunks(self._reader(), bytes.fromhex(root)):
            chunks += 1
            records += len(chunk)
        return {"chunks": chunks, "records": records}

    def compare_scan(self, root: str) -> Facts:
        """A scan, and in turns with it the least that any reader must do with the same sealed chunks in memory."""
        run = iterate_chunks(self._reader(), bytes.fromhex(root))
        ours = plain = Cost(0, 0)
        while True:
            digests: list[bytes] = []
            ours += cost_of(lambda found=digests: found.extend(child.digest for child, _ in islice(run, _WINDOW)))
            if not digests:
                break
            sealed = self._sealed(digests)
            plain += cost_of(lambda chunks=sealed: open_plainly(self.keys, chunks))
        return {"ours": asdict(ours), "plain": asdict(plain)}

    def _sealed(self, digests: Sequence[bytes]) -> list[SealedChunk]:
        with self._scope():
            places = places_of(Chunk.objects.filter(dataset_id=self.dataset_id, digest__in=digests))
            counts = dict(Chunk.objects.filter(digest__in=digests).values_list("pk", "record_count"))
        blobs = BlobStore.default()
        return [SealedChunk(at.digest, at.secret, counts[at.pk], sealed_at(blobs, at)[0]) for at in places]

    def verify(self, root: str, part: int, parts: int) -> Facts:
        """Every so manieth stretch of chunks read and its digests recomputed: one worker's share of a bulk job."""
        reader, codec, records = self._reader(), ChunkCodec(), 0
        children = list(iterate_chunk_children(reader, bytes.fromhex(root)))
        start, stop = len(children) * part // parts, len(children) * (part + 1) // parts
        digests = [child.digest for child in children[start:stop]]
        for digest, body in zip(digests, reader.load_bodies(digests), strict=True):
            chunk = codec.decode(body)
            verify_chunk(chunk, digest)
            records += len(chunk)
        return {"records": records}

    def diff(self, before: str, after: str) -> Facts:
        changes = diff(self._reader(), bytes.fromhex(before), bytes.fromhex(after))
        return {"changes": sum(1 for _ in changes)}

    def merge(self, base: str, ours: str, theirs: str) -> Facts:
        """Two trees into one; where both changed a record, theirs stays."""
        with self._writer() as writer:
            roots = map(bytes.fromhex, (base, ours, theirs))
            result = merge(writer, *roots, self.keys.boundary, resolve=_theirs, was_erased=writer.epoch > 0)
            writer.flush()
        facts = self._tree_facts(result.tree, writer)
        return facts | {"taken_chunks": len(result.taken_chunks), "collisions": result.collisions}

    def point_reads(self, root: str, ids: Sequence[str]) -> Facts:
        """Blobs read for one record by id: by a process that has read nothing, and once it knows the nodes."""
        counts: dict[str, list[int]] = {"cold": [], "warm": []}
        for record_id in ids:
            NODES.clear()
            for state in ("cold", "warm"):
                before = self.blobs.reads
                assert locate(self._reader(), bytes.fromhex(root), record_id) is not None
                counts[state].append(self.blobs.reads - before)
        return {state: sum(each) / len(each) for state, each in counts.items()}

    def _upserts(self, blocks: Iterator[bytes]) -> Iterator[Upsert]:
        """Lines in order of id as changes."""
        nonce, content_key = keyed_digest(SecretKey(os.urandom(32))), content_keys(self.keys)
        for row in read_jsonl(blocks):
            assert isinstance(row, RawRecord), row
            assert row.id is not None
            content = content_key(row.canonical, row.metadata)
            canonical = assembled_record(row.id, row.canonical)
            yield Upsert(TreeRecord(row.id, nonce(row.id.encode()), content, canonical))

    def _built(self, parent: bytes | None, changes: Iterator[Upsert], *, branch: str) -> Facts:
        with self._writer() as writer:
            pulse = Pulse(writer.held)
            tree = build(writer, parent, changes, self.keys.boundary, on_chunk=lambda _: pulse())
            writer.flush()
            if branch:
                self._commit(writer, tree, branch)
        return self._tree_facts(tree, writer)

    def _commit(self, writer: "_Writer", tree: TreeResult, branch: str) -> None:
        with writer.held.scope():
            at = Branch.objects.select_related("head").filter(dataset_id=self.dataset_id, name=branch).first()
            new = NewVersion(
                dataset_id=self.dataset_id,
                branch=branch,
                kind=VersionKind.PATCH,
                head=at.head if at else None,
                epoch=Dataset.objects.get(pk=self.dataset_id).erasure_epoch,
                tree=tree,
                sealed_bytes=writer.sealed_bytes,
                profile_change=Profile(),
                author=writer.requested_by,
                created_at=timezone.now(),
                seed=SecretKey(os.urandom(32)),
            )
            assert commit_version(new) is not None

    @contextmanager
    def _writer(self) -> Iterator["_Writer"]:
        """A writer of a job that keeps what it wrote."""
        with self._scope():
            job = Ingest(dataset_id=self.dataset_id, format="jsonl", mode="replace", requested_by=self.tenant_id)
            job.lease_until = timezone.now()
            job.save(force_insert=True)
            claimed = claim(Ingest, job.pk)
        assert claimed is not None
        writer = _Writer(self.keys, claim=claimed[1], detector=bytes(33))
        writer.held, writer.requested_by = claimed[1], job.requested_by
        writer._blobs = self.blobs
        yield writer
        with claimed[1].scope():
            keep_packs(job.pk)
            claimed[1].finish()

    def _tree_facts(self, tree: TreeResult, writer: PackWriter) -> Facts:
        return {
            "root": tree.root.hex(),
            "records": tree.count,
            "chunks": tree.chunks,
            "new_chunks": len(tree.new_chunks),
            "sealed_bytes": writer.sealed_bytes,
            "canonical_bytes": tree.canonical_bytes,
        }

    def _reader(self) -> PackReader:
        reader = PackReader(self.keys)
        reader._blobs = self.blobs
        return reader

    @contextmanager
    def _scope(self) -> Iterator[None]:
        with tenant_scope(self.tenant_id, Principal.system(self.tenant_id)):
            yield


class _Writer(PackWriter):
    """A pack writer that knows its job."""

    held: Any
    requested_by: UUID


def _theirs(collision: Collision) -> TreeRecord | None:
    return collision.theirs


def perform(tenant_id: UUID, dataset_id: UUID, name: str, arguments: Facts, wait: Callable[[], object]) -> Facts:
    """The facts of one operation with the seconds, megabytes and reads it took, begun when ``wait`` returns."""
    operations = Operations(tenant_id, dataset_id)
    idle = peak_mb()
    wait()
    started = time.perf_counter()
    facts: Facts = getattr(operations, name)(**arguments)
    seconds = time.perf_counter() - started
    read = {"reads": operations.blobs.reads, "read_bytes": operations.blobs.bytes}
    return {**facts, **read, "seconds": seconds, "idle_mb": idle, "peak_mb": peak_mb()}


def main() -> None:
    tenant_id, dataset_id, name, arguments = sys.argv[1:]
    facts = perform(UUID(tenant_id), UUID(dataset_id), name, orjson.loads(arguments), sys.stdin.readline)
    sys.stdout.write(orjson.dumps(facts).decode() + "\n")


if __name__ == "__main__":
    main()
