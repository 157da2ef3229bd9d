"""The records that two lines of history changed differently, and what each becomes."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from datasets.json_merge import ABSENT, Preference, merge_members
from datasets.models import ConflictKind, MergeStrategy, Resolution
from datasets.tree.diff import Place, RecordChange, diff
from datasets.tree.digests import DIGEST_BYTES
from datasets.tree.merge import Collision
from datasets.tree.record import TreeRecord, canonical_record
from datasets.tree.store import TreeSource

_NOTHING: Final = bytes(DIGEST_BYTES)
_PREFERENCES: Final[dict[str, Preference | None]] = {
    MergeStrategy.MANUAL: None,
    MergeStrategy.OURS: "ours",
    MergeStrategy.THEIRS: "theirs",
}


class Erased(NamedTuple):
    """A record that stays away because one of the sides has erased it."""

    id: str


class Merged(NamedTuple):
    """A record put together of members of both sides, or given by whoever resolved the conflict."""

    canonical: bytes


@dataclass(frozen=True)
class Resolved:
    """What somebody decided on one conflict, for the sides they saw; ``canonical`` is a record of their own."""

    sides: bytes
    resolution: str
    canonical: bytes | None = None


#: A side's record, none at all, one put together, or the reason why somebody has to decide.
Decision: TypeAlias = TreeRecord | Merged | ConflictKind | None


def find_collisions(
    source: TreeSource, base_root: bytes, ours_root: bytes, theirs_root: bytes, *, after_id: str | None = None
) -> Iterator[Collision | Erased]:
    """Every record that both sides changed since base, and differently, in order of id; at the cost of both changes.

    A record that one of the trees has erased comes as Erased, if another still has it.
    """
    ours = diff(source, base_root, ours_root, after_id=after_id)
    theirs = diff(source, base_root, theirs_root, after_id=after_id)
    for mine, yours in _paired(ours, theirs):
        changes = [change for change in (mine, yours) if change is not None]
        if any(change.kind == "erased" for change in changes):
            if _is_left_out(mine, yours):
                yield Erased(changes[0].id)
        elif mine is not None and yours is not None and _content(mine.after) != _content(yours.after):
            yield Collision(mine.id, _record(mine.before), _record(mine.after), _record(yours.after))


def _paired(
    ours: Iterator[RecordChange], theirs: Iterator[RecordChange]
) -> Iterator[tuple[RecordChange | None, RecordChange | None]]:
    """The changes of both sides, those of one id together."""
    mine, yours = next(ours, None), next(theirs, None)
    while mine is not None or yours is not None:
        if yours is None or (mine is not None and mine.id < yours.id):
            yield mine, None
            mine = next(ours, None)
        elif mine is None or yours.id < mine.id:
            yield None, yours
            yours = next(theirs, None)
        else:
            yield mine, yours
            mine, yours = next(ours, None), next(theirs, None)


def _is_left_out(mine: RecordChange | None, yours: RecordChange | None) -> bool:
    """Whether any side has the record; not where ours and theirs have the very same one."""
    if mine is not None and yours is not None and _record(mine.after) == _record(yours.after):
        return False
    places = [place for change in (mine, yours) if change is not None for place in (change.before, change.after)]
    return any(place is not None for place in places)


def _record(place: Place | None) -> TreeRecord | None:
    return None if place is None else place.record


def _content(place: Place | None) -> bytes | None:
    return None if place is None else place.record.canonical


def sides_digest(collision: Collision) -> bytes:
    """One digest over the leaves of all sides: equal exactly when nothing about the collision has changed."""
    leaves = [_NOTHING if side is None else side.leaf for side in (collision.base, collision.ours, collision.theirs)]
    return hashlib.sha256(b"".join(leaves)).digest()


def decide(collision: Collision, strategy: str, resolved: Resolved | None) -> Decision:
    """What stands in the merged tree: as somebody resolved it if that still fits, else by member, else by strategy."""
    if resolved is not None and resolved.resolution and resolved.sides == sides_digest(collision):
        return _as_resolved(collision, resolved)
    prefer = _PREFERENCES[strategy]
    if collision.ours is None or collision.theirs is None:
        if prefer is None:
            return ConflictKind.DELETED_BY_OURS if collision.ours is None else ConflictKind.DELETED_BY_THEIRS
        return collision.ours if prefer == "ours" else collision.theirs
    base, ours, theirs = map(content_of, (collision.base, collision.ours, collision.theirs))
    merged, conflicts = merge_members(base, ours, theirs, prefer)
    if conflicts:
        return ConflictKind.MEMBERS
    canonical = canonical_record(collision.id, merged["data"], merged["metadata"])
    for side in (collision.ours, collision.theirs):
        if side.canonical == canonical:
            return side
    return Merged(canonical)


def _as_resolved(collision: Collision, resolved: Resolved) -> Decision:
    if resolved.resolution == Resolution.RECORD and resolved.canonical is not None:
        return Merged(resolved.canonical)
    sides = {
        Resolution.OURS: collision.ours,
        Resolution.THEIRS: collision.theirs,
        Resolution.BASE: collision.base,
    }
    return sides[Resolution(resolved.resolution)]


def content_of(record: TreeRecord | None) -> Any:
    """Data and metadata of a record as one JSON value; ABSENT for none."""
    return ABSENT if record is None else {"data": record.data, "metadata": record.metadata}
