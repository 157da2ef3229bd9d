"""What a table attains: the k, l and t that its worst class has."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from anonymization.guarantees.measures import Spread, count_subjects, distances, distribution
from anonymization.guarantees.table import Codes, Ids, Table


@dataclass(frozen=True)
class Diverse:
    """Of one sensitive attribute: distinct values, exponential of the entropy, distance from the whole."""

    name: str
    distinct: int
    entropy: float
    t: float


@dataclass(frozen=True)
class Attained:
    """``k`` is 0 for a table without rows."""

    k: int
    attributes: tuple[Diverse, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Fractions as texts: a passport holds none."""
        attributes = {
            one.name: {"distinct": one.distinct, "entropy": f"{one.entropy:.6f}", "t": f"{one.t:.6f}"}
            for one in self.attributes
        }
        return {"k": self.k, "sensitive": attributes}


def attained(table: Table, classes: Ids) -> Attained:
    """``classes`` gives each row its class, -1 where it is not released."""
    rows = np.flatnonzero(classes >= 0)
    if not len(rows):
        return Attained(0)
    _, groups = np.unique(classes[rows], return_inverse=True)
    count = int(groups.max()) + 1
    subjects: Codes | None = None if table.subjects is None else table.subjects[rows]
    found = []
    for attribute in table.sensitive:
        spread = Spread.of(groups, count, attribute.codes[rows], attribute.size, subjects)
        far = distances(spread, attribute, distribution(attribute, table.subjects, rows))
        found.append(
            Diverse(attribute.name, int(spread.distinct().min()), float(spread.entropy().min()), float(far.max()))
        )
    return Attained(int(count_subjects(groups, count, subjects).min()), tuple(found))
