"""Versions of a large dataset: what a small change, a comparison and a merge cost beside reading or writing it all."""

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from tests.benchmarks import vault
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.inputs import compact, compact_id
from tests.benchmarks.operations import Facts, perform

_SMALL_CHANGE = 10
_POINTS = 20


@dataclass(frozen=True)
class Stored:
    """A dataset with a first version, and the file it is from."""

    plan: Plan
    tenant_id: UUID
    dataset_id: UUID
    count: int
    first: Mapping[str, Any]

    @property
    def root(self) -> str:
        return str(self.first["root"])

    def run(self, name: str, **arguments: Any) -> Facts:
        return run_together(self, [(name, arguments)])[0][0]

    def numbers(self, size: int, label: str, *, clustered: bool) -> list[int]:
        """Which records change: drawn over all of them, or one stretch."""
        rng = random.Random(f"{label}/{self.plan.seed}")
        size = min(size, self.count // 2)
        if clustered:
            start = rng.randrange(self.count - size)
            return list(range(start, start + size))
        return sorted(rng.sample(range(self.count), size))


def run_together(stored: Stored, wanted: Sequence[tuple[str, Facts]]) -> tuple[list[Facts], float]:
    """Operations begun at the same moment, each in a process of its own, and the seconds until the last has ended."""
    if not stored.plan.own_processes:
        facts = [perform(stored.tenant_id, stored.dataset_id, *each, lambda: None) for each in wanted]
        return facts, max(each["seconds"] for each in facts)
    command = [sys.executable, "-m", "tests.benchmarks.operations", str(stored.tenant_id), str(stored.dataset_id)]
    workers = [
        subprocess.Popen(
            [*command, name, orjson.dumps(arguments).decode()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name, arguments in wanted
    ]
    facts = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        said, _ = worker.communicate()
        assert worker.returncode == 0, command
        facts.append(orjson.loads(said))
    return facts, max(each["seconds"] for each in facts)


@contextmanager
def stored_dataset(plan: Plan, count: int) -> Iterator[Stored]:
    """A dataset of ``count`` records, ingested without detection; nothing of it stays."""
    principal = vault.steward()
    with vault.new_dataset(principal) as dataset, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        with path.open("wb") as file:
            file.writelines(compact(plan.seed, count))
        empty = Stored(plan, principal.tenant_id, dataset.pk, count, {})
        yield Stored(plan, principal.tenant_id, dataset.pk, count, empty.run("ingest", path=str(path)))


def measure_versions(plan: Plan) -> list[Figure]:
    """Every figure of the large dataset, and the peaks of memory beside those of the small one."""
    with stored_dataset(plan, plan.large) as stored:
        scan = stored.run("scan", root=stored.root)
        figures, peaks = _changes(stored, scan)
        figures += _scan_ratio(stored)
        figures += _point_reads(stored)
        figures += _two_workers(stored)
    with stored_dataset(plan, plan.less) as other:
        _, less = _changes(other, other.run("scan", root=other.root))
    return figures + _memory(plan, peaks, less)


def _changes(stored: Stored, scan: Facts) -> tuple[list[Figure], dict[str, Facts]]:
    """Small changes and merges, drawn over the whole and in one stretch, with what each operation took."""
    figures: list[Figure] = []
    peaks: dict[str, Facts] = {}
    for suffix in ("", "/clustered"):
        is_clustered = bool(suffix)
        numbers = stored.numbers(_SMALL_CHANGE, "ten", clustered=is_clustered)
        after = stored.run("change", root=stored.root, numbers=numbers, mark="ten", branch="main")
        found = stored.run("diff", before=stored.root, after=after["root"])
        assert found["changes"] == len(numbers)
        ours, theirs = (
            stored.run(
                "change", root=stored.root, mark=side,
                numbers=stored.numbers(stored.plan.branched, side, clustered=is_clustered),
            )
            for side in ("ours", "theirs")
        )  # fmt: skip
        merged = stored.run("merge", base=stored.root, ours=ours["root"], theirs=theirs["root"])
        took = {"ingest": dict(stored.first), "scan": scan, "diff": found, "merge": merged}
        figures += _ratios(stored, suffix, took | {"change": after})
        peaks = peaks or took
    return figures, peaks


def _ratios(stored: Stored, suffix: str, took: Mapping[str, Facts]) -> list[Figure]:
    first, scan, after, found, merged = (took[each] for each in ("ingest", "scan", "change", "diff", "merge"))
    mean_chunk = first["sealed_bytes"] / first["chunks"]
    values = {
        "diff_10_of_1m_ratio": (found["seconds"] / scan["seconds"], scan["seconds"], found, "a full scan"),
        "commit_10_on_1m_ratio": (after["seconds"] / first["seconds"], first["seconds"], after, "the full ingest"),
        "merge_2x1000_ratio": (merged["seconds"] / scan["seconds"], scan["seconds"], merged, "a full scan"),
    }
    figures = [
        Figure(
            f"{name}{suffix}", value, "ratio", baseline, stored.count, stored.plan.seed,
            f"{facts['seconds'] * 1000:.0f} ms; baseline: seconds of {against}; wall time, one run; {_traffic(facts)}",
        )
        for name, (value, baseline, facts, against) in values.items()
    ]  # fmt: skip
    growth = after["sealed_bytes"] / (_SMALL_CHANGE * mean_chunk)
    note = (
        f"{after['sealed_bytes']:,} new sealed bytes with nodes and sidecars over {_SMALL_CHANGE} mean sealed chunks; "
        f"baseline: bytes of one; {_traffic(after)}"
    )
    growth_figure = Figure(
        f"commit_10_growth_ratio{suffix}", growth, "ratio", mean_chunk, stored.count, stored.plan.seed, note
    )
    return [*figures, growth_figure]


def _traffic(facts: Facts) -> str:
    """What an operation read and wrote."""
    read = f"{facts['reads']:,} blobs and {facts['read_bytes']:,} sealed bytes read"
    if "sealed_bytes" not in facts:
        return read
    taken = f", {facts['taken_chunks']:,} of them taken over" if "taken_chunks" in facts else ""
    return (
        f"{read}; {facts['new_chunks']:,} of {facts['chunks']:,} chunks new{taken}, {facts['sealed_bytes']:,} written"
    )


def _point_reads(stored: Stored) -> list[Figure]:
    rng = random.Random(f"points/{stored.plan.seed}")
    ids = [compact_id(rng.randrange(stored.count)) for _ in range(_POINTS)]
    facts = stored.run("point_reads", root=stored.root, ids=ids)
    return [
        Figure(
            f"point_read_blobs/{state}", facts[state], "blobs", None, stored.count, stored.plan.seed,
            f"reads of the blob store for one record by id, {meaning}; mean of {_POINTS}",
        )
        for state, meaning in (("cold", "nothing in memory"), ("warm", "the nodes on the way in memory"))
    ]  # fmt: skip


def _scan_ratio(stored: Stored) -> list[Figure]:
    facts = stored.run("compare_scan", root=stored.root)
    ours, plain = facts["ours"], facts["plain"]
    speed = stored.first["canonical_bytes"] / 1e6 / plain["wall"]
    note = (
        f"look-up, fetch, open, decode of every chunk; baseline in MB/s: open, decompress and split of the same chunks "
        f"in memory, in turns; wall time; by processor time {plain['cpu'] / ours['cpu']:.2f}"
    )
    return [Figure("scan_ratio", plain["wall"] / ours["wall"], "ratio", speed, stored.count, stored.plan.seed, note)]


def _two_workers(stored: Stored) -> list[Figure]:
    """A bulk job over ranges of chunks: one process for the whole, against two for a half each."""
    _, together = run_together(
        stored, [("verify", {"root": stored.root, "part": part, "parts": 2}) for part in range(2)]
    )
    alone = stored.run("verify", root=stored.root, part=0, parts=1)["seconds"]
    note = (
        "every chunk fetched, opened, decoded and its digests recomputed, in ranges; two processes begun together over "
        "one for all; wall time; baseline: seconds of one"
    )
    return [Figure("two_worker_ratio", together / alone, "ratio", alone, stored.count, stored.plan.seed, note)]


def _memory(plan: Plan, peaks: Mapping[str, Facts], less: Mapping[str, Facts]) -> list[Figure]:
    note = "largest resident set of a process of its own in MB; baseline: before it began"
    return [
        Figure(f"{name}/{operation}", facts["peak_mb"], "MB", facts["idle_mb"], count, plan.seed, note)
        for name, count, measured in (("peak_mb_1m", plan.large, peaks), ("peak_mb_100k", plan.less, less))
        for operation, facts in measured.items()
    ]
