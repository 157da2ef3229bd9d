"""The whole write path and the whole read path, as services."""

from datasets.models import Chunk, Dataset, Version
from datasets.services.keys import load_keys
from datasets.services.read import open_release, stream_data
from tests.benchmarks import vault
from tests.benchmarks.figures import Cost, Figure, Plan, cost_of, interleaved, timed
from tests.benchmarks.inputs import Input, edited, inputs
from tests.benchmarks.sealed import SealedChunk, open_plainly
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope


def measure_ingest(plan: Plan) -> list[Figure]:
    """``ingest_mb_s`` and ``ingest_records_s``: receive and ingest, detection and all."""
    principal = vault.steward()
    figures: list[Figure] = []
    for source in inputs(plan, plan.scanned_records):
        [cost] = interleaved(plan.scanned_rounds, lambda source=source: _ingest_once(principal, source))
        note = (
            f"receive, parse, detect, build, commit; wall time, one process; {cost.cpu / cost.wall:.0%} of it its own "
            f"processor time; median of {plan.scanned_rounds} rounds"
        )
        values = {"mb": (source.megabytes / cost.wall, "MB/s"), "records": (source.count / cost.wall, "records/s")}
        figures += [
            Figure(f"ingest_{name}_s{source.suffix}", value, unit, None, source.count, source.seed, note)
            for name, (value, unit) in values.items()
        ]
    return figures


def _ingest_once(principal: Principal, source: Input) -> Cost:
    with vault.new_dataset(principal) as dataset:
        return cost_of(lambda: vault.ingest(principal, dataset, source.blocks()))


def measure_read(plan: Plan) -> list[Figure]:
    """``read_ratio`` and ``read_mb_s``: a whole version, raw."""
    principal = vault.steward()
    figures: list[Figure] = []
    for source in inputs(plan, plan.scanned_records):
        with vault.new_dataset(principal) as dataset:
            version = vault.ingest(principal, dataset, source.blocks())
            with tenant_scope(principal.tenant_id, principal):
                keys = load_keys(dataset.pk)
            sealed = _sealed_chunks(principal, dataset)
            baseline, ours = interleaved(
                plan.rounds * 3,
                timed(open_plainly, keys, sealed),
                timed(read_whole, principal, dataset),
            )
            figures += _read_figures(plan, source, version, baseline, ours)
    return figures


def _read_figures(plan: Plan, source: Input, version: Version, baseline: Cost, ours: Cost) -> list[Figure]:
    size = version.canonical_bytes / 1e6
    note = (
        f"baseline in MB/s: open, decompress and split of the same {version.chunk_count} chunks, in memory; wall time; "
        f"by processor time {baseline.cpu / ours.cpu:.2f}; median of {plan.rounds * 3} interleaved rounds"
    )
    return [
        Figure(
            f"read_ratio{source.suffix}", baseline.wall / ours.wall, "ratio", size / baseline.wall, source.count,
            source.seed, note,
        ),
        Figure(
            f"read_mb_s{source.suffix}", size / ours.wall, "MB/s", size / baseline.wall, source.count, source.seed,
            "canonical megabytes through decision, lookup, fetch, open, decode and audit; wall time",
        ),
    ]  # fmt: skip


def _sealed_chunks(principal: Principal, dataset: Dataset) -> list[SealedChunk]:
    """Every chunk, read before the clock starts."""
    with tenant_scope(principal.tenant_id, principal):
        rows = list(Chunk.objects.filter(dataset=dataset, kind="chunk").select_related("blob"))
    store = BlobStore.default()
    return [
        SealedChunk(
            bytes(row.digest),
            bytes(row.secret),
            row.record_count,
            store.get_range(row.blob.name, row.offset, row.length),
        )
        for row in rows
    ]


def read_whole(principal: Principal, dataset: Dataset) -> int:
    """The version as a client downloads it. Returns the bytes."""
    with tenant_scope(principal.tenant_id, principal):
        release = open_release(principal, dataset_id=dataset.pk, version="main")
    return sum(map(len, stream_data(release, principal, RequestFacts())))


def measure_growth(plan: Plan) -> list[Figure]:
    """``same_file_growth_ratio`` and ``one_edit_chunks``."""
    principal = vault.steward()
    figures: list[Figure] = []
    for source in inputs(plan, plan.scanned_records):
        with vault.new_dataset(principal) as dataset:
            first = vault.ingest(principal, dataset, source.blocks())
            again: list[Version] = []
            cost = cost_of(lambda kept=again, dataset=dataset, source=source: kept.append(
                vault.ingest(principal, dataset, source.blocks())
            ))  # fmt: skip
            after_edit = vault.ingest(principal, dataset, edited(source).blocks())
        figures += [
            Figure(
                f"same_file_growth_ratio{source.suffix}", again[0].new_sealed_bytes / first.new_sealed_bytes, "ratio",
                first.new_sealed_bytes, source.count, source.seed,
                f"{again[0].new_sealed_bytes:,} sealed bytes added by the second upload; baseline: bytes of the first; "
                f"{again[0].new_chunk_count} new chunks; the second took {cost.wall:.1f} s",
            ),
            Figure(
                f"one_edit_chunks{source.suffix}", after_edit.new_chunk_count, "chunks", after_edit.chunk_count,
                source.count, source.seed,
                f"{after_edit.new_sealed_bytes:,} sealed bytes with nodes and findings; baseline: all chunks",
            ),
        ]  # fmt: skip
    return figures
