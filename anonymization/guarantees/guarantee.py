"""What is promised of a table: k, l and t, and how many rows may be dropped to keep the promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from anonymization.guarantees.errors import InvalidGuarantee

MAX_K: Final = 100_000
MAX_L: Final = 1_000


class DiversityKind(StrEnum):
    """How the diversity of a class is counted (Machanavajjhala et al. 2007)."""

    DISTINCT = "distinct"
    ENTROPY = "entropy"
    RECURSIVE = "recursive"


@dataclass(frozen=True)
class Diversity:
    """``l`` values that are well represented; ``c`` is the factor of recursive (c, l)-diversity.

    Distinct: at least l values. Entropy: the exponential of the entropy is at least l. Recursive: the most frequent
    value is rarer than c times the sum of the l-th most frequent and all after it.
    """

    kind: DiversityKind
    l: float  # noqa: E741 - the name it has everywhere
    c: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.l <= MAX_L or not 0 < self.c <= MAX_L:
            raise InvalidGuarantee("l and c are out of bounds", field="l_diversity")
        if self.kind != DiversityKind.ENTROPY and self.l != int(self.l):
            raise InvalidGuarantee("l is a whole number of values", field="l_diversity")

    def as_json(self) -> dict[str, Any]:
        own = {"kind": str(self.kind), "l": self.l}
        return own | {"c": self.c} if self.kind == DiversityKind.RECURSIVE else own


@dataclass(frozen=True)
class Guarantee:
    """Every class holds ``k`` subjects; of each sensitive attribute, it is diverse and its distribution is close.

    ``t`` is the greatest distance of a class's distribution from that of all released rows (earth mover's distance,
    0 to 1). ``suppression`` is the share of rows, 0 to 1, that may be dropped.
    """

    k: int
    diversity: Diversity | None = None
    t: float | None = None
    suppression: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.k <= MAX_K:
            raise InvalidGuarantee(f"k is a number from 1 to {MAX_K}", field="k")
        if self.t is not None and not 0 < self.t <= 1:
            raise InvalidGuarantee("t lies between 0 and 1", field="t")
        if not 0 <= self.suppression <= 1:
            raise InvalidGuarantee("The suppression limit is a share from 0 to 1", field="suppression_limit")

    def as_json(self) -> dict[str, Any]:
        return {
            "k": self.k,
            "l_diversity": self.diversity.as_json() if self.diversity else None,
            "t": self.t,
            "suppression_limit": self.suppression,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        kept = stored["l_diversity"]
        diversity = Diversity(DiversityKind(kept["kind"]), kept["l"], kept.get("c", 1.0)) if kept else None
        return cls(stored["k"], diversity, stored["t"], stored["suppression_limit"])
