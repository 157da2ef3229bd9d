"""Whether groups of rows meet a guarantee: asked at every split or merge, and of the finished classes."""

from dataclasses import dataclass

import numpy as np

from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.measures import TOLERANCE, Spread, count_subjects, distances, distribution
from anonymization.guarantees.table import Flags, Floats, Ids, Table


@dataclass(frozen=True)
class Condition:
    """A guarantee bound to a table. ``references`` are the distributions that t measures distances from."""

    table: Table
    guarantee: Guarantee
    references: tuple[Floats, ...]

    @classmethod
    def of(cls, table: Table, guarantee: Guarantee, released: Ids | None = None) -> "Condition":
        """``released`` are the rows whose distribution is the reference (none given: all)."""
        references: tuple[Floats, ...] = ()
        if guarantee.t is not None:
            references = tuple(distribution(attribute, table.subjects, released) for attribute in table.sensitive)
        return cls(table, guarantee, references)

    @property
    def is_count_only(self) -> bool:
        """Whether the number of rows of a group decides alone."""
        return self.table.subjects is None and not self.looks_at_values

    @property
    def looks_at_values(self) -> bool:
        asked = self.guarantee.diversity is not None or self.guarantee.t is not None
        return asked and bool(self.table.sensitive)

    def holds(self, groups: Ids, count: int, rows: Ids) -> Flags:
        """For each of ``count`` groups; ``groups[i]`` is the group of row ``rows[i]``. A group without rows fails."""
        subjects = None if self.table.subjects is None else self.table.subjects[rows]
        good = count_subjects(groups, count, subjects) >= self.guarantee.k
        if not self.looks_at_values or not good.any():
            return np.asarray(good)
        kept = good[groups]
        if not kept.all():
            groups, rows = groups[kept], rows[kept]
            subjects = None if subjects is None else subjects[kept]
        numbers = np.cumsum(good) - 1
        passed = self._hold_values(numbers[groups], int(good.sum()), rows)
        good[good] = passed
        return np.asarray(good)

    def _hold_values(self, groups: Ids, count: int, rows: Ids) -> Flags:
        good = np.ones(count, np.bool_)
        subjects = None if self.table.subjects is None else self.table.subjects[rows]
        for place, attribute in enumerate(self.table.sensitive):
            spread = Spread.of(groups, count, attribute.codes[rows], attribute.size, subjects)
            if self.guarantee.diversity is not None:
                good &= spread.is_diverse(self.guarantee.diversity)
            if self.guarantee.t is not None:
                good &= distances(spread, attribute, self.references[place]) <= self.guarantee.t + TOLERANCE
        return good
