"""One walk along the log: every leaf from the stored bytes, the tree from the leaves, every signed root on the way."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson

from audit.log.tree import Frontier
from audit.proofs.damage import Damage, Finding
from audit.proofs.rows import Row, columns_of

#: Findings kept; a log with more is not described better by more of them.
MOST_FINDINGS: Final = 100


@dataclass(frozen=True, order=True)
class SignedHead:
    """A root that somebody says the log had at a size; ``witness`` is empty for the vault's own checkpoints."""

    size: int
    root: bytes
    witness: str = ""

    @property
    def source(self) -> str:
        return f"witness {self.witness}" if self.witness else f"checkpoint {self.size}"


@dataclass(frozen=True)
class Dropped:
    """A recorded drop of a month: it took ``events`` events, whose leaves have numbers from ``first`` to ``last``."""

    month: tuple[int, int]
    first: int
    last: int
    events: int

    def covers(self, seq: int, time: datetime) -> bool:
        """Whether the drop explains that a leaf with this number and time has no event."""
        time = time.astimezone(UTC)
        return (time.year, time.month) == self.month and self.first <= seq <= self.last


#: What keeps the archive from giving the event of a leaf (number, time): None when nothing does.
FaultAt = Callable[[int, datetime], Finding | None]


def no_fault_at(_seq: int, _time: datetime) -> Finding | None:
    """Of a log without an archive."""
    return None


@dataclass
class Walk:
    """How far the log was looked at, and what was found; it can be put away as JSON between pages.

    ``agreed`` is the greatest size at which the vault's own signed root agreed, ``witnessed`` the same for each
    witness: who holds the signing key can bring the vault's own into line, not what others hold. A gap ends the
    comparing of roots (``is_whole``), not that of events. ``archived`` events were read from the archive; ``removed``
    ones are gone under retention, the last of them at ``removed_to``.
    """

    tenant_id: UUID
    dropped: Sequence[Dropped] = ()
    frontier: Frontier = field(default_factory=Frontier)
    next_seq: int = 0
    agreed: int = 0
    witnessed: dict[str, int] = field(default_factory=dict)
    is_whole: bool = True
    compared: int = 0
    archived: int = 0
    removed: int = 0
    removed_to: int | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether enough was found to stop."""
        return len(self.findings) >= MOST_FINDINGS

    def take(self, rows: Iterable[Row], heads: Iterable[SignedHead], end: int, fault_at: FaultAt = no_fault_at) -> None:
        """Look at the leaves from ``next_seq`` to ``end - 1``, and at what was signed for a size in (next_seq, end].

        ``fault_at`` says of a leaf without an event which part of the archive should have it and does not.
        """
        waiting = sorted(heads, reverse=True)
        stop = waiting[-1].size if waiting else -1
        append, tenant = self.frontier.append, str(self.tenant_id)
        for row in rows:
            seq, leaf, body, _, time, _ = row
            if seq != self.next_seq and not self._is_next(seq):
                continue
            if body is None:
                self._miss(seq, time, fault_at)
            elif (damage := damage_of(row, tenant)) is not None:
                self.find(seq, damage)
            append(leaf)
            self.next_seq = seq + 1
            if self.next_seq == stop:
                stop = self._compare(waiting)
        if self.next_seq < end:
            self._leave_gap(end)

    def find(self, seq: int, kind: Damage, *, last: int | None = None, source: str = "") -> None:
        """Keep a finding, unless there are enough."""
        if not self.is_full:
            self.findings.append(Finding(seq, kind, last, source))

    def _is_next(self, seq: int) -> bool:
        """Whether to go on with a leaf that is not the expected one: behind a gap yes, at a place taken no."""
        if seq < self.next_seq:
            self.find(seq, Damage.DUPLICATE)
            return False
        self._leave_gap(seq)
        return True

    def _leave_gap(self, end: int) -> None:
        self.find(self.next_seq, Damage.GAP, last=end - 1)
        self.is_whole = False
        self.next_seq = end

    def _miss(self, seq: int, time: datetime, fault_at: FaultAt) -> None:
        if any(drop.covers(seq, time) for drop in self.dropped):
            self.removed, self.removed_to = self.removed + 1, seq
        elif (fault := fault_at(seq, time)) is None:
            self.find(seq, Damage.EVENT_MISSING)
        elif fault not in self.findings:  # once a part, whose events may fill pages
            self.find(fault.seq, fault.kind, last=fault.last, source=fault.source)

    def _compare(self, waiting: list[SignedHead]) -> int:
        """Compare what was signed for the size reached; returns the next size to stop at, -1 for none."""
        while waiting and waiting[-1].size <= self.next_seq:
            head = waiting.pop()
            if self.is_whole and head.size == self.next_seq:
                self._agree(head)
        return waiting[-1].size if waiting else -1

    def _agree(self, head: SignedHead) -> None:
        self.compared += not head.witness
        is_same = self.frontier.root() == head.root
        if is_same and head.witness:
            self.witnessed[head.witness] = head.size
        elif is_same:
            self.agreed = head.size
        elif head.witness:
            self._part(self.witnessed.get(head.witness, 0), Damage.WITNESS_DIFFERS, head)
        else:
            self._part(self.agreed, Damage.REWRITTEN, head)

    def _part(self, seq: int, kind: Damage, head: SignedHead) -> None:
        """Every later root differs too, and says nothing more."""
        if not any(found.kind == kind and found.seq == seq for found in self.findings):
            self.find(seq, kind, last=head.size - 1, source=head.source)

    def as_json(self) -> dict[str, Any]:
        """What resuming needs; findings and what was dropped are kept elsewhere."""
        return {
            "seq": self.next_seq,
            "size": self.frontier.size,
            "peaks": [peak.hex() for peak in self.frontier.peaks],
            "agreed": self.agreed,
            "witnessed": self.witnessed,
            "whole": self.is_whole,
            "compared": self.compared,
            "archived": self.archived,
            "removed": self.removed,
            "removed_to": self.removed_to,
        }

    def resume(self, stored: dict[str, Any]) -> None:
        """Go on where as_json() left off."""
        self.frontier = Frontier(stored["size"], [bytes.fromhex(peak) for peak in stored["peaks"]])
        self.next_seq, self.agreed = stored["seq"], stored["agreed"]
        self.witnessed = stored["witnessed"]
        self.is_whole, self.compared = stored["whole"], stored["compared"]
        self.archived, self.removed = stored.get("archived", 0), stored.get("removed", 0)
        self.removed_to = stored.get("removed_to")


def damage_of(row: Row, tenant: str) -> Damage | None:
    """What is wrong with the event of a leaf: other bytes than were sealed, or found under what it does not say.

    None when all is well, and for a leaf whose event is gone.
    """
    _, leaf, body, columns, time, event_id = row
    if body is None:
        return None
    if sha256(b"\x00" + body).digest() != leaf:
        return Damage.EVENT_CHANGED
    try:
        said = orjson.loads(body)
        is_true = (
            columns_of(said) == columns
            and said["event_id"] == event_id
            and said["tenant_id"] == tenant
            and datetime.fromisoformat(said["timestamp"]) == time
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        is_true = False
    return None if is_true else Damage.COLUMNS_CHANGED
