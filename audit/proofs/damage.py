"""What can be wrong with a log, and where."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self


class Damage(StrEnum):
    """The kinds of damage; the sequence number of each finding says where it begins."""

    GAP = "gap"
    DUPLICATE = "duplicate"
    EVENT_MISSING = "event_missing"
    ARCHIVE_LOST = "archive_lost"
    ARCHIVE_UNREADABLE = "archive_unreadable"
    EVENT_COPIED = "event_copied"
    DROP_DIFFERS = "drop_differs"
    EVENT_CHANGED = "event_changed"
    COLUMNS_CHANGED = "columns_changed"
    UNSEALED = "unsealed"
    REWRITTEN = "rewritten"
    TRUNCATED = "truncated"
    BAD_CHECKPOINT = "bad_checkpoint"
    WITNESS_AHEAD = "witness_ahead"
    WITNESS_DIFFERS = "witness_differs"
    BAD_WITNESS = "bad_witness"
    TILE_CHANGED = "tile_changed"
    COUNTS_CHANGED = "counts_changed"


#: What each kind means, for people.
MEANINGS: Final = {
    Damage.GAP: "leaves are missing",
    Damage.DUPLICATE: "an event has two places",
    Damage.EVENT_MISSING: "the event of a leaf is gone, and no drop by retention explains it",
    Damage.ARCHIVE_LOST: "events were moved into the archive, and their part of it is not in the store",
    Damage.ARCHIVE_UNREADABLE: "a part of the archive cannot be opened: it was changed, or its key is destroyed",
    Damage.EVENT_COPIED: "the id of an event stands at another time too, in a row that was never sealed",
    Damage.DROP_DIFFERS: "a drop by retention took other events than the audit tells of",
    Damage.EVENT_CHANGED: "the event's bytes are not those that were sealed",
    Damage.COLUMNS_CHANGED: "the columns by which the event is found do not say what its bytes say",
    Damage.UNSEALED: "an event has waited too long for its place in the log",
    Damage.REWRITTEN: "the leaves do not lead to the root that was signed",
    Damage.TRUNCATED: "a signed checkpoint covers more leaves than there are",
    Damage.BAD_CHECKPOINT: "a checkpoint is not what the vault's key signed",
    Damage.WITNESS_AHEAD: "a witness holds a checkpoint of a longer log: newer events were taken away",
    Damage.WITNESS_DIFFERS: "a witness holds a checkpoint of another log: history was rewritten, or the log was forked",
    Damage.BAD_WITNESS: "what a witness holds is not what the vault's key signed",
    Damage.TILE_CHANGED: "stored hashes of the tree, from which proofs are made, are not those of the leaves",
    Damage.COUNTS_CHANGED: "the counts that summaries show are not those of the leaves",
}


@dataclass(frozen=True, order=True)
class Finding:
    """One damage: where it begins, which kind, how far it may reach (None: this place alone), and what shows it."""

    seq: int
    kind: Damage
    last: int | None = None
    source: str = ""

    @property
    def meaning(self) -> str:
        return MEANINGS[self.kind]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(stored["seq"], Damage(stored["kind"]), stored["last"], stored["source"])
