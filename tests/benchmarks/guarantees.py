"""k-anonymity of the Adult table: what it takes and what it costs, with labels of hierarchies and with ranges."""

import csv
import gzip
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.hierarchy import parse_hierarchy
from anonymization.guarantees.made import flat, intervals
from anonymization.guarantees.methods import Method, recode
from anonymization.guarantees.table import Quasi, Recoding, Table
from anonymization.guarantees.utility import utility_of
from tests.benchmarks.figures import Cost, Figure, Plan, cost_of, interleaved

#: The Adult table with the hierarchies that ARX ships, where a developer keeps it beside the checkout.
ADULT: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "adult"
QUASI: Final = (
    "sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation",
)  # fmt: skip
K: Final = 5
#: Cells of the large table that are drawn anew from their column.
RESAMPLED: Final = 0.05


def measure_guarantees(plan: Plan) -> list[Figure]:
    """Seconds, and NCP: the mean loss of all cells, a dropped row counting 1."""
    adult, source = (_adult(), "Adult") if ADULT.exists() and plan.large > 10_000 else (_stand_in(plan), "a stand-in")
    large = _resampled(adult, plan.large, plan.seed)
    found: dict[str, Recoding] = {}

    def once(name: str, table: Table, method: Method) -> Cost:
        def work() -> None:
            found[name] = recode(table, Guarantee(K), method)

        return cost_of(work)

    labels, ranges = interleaved(
        plan.rounds,
        lambda: once("labels", adult, Method.LOCAL),
        lambda: once("ranges", adult, Method.RANGES),
    )
    (many,) = interleaved(max(plan.rounds // 2, 1), lambda: once("many", large, Method.LOCAL))
    note = f"{source}, 8 quasi-identifiers, k = {K}; median of {plan.rounds} rounds in turns"
    return [
        *_figures("adult_k5", labels, found["labels"], adult, replace(_NOTHING, note=f"labels of hierarchies; {note}")),
        *_figures(
            "adult_k5_ranges", ranges, found["ranges"], adult, replace(_NOTHING, note=f"ranges and sets; {note}")
        ),
        *_figures("k5_1m", many, found["many"], large, replace(_NOTHING, note=f"labels; bootstrap of {note}")),
    ]


_NOTHING: Final = Figure("", 0.0, "", None, 0, None, "")


def _figures(name: str, cost: Cost, recoding: Recoding, table: Table, base: Figure) -> list[Figure]:
    utility = utility_of(recoding, K)
    note = f"{base.note}; {cost.cpu:.2f} s of processor; {utility.classes} classes, {utility.dropped} rows dropped"
    return [
        replace(base, name=f"{name}_s", value=cost.wall, unit="s", n=len(table), note=note),
        replace(base, name=f"{name}_ncp", value=utility.information_loss, unit="share", n=len(table), note=note),
    ]


def _adult() -> Table:
    with gzip.open(ADULT / "adult.csv.gz", "rt") as opened:
        head, *rows = csv.reader(opened, delimiter=";")
    columns = []
    for name in QUASI:
        text = (ADULT / f"adult_hierarchy_{name}.csv").read_text()
        hierarchy = parse_hierarchy(text, is_ordered=name == "age")
        place = head.index(name)
        columns.append(Quasi(name, hierarchy.encode([row[place] for row in rows], column=name), hierarchy))
    return Table(columns)


def _stand_in(plan: Plan) -> Table:
    """A generated table of as many columns, to see that everything runs."""
    random = np.random.default_rng(plan.seed)
    hierarchies = [intervals([str(age) for age in range(80)], [5, 10, 20])]
    hierarchies += [flat([f"v{code}" for code in range(size)]) for size in (2, 5, 7, 16, 8, 14, 9)]
    return Table(
        [
            Quasi(f"c{place}", (random.random(plan.less) ** 2 * one.size).astype(np.int32), one)
            for place, one in enumerate(hierarchies)
        ]
    )


def _resampled(table: Table, rows: int, seed: int) -> Table:
    """Rows drawn with replacement, some of their cells drawn again from their column."""
    random = np.random.default_rng(seed)
    drawn = random.integers(0, len(table), rows)
    columns = []
    for column in table.quasi:
        codes = column.codes[drawn]
        again = random.random(rows) < RESAMPLED
        codes[again] = column.codes[random.integers(0, len(table), int(again.sum()))]
        columns.append(Quasi(column.name, codes, column.hierarchy))
    return Table(columns)
