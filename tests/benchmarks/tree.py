"""The record tree without detection and without a database, against the plainest way to seal the same bytes."""

import hashlib
import os
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson
import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils import timezone

from datasets.formats.jsonl import read_jsonl
from datasets.formats.rows import RawRecord
from datasets.models import Ingest
from datasets.services.ingest.scan import content_keys
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_store import PACK_BYTES, PackWriter
from datasets.tree.builder import TreeResult, Upsert, build
from datasets.tree.chunk import ZSTD_LEVEL
from datasets.tree.digests import keyed_digest
from datasets.tree.record import TreeRecord, assembled_record
from datasets.tree.store import NewObject, StoredObject, TreeStore
from tests.benchmarks import vault
from tests.benchmarks.figures import Cost, Figure, Plan, cost_of, interleaved, timed
from tests.benchmarks.inputs import Input, compact_slices, inputs
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import claim
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: The baseline compresses and seals blocks of about the size of a chunk.
_BLOCK_BYTES = 64 * 1024
#: Records of one tree of ``tree_build_ratio``.
_SLICE = 25_000


class MemoryPacks(TreeStore):
    """Seals objects one by one and joins them to packs as a PackWriter does, and then lets them go."""

    def __init__(self, keys: DatasetKeys) -> None:
        self.sealed_bytes = 0
        self._keys = keys
        self._known: set[bytes] = set()
        self._parts: list[bytes] = []
        self._size = 0

    def load(self, digest: bytes) -> StoredObject:
        raise NotImplementedError("a first version loads nothing")

    def known(self, digests: Collection[bytes]) -> set[bytes]:
        return self._known & set(digests)

    def save(self, objects: Sequence[NewObject]) -> None:
        for item in objects:
            secret = os.urandom(32)
            self._parts.append(self._keys.seal(item.kind, item.digest, secret, item.body))
            self._parts.append(self._keys.seal(f"{item.kind}-sidecar", item.digest, secret, item.sidecar))
            self._size += len(self._parts[-1]) + len(self._parts[-2])
            self._known.add(item.digest)
            if self._size >= PACK_BYTES:
                self.flush()

    def flush(self) -> None:
        self.sealed_bytes += len(b"".join(self._parts))
        self._parts, self._size = [], 0


def measure_tree(plan: Plan) -> list[Figure]:
    """``ingest_ratio_without_detection``, and the same with packs on disk and rows in the database."""
    principal = vault.steward()
    figures: list[Figure] = []
    for source in inputs(plan, plan.records):
        keys = _keys(principal.tenant_id)
        baseline, ours, stored = interleaved(
            plan.rounds,
            timed(seal_plainly, source),
            timed(build_in_memory, source, keys),
            lambda source=source: _build_stored(source, principal),
        )
        speed = source.megabytes / baseline.cpu
        figures += [
            Figure(
                f"ingest_ratio_without_detection{source.suffix}", baseline.cpu / ours.cpu, "ratio", speed, source.count,
                source.seed,
                f"processor time; baseline in MB/s; ours {source.megabytes / ours.cpu:.1f} MB/s; "
                f"{source.megabytes:.1f} MB; median of {plan.rounds} interleaved rounds",
            ),
            Figure(
                f"ingest_ratio_with_database{source.suffix}", baseline.wall / stored.wall, "ratio", speed, source.count,
                source.seed,
                "as above, the packs written and synced, their rows inserted; wall time; ours "
                f"{source.megabytes / stored.wall:.1f} MB/s",
            ),
        ]  # fmt: skip
    return figures


