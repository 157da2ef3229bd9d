"""A whole verification in pages: whoever runs it opens a scope for each and may put its state away between two."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self
from uuid import UUID

from django.conf import settings

from audit.archive.read import Archive
from audit.log.stored import TILE_WIDTH
from audit.proofs.damage import Damage, Finding
from audit.proofs.derived import changed_counts, changed_tiles, changed_upper_tiles
from audit.proofs.drops import disproved_drops, recorded_drops
from audit.proofs.heads import Trust, greatest_size, stored_heads
from audit.proofs.rows import Row, count_leaves, count_unsealed, places_of_copies, places_taken_twice, stream_page
from audit.proofs.walk import MOST_FINDINGS, SignedHead, Walk
from audit.proofs.witnessed import WitnessAnswer

#: Leaves of one page: whole tiles of them.
PAGE: Final = 80 * TILE_WIDTH


@dataclass(frozen=True)
class Witnessed:
    """What came of asking one witness.

    ``state`` is agrees, none (it holds nothing yet), silent (it could not be asked) or the kind of damage it shows.
    """

    name: str
    size: int
    state: str


@dataclass
class LogVerification:
    """The verification of one organization's log as it is when ``begin`` is called."""

    tenant_id: UUID
    trust: Trust
    walk: Walk
    target: int = 0
    heads: list[SignedHead] = field(default_factory=list)
    witnesses: list[Witnessed] = field(default_factory=list)

    @classmethod
    def begin(cls, tenant_id: UUID, trust: Trust, answers: Sequence[WitnessAnswer]) -> Self:
        """Inside a scope, with what the witnesses said *before*: the log only grows meanwhile."""
        verification = cls(tenant_id, trust, Walk(tenant_id, dropped=recorded_drops(tenant_id)))
        verification.target = count_leaves(tenant_id)
        verification._judge(answers)
        return verification

    @classmethod
    def resume(cls, tenant_id: UUID, trust: Trust, stored: dict[str, Any], findings: Iterable[dict[str, Any]]) -> Self:
        """Inside a scope, where ``as_json`` left off."""
        verification = cls(tenant_id, trust, Walk(tenant_id, dropped=recorded_drops(tenant_id)), stored["target"])
        verification.walk.resume(stored["walk"])
        verification.walk.findings = [Finding.from_json(one) for one in findings]
        verification.heads = [SignedHead(size, bytes.fromhex(root), name) for size, root, name in stored["heads"]]
        verification.witnesses = [Witnessed(**one) for one in stored["witnesses"]]
        return verification

    def as_json(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "walk": self.walk.as_json(),
            "heads": [(head.size, head.root.hex(), head.witness) for head in self.heads],
            "witnesses": [asdict(one) for one in self.witnesses],
        }

    @property
    def is_walked(self) -> bool:
        return self.walk.next_seq >= self.target or self.walk.is_full

    @property
    def is_witnessed(self) -> bool:
        """Whether a readable witness agreed: with a root on the way, or that there is no log yet."""
        return bool(self.walk.witnessed) if self.target else any(one.state == "none" for one in self.witnesses)

    @property
    def findings(self) -> list[Finding]:
        """What was found, in order of the sequence numbers."""
        return sorted(self.walk.findings)

    def step(self) -> None:
        """Look at the next page, inside a scope."""
        start, end = self.walk.next_seq, min(self.walk.next_seq + PAGE, self.target)
        stored = stored_heads(self.tenant_id, self.trust, above=start, up_to=end)
        for size in stored.bad:
            self.walk.find(size - 1, Damage.BAD_CHECKPOINT, source=f"checkpoint {size}")
        heads = [*stored.good, *(head for head in self.heads if start < head.size <= end)]
        archive, leaves = Archive(self.tenant_id), list[bytes]()
        self.walk.take(self._rows(start, end, archive, leaves), heads, end, archive.fault_at)
        if len(leaves) == end - start:  # else the gap is told
            self._add(changed_tiles(self.tenant_id, start, leaves))

    def _rows(self, start: int, end: int, archive: Archive, leaves: list[bytes]) -> Iterator[Row]:
        """The rows of a page, looked at while the database reads on; their leaves are added to ``leaves``.

        The first without an event ends that: the archive is looked for in the database too.
        """
        online = stream_page(self.tenant_id, start, end)
        for row in online:
            leaves.append(row[1])
            if row[2] is None:
                rest = [row, *online]
                leaves += [leaf for _, leaf, *_ in rest[1:]]
                filled = archive.fill(rest)
                self.walk.archived += sum(one[2] is None for one in rest) - sum(one[2] is None for one in filled)
                yield from filled
                return
            yield row

    def conclude(self) -> None:
        """What no page shows: a log shorter than was signed, events without a place or with two. Inside a scope."""
        if (signed := greatest_size(self.tenant_id)) > (leaves := count_leaves(self.tenant_id)):
            self.walk.find(leaves, Damage.TRUNCATED, last=signed - 1, source=f"checkpoint {signed}")
        for seq in places_taken_twice(self.tenant_id, limit=MOST_FINDINGS):
            self.walk.find(seq, Damage.DUPLICATE)
        for seq in places_of_copies(self.tenant_id, limit=MOST_FINDINGS):
            self.walk.find(seq, Damage.EVENT_COPIED)
        for drop in disproved_drops(self.tenant_id, recorded_drops(self.tenant_id)):
            self.walk.find(
                drop.first, Damage.DROP_DIFFERS, last=drop.last, source="drop of {}-{:02}".format(*drop.month)
            )
        if waiting := count_unsealed(self.tenant_id, grace_seconds=settings.VAULT["AUDIT_LATE_SECONDS"]):
            self.walk.find(leaves, Damage.UNSEALED, source=f"{waiting} events")
        has_tile = any(found.kind == Damage.TILE_CHANGED for found in self.walk.findings)
        if self.walk.is_whole and not self.walk.is_full and not has_tile:
            self._add(changed_upper_tiles(self.tenant_id, self.walk.frontier))
        if not self.walk.findings:  # a log that is damaged is not what was counted
            self._add(changed_counts(self.tenant_id, limit=MOST_FINDINGS))
        against = {found.source: found.kind for found in self.walk.findings if found.source.startswith("witness ")}
        self.witnesses = [replace(one, state=against.get(f"witness {one.name}", one.state)) for one in self.witnesses]

    def _add(self, findings: Iterable[Finding]) -> None:
        for one in findings:
            self.walk.find(one.seq, one.kind, last=one.last, source=one.source)

    def _judge(self, answers: Iterable[WitnessAnswer]) -> None:
        for answer in answers:
            read = [self.trust.read(note) for note in answer.notes]
            heads = [SignedHead(head.size, head.root, answer.name) for head in read if head is not None]
            if answer.is_silent or not (read or answer.expected):
                self.witnesses.append(Witnessed(answer.name, 0, "silent" if answer.is_silent else "none"))
                continue
            size = max((head.size for head in heads), default=0)
            source = f"witness {answer.name}"
            if len(heads) < max(len(read), 1) or size < answer.expected:
                self.walk.find(max(answer.expected - 1, 0), Damage.BAD_WITNESS, source=source)
            if size > self.target:
                self.walk.find(self.target, Damage.WITNESS_AHEAD, last=size - 1, source=source)
            self.heads += [head for head in heads if head.size <= self.target]
            self.witnesses.append(Witnessed(answer.name, size, "agrees"))
