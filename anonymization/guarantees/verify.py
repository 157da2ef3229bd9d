"""The check of finished rows, in plain Python: it shares nothing with the search but the guarantee it checks.

It reads what is about to be released, as texts, and counts again. Whatever went wrong before, in the algorithms, in
the numbers they work on or in the way rows were written, ends here.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from anonymization.guarantees.errors import GuaranteeBroken
from anonymization.guarantees.guarantee import Diversity, DiversityKind, Guarantee

_TOLERANCE: Final = 1e-9


@dataclass(frozen=True)
class Attribute:
    """How distances of values of a sensitive attribute count: steps in ``order``, branches in ``paths`` (each value's
    labels from itself to the top), or none of both: all are one apart.
    """

    order: Sequence[str] = ()
    paths: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass
class Check:
    """Counts rows one by one: ``attributes`` are the sensitive ones, in the order ``add`` is given their values."""

    guarantee: Guarantee
    attributes: Sequence[Attribute] = ()
    rows: int = 0
    _subjects: dict[tuple[str, ...], set[Hashable]] = field(default_factory=lambda: defaultdict(set))
    _values: dict[tuple[str, ...], list[set[tuple[Hashable, str]]]] = field(default_factory=dict)

    def add(self, shown: tuple[str, ...], subject: Hashable | None, sensitive: Sequence[str]) -> None:
        """One released row: its quasi-identifiers as shown, whom it is about (None: itself), its sensitive values."""
        self.rows += 1
        who = self.rows if subject is None else subject
        self._subjects[shown].add(who)
        kept = self._values.setdefault(shown, [set() for _ in self.attributes])
        for place, value in enumerate(sensitive):
            kept[place].add((who, value))

    def finish(self) -> None:
        """Raises GuaranteeBroken, saying which part of the guarantee does not hold."""
        if any(len(subjects) < self.guarantee.k for subjects in self._subjects.values()):
            raise GuaranteeBroken(part="k")
        for place, attribute in enumerate(self.attributes):
            self._finish_attribute(place, attribute)

    def _finish_attribute(self, place: int, attribute: Attribute) -> None:
        wanted, t = self.guarantee.diversity, self.guarantee.t
        classes = [Counter(value for _, value in kept[place]) for kept in self._values.values()]
        if wanted is not None and not all(_is_diverse(counts, wanted) for counts in classes):
            raise GuaranteeBroken(part="l")
        if t is None:
            return
        whole = Counter(value for _, value in set().union(*(kept[place] for kept in self._values.values())))
        if any(_distance(counts, whole, attribute) > t + _TOLERANCE for counts in classes):
            raise GuaranteeBroken(part="t")

    def smallest(self) -> int:
        """Subjects of the smallest class; 0 without rows."""
        return min(map(len, self._subjects.values()), default=0)


def _is_diverse(counts: Counter[str], wanted: Diversity) -> bool:
    if wanted.kind == DiversityKind.DISTINCT:
        return len(counts) >= wanted.l
    total = sum(counts.values())
    if wanted.kind == DiversityKind.ENTROPY:
        entropy = -math.fsum(count / total * math.log(count / total) for count in counts.values())
        return math.exp(entropy) >= wanted.l * (1 - _TOLERANCE)
    ordered = sorted(counts.values(), reverse=True)
    return ordered[0] < wanted.c * sum(ordered[int(wanted.l) - 1 :])


def _distance(counts: Counter[str], whole: Counter[str], attribute: Attribute) -> float:
    own, all_of = sum(counts.values()), sum(whole.values())
    extra = {value: counts[value] / own - whole[value] / all_of for value in whole}
    if attribute.order:
        return _steps([extra.get(value, 0.0) for value in attribute.order])
    if attribute.paths:
        return _branches(extra, attribute.paths)
    return math.fsum(abs(amount) for amount in extra.values()) / 2


def _steps(extra: Sequence[float]) -> float:
    carried, work = 0.0, 0.0
    for amount in extra:
        carried += amount
        work += abs(carried)
    return work / max(len(extra) - 1, 1)


def _branches(extra: Mapping[str, float], paths: Mapping[str, Sequence[str]]) -> float:
    height = len(next(iter(paths.values()))) - 1
    carried: dict[tuple[str, ...], float] = {tuple(paths[value]): amount for value, amount in extra.items()}
    work = 0.0
    for level in range(1, height + 1):
        above: dict[tuple[str, ...], list[float]] = defaultdict(list)
        for path, amount in carried.items():
            above[path[1:]].append(amount)
        for amounts in above.values():
            more, less = math.fsum(a for a in amounts if a > 0), -math.fsum(a for a in amounts if a < 0)
            work += level / height * min(more, less)
        carried = {path: math.fsum(amounts) for path, amounts in above.items()}
    return work


def check_rows(
    rows: Iterable[tuple[tuple[str, ...], Hashable | None, Sequence[str]]],
    guarantee: Guarantee,
    attributes: Sequence[Attribute] = (),
) -> int:
    """Check rows of (shown, subject, sensitive values); returns how many there are. Raises GuaranteeBroken."""
    check = Check(guarantee, attributes)
    for shown, subject, sensitive in rows:
        check.add(shown, subject, sensitive)
    check.finish()
    return check.rows