def measure_build(plan: Plan) -> list[Figure]:
    """``tree_build_ratio``: the tree alone, from records ready to be put in, in slices so that they fit into memory."""
    keys = _keys(uuid7())
    plain = ours = bare = Cost(0, 0)
    size = 0
    for block in compact_slices(plan.seed, plan.large // 4, _SLICE):
        source = Input(block, plan.seed)
        size += len(block)
        changes = list(_changes(source, keys))
        plain += cost_of(lambda source=source: seal_plainly(source))
        ours += cost_of(lambda changes=changes: build_sealed(changes, keys))
        bare += cost_of(lambda changes=changes: build_sealed(changes, keys, describe=None))
    note = (
        f"processor time; chunks, nodes, statistics, sealing and packs in memory; without statistics "
        f"{plain.cpu / bare.cpu:.2f}; baseline in MB/s as that of ingest_ratio_without_detection; "
        f"ours {size / 1e6 / ours.cpu:.1f} MB/s"
    )
    return [
        Figure(
            "tree_build_ratio", plain.cpu / ours.cpu, "ratio", size / 1e6 / plain.cpu, plan.large // 4, plan.seed, note
        )
    ]


def build_sealed(changes: list[Upsert], keys: DatasetKeys, **options: Any) -> int:
    """The tree of these records, sealed into packs that are let go. Returns the bytes sealed."""
    store = MemoryPacks(keys)
    build(store, None, changes, keys.boundary, **options)
    store.flush()
    return store.sealed_bytes


def seal_plainly(source: Input) -> int:
    """orjson, SHA-256 of each line, zstd and AES-GCM of blocks of lines. Returns the bytes sealed."""
    compressor = zstandard.ZstdCompressor(level=ZSTD_LEVEL)
    cipher = AESGCM(os.urandom(32))
    sealed = size = 0
    block: list[bytes] = []
    digests: list[bytes] = []
    for line in source.body.splitlines():
        orjson.loads(line)
        digests.append(hashlib.sha256(line).digest())
        block.append(line)
        size += len(line)
        if size >= _BLOCK_BYTES:
            sealed += len(cipher.encrypt(os.urandom(12), compressor.compress(b"\n".join(block)), b""))
            block, size = [], 0
    return sealed + len(cipher.encrypt(os.urandom(12), compressor.compress(b"\n".join(block)), b""))


def build_in_memory(source: Input, keys: DatasetKeys) -> int:
    """Strict parsing, canonical bytes, content keys, tree, sealing, packs. Returns the bytes sealed."""
    store = MemoryPacks(keys)
    _build(source, keys, store)
    store.flush()
    return store.sealed_bytes


def _build(source: Input, keys: DatasetKeys, store: TreeStore) -> TreeResult:
    changes = sorted(_changes(source, keys), key=lambda change: change.record.id)
    return build(store, None, changes, keys.boundary)


def _changes(source: Input, keys: DatasetKeys) -> Iterator[Upsert]:
    nonce, content_key = keyed_digest(SecretKey(os.urandom(32))), content_keys(keys)
    for row in read_jsonl(source.blocks()):
        assert isinstance(row, RawRecord), row
        name = row.id or f"{row.line:012d}"
        canonical = assembled_record(name, row.canonical)
        content = content_key(row.canonical, row.metadata)
        yield Upsert(TreeRecord(name, nonce(name.encode()), content, canonical))


def _build_stored(source: Input, principal: Principal) -> Cost:
    with vault.new_dataset(principal) as dataset:
        with tenant_scope(principal.tenant_id, principal):
            keys = load_keys(dataset.pk)
            job = Ingest(
                dataset=dataset, format="jsonl", mode="replace", lease_until=timezone.now(), requested_by=principal.id
            )
            job.save(force_insert=True)
            claimed = claim(Ingest, job.pk)
        assert claimed is not None
        writer = PackWriter(keys, claim=claimed[1], detector=bytes(33))
        return cost_of(lambda: (_build(source, keys, writer), writer.flush()))


def _keys(tenant_id: UUID) -> DatasetKeys:
    key_id = uuid7()
    data, content, boundary, index = (SecretKey(os.urandom(32)) for _ in range(4))
    return DatasetKeys(tenant_id, uuid7(), key_id, content, boundary, index, _data={key_id: data})
