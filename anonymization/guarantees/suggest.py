"""Which columns would tell people apart, alone or together (distinction and separation of Motwani and Xu 2007)."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from anonymization.guarantees.grouping import group_rows
from anonymization.guarantees.table import Codes, Ids

#: Columns of a combination at most, and combinations named.
LARGEST: Final = 3
NAMED: Final = 25
#: A column with more distinct values a row names people by itself; one with fewer values than two tells nothing.
IDENTIFYING: Final = 0.95
#: Rows alone in a combination, as a share, from which it is worth a warning; and a column's gain to be suggested.
REMARKABLE: Final = 0.01
#: Columns whose combinations are looked at: those with the highest entropy.
COMBINED: Final = 12


@dataclass(frozen=True)
class Combination:
    """``distinct`` are its different values by rows; ``unique`` the share of rows that are alone; ``separated`` the
    share of pairs of rows that differ; ``bits`` its entropy.
    """

    columns: tuple[str, ...]
    distinct: float
    unique: float
    separated: float
    bits: float

    def as_json(self) -> Mapping[str, Any]:
        return {
            "columns": list(self.columns),
            "distinct": round(self.distinct, 6),
            "unique": round(self.unique, 6),
            "separated": round(self.separated, 6),
            "bits": round(self.bits, 3),
        }


@dataclass(frozen=True)
class Suggestion:
    """Columns that name people by themselves, those that do so together, and what the combinations give away."""

    identifiers: tuple[str, ...]
    quasi_identifiers: tuple[str, ...]
    columns: tuple[Combination, ...]
    combinations: tuple[Combination, ...]


def suggest(columns: Mapping[str, Codes]) -> Suggestion:
    """Look at columns of codes, one a row, alone and in combinations of up to LARGEST."""
    singles = {name: _measure((name,), [codes]) for name, codes in columns.items()}
    identifiers = tuple(name for name, one in singles.items() if one.distinct > IDENTIFYING)
    others = [name for name, one in singles.items() if name not in identifiers and one.bits > 0]
    others = sorted(others, key=lambda name: -singles[name].bits)[:COMBINED]
    sets = [
        _measure(names, [columns[name] for name in names])
        for size in range(2, LARGEST + 1)
        for names in itertools.combinations(others, size)
    ]
    telling = sorted((one for one in sets if one.unique >= REMARKABLE), key=lambda one: (-one.unique, len(one.columns)))
    named = {name for one in telling for name in one.columns}
    named |= {name for name in others if singles[name].unique >= REMARKABLE}
    quasi = tuple(name for name in columns if name in named)
    return Suggestion(identifiers, quasi, tuple(singles.values()), tuple(telling[:NAMED]))


def _measure(names: tuple[str, ...], columns: Sequence[Codes]) -> Combination:
    groups, first = group_rows(columns, [int(codes.max(initial=0)) + 1 for codes in columns])
    sizes: Ids = np.bincount(groups, minlength=len(first))
    rows = max(len(groups), 1)
    pairs = rows * (rows - 1) / 2
    alike = float((sizes * (sizes - 1) / 2).sum())
    shares = sizes / rows
    return Combination(
        columns=names,
        distinct=len(first) / rows,
        unique=float((sizes == 1).sum() / rows),
        separated=1.0 - alike / pairs if pairs else 0.0,
        bits=float(-(shares * np.log2(shares)).sum()) if len(first) else 0.0,
    )
