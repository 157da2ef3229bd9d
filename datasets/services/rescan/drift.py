"""What another set of detectors finds in the same records: by entity type, how much was gained and lost."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from anonymization.findings import ACT_FROM, Finding


@dataclass
class Drift:
    """Counts of findings that count (score ACT_FROM on), by entity type: ``[gained, lost]``."""

    types: dict[str, list[int]] = field(default_factory=dict)
    #: Records with any difference.
    records: int = 0

    def add(self, before: Sequence[Finding], after: Sequence[Finding]) -> None:
        """Compare the findings of one record by place and type; scores and recognizers may differ."""
        old, new = _spans(before), _spans(after)
        self.records += old != new
        for span in new - old:
            self._of(span[-1])[0] += 1
        for span in old - new:
            self._of(span[-1])[1] += 1

    def _of(self, entity_type: str) -> list[int]:
        return self.types.setdefault(entity_type, [0, 0])

    def as_json(self) -> dict[str, Any]:
        return {name: counts for name, counts in sorted(self.types.items()) if any(counts)}


def _spans(findings: Sequence[Finding]) -> set[tuple[str, str, int, int, str]]:
    return {(f.pointer, f.part, f.start, f.end, f.entity_type) for f in findings if f.score >= ACT_FROM}
