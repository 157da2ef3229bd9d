"""What a benchmark says, how rounds are taken, and on what machine."""

import os
import platform
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Figure:
    """One measured value. ``baseline`` is what it is compared with, as the note says; ``n`` counts records."""

    name: str
    value: float
    unit: str
    baseline: float | None
    n: int
    seed: int | None
    note: str


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    seed: int
    rounds: int
    #: Rounds of measurements that take minutes because they detect.
    scanned_rounds: int
    #: Records of the measurements without detection, with it, of the memory measurement, and texts for detectors.
    records: int
    scanned_records: int
    small_records: int
    texts: int
    #: Records of a large and of a small dataset, records changed in each of two branches that are merged, and whether
    #: each operation on them runs in a process of its own.
    large: int
    less: int
    branched: int
    own_processes: bool
    #: JSONL files measured beside the generated records.
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Seconds of one call: by the clock on the wall, and of this process's processors."""

    wall: float
    cpu: float

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


def cost_of(work: Callable[[], object]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def timed(work: Callable[..., object], *arguments: object) -> Callable[[], Cost]:
    """``work`` with these arguments as something ``interleaved`` can run."""
    return lambda: cost_of(lambda: work(*arguments))


def interleaved(rounds: int, *works: Callable[[], Cost]) -> list[Cost]:
    """The median costs that each of ``works`` tells, run in turns: what slows the machine down slows all of them down.

    Every other round runs them in reverse order.
    """
    costs: list[list[Cost]] = [[] for _ in works]
    for number in range(rounds):
        order = range(len(works))
        for index in reversed(order) if number % 2 else order:
            costs[index].append(works[index]())
    return [Cost(median(cost.wall for cost in one), median(cost.cpu for cost in one)) for one in costs]


def peak_mb() -> float:
    """The largest resident set of this program; ru_maxrss would count what its process was before it began, too."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


def machine() -> str:
    """The machine in one line, with its load now: above the number of processors it had other things to do."""
    return (
        f"{_processor()}, {os.cpu_count()} processors, {platform.system()}, Python {platform.python_version()}, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(figures: Sequence[Figure]) -> str:
    """The figures for a terminal."""
    rows = [("name", "value", "unit", "baseline", "n")]
    rows += [
        (one.name, f"{one.value:,.3f}", one.unit, "" if one.baseline is None else f"{one.baseline:,.3f}", f"{one.n:,}")
        for one in figures
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)
