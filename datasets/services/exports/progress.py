"""How far an export has come: everything a worker must know to go on where another one stopped."""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from datasets.passport.rows import RowTree
from datasets.services.consent import KIND as CONSENT
from datasets.services.consent import ConsentGate
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.restrictions import RestrictionGate

#: Rows whose inclusion in the source version a raw export proves.
PROVEN_ROWS: Final = 16


@dataclass
class WrittenFile:
    """One file so far. ``sequence`` is its only part, None for a file of many parts, which are found by ``index``."""

    name: str
    part: str
    index: int
    tree: RowTree = field(default_factory=RowTree)
    sequence: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "part": self.part,
            "index": self.index,
            "rows": self.tree.count,
            "subtrees": [digest.hex() for digest in self.tree.subtrees],
            "sequence": self.sequence,
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        tree = RowTree.resumed(stored["rows"], stored["subtrees"])
        return cls(stored["name"], stored["part"], stored["index"], tree, stored["sequence"])


class Pick(NamedTuple):
    """A row to be proven; the ``place`` decides which."""

    place: int
    file: str
    row: int
    source_id: str


@dataclass
class Progress:
    """``after`` is the last source id that is dealt with, ``number`` the last part written, ``read`` counts records.
    ``withheld`` counts those that were left out for want of consent, None where nobody's was asked for; ``restricted``
    those whose people restricted the purpose.
    """

    stage: str = "survey"
    after: str | None = None
    read: int = 0
    number: int = 0
    size: int = 0
    withheld: int | None = None
    restricted: int | None = None
    files: list[WrittenFile] = field(default_factory=list)
    picks: list[Pick] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return sum(file.tree.count for file in self.files)

    def pick(self, pick: Pick) -> None:
        """Keep the row if its place is among the lowest."""
        low = Pick(-pick.place, *pick[1:])
        if len(self.picks) < PROVEN_ROWS:
            heapq.heappush(self.picks, low)
        else:
            heapq.heappushpop(self.picks, low)

    def as_checkpoint(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "after": self.after,
            "read": self.read,
            "number": self.number,
            "size": self.size,
            "withheld": self.withheld,
            "restricted": self.restricted,
            "files": [file.as_json() for file in self.files],
            # As text: JSON numbers end before 64 bits do.
            "picks": [[str(pick.place), *pick[1:]] for pick in self.picks],
        }

    @classmethod
    def of(cls, checkpoint: Mapping[str, Any]) -> Self:
        if not checkpoint:
            return cls()
        picks = [Pick(int(place), *rest) for place, *rest in checkpoint["picks"]]
        heapq.heapify(picks)
        return cls(
            stage=checkpoint["stage"],
            after=checkpoint["after"],
            read=checkpoint["read"],
            number=checkpoint["number"],
            size=checkpoint["size"],
            withheld=checkpoint.get("withheld"),
            restricted=checkpoint.get("restricted"),
            files=[WrittenFile.of(stored) for stored in checkpoint["files"]],
            picks=picks,
        )

    def as_shown(self, total: int, *, has_survey: bool) -> dict[str, Any]:
        """What people are told: of ``total`` records in the version."""
        share = min(self.read / total, 1.0) if total else 1.0
        start, end = {"survey": (0, 40), "write": (40 if has_survey else 0, 95), "seal": (95, 95)}[self.stage]
        percent = start + int((end - start) * share)
        shown = {"stage": self.stage, "read": self.read, "records": self.rows, "bytes": self.size, "percent": percent}
        return shown | self.withheld_facts()

    def count_restricted(self, gate: RestrictionGate | None, *, until: str | None = None) -> None:
        """As ``count_withheld``, for those whose people restricted the purpose."""
        if gate is not None:
            self.restricted = (self.restricted or 0) + gate.take_count(until=until)

    def count_withheld(self, gate: ConsentGate | None, *, until: str | None = None) -> None:
        """Add what the gate left out since it was asked last, up to the source id ``until``."""
        if gate is not None:
            self.withheld = (self.withheld or 0) + gate.take_count(until=until)

    def withheld_facts(self) -> dict[str, Any]:
        """How many records were left out and why; empty where nobody's could be."""
        counts = {CONSENT: self.withheld, RESTRICTION: self.restricted}
        known = {kind: count for kind, count in counts.items() if count is not None}
        return {"records_withheld": known} if known else {}
