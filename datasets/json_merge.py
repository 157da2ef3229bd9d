"""Members of JSON values: how two values differ, and what a three-way merge makes of them. Nothing here does I/O.

Places are RFC 6901 pointers. Values are equal when their canonical JSON is: ``1``, ``1.0`` and ``true`` are three.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple

MemberChangeKind = Literal["added", "removed", "changed"]
Preference = Literal["ours", "theirs"]


class _Absent:
    """What stands where a side has no such member; ``null`` is a value."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final[Any] = _Absent()


class MemberChange(NamedTuple):
    """One member that differs; ``before`` or ``after`` is ABSENT where there is none."""

    pointer: str
    kind: MemberChangeKind
    before: Any
    after: Any


class MemberConflict(NamedTuple):
    """One member that both sides changed differently; a side without it is ABSENT."""

    pointer: str
    base: Any
    ours: Any
    theirs: Any


def is_equal(left: Any, right: Any) -> bool:
    """Whether two JSON values have the same canonical bytes."""
    if isinstance(left, dict):
        return (
            isinstance(right, dict)
            and left.keys() == right.keys()
            and all(is_equal(value, right[name]) for name, value in left.items())
        )
    if isinstance(left, list):
        return (
            isinstance(right, list) and len(left) == len(right) and all(map(is_equal, left, right))  # by index
        )
    if type(left) is not type(right):
        return False
    return repr(left) == repr(right) if isinstance(left, float) else bool(left == right)


def diff_members(before: Any, after: Any) -> list[MemberChange]:
    """Every member to change so that ``before`` becomes ``after``; objects by name in order, arrays of one length by
    index. Arrays of two lengths are one change as a whole: which element went is not guessed.
    """
    return list(_differences("", before, after))


def _differences(pointer: str, before: Any, after: Any) -> Iterator[MemberChange]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _differences(_below(pointer, name), before.get(name, ABSENT), after.get(name, ABSENT))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _differences(f"{pointer}/{index}", old, new)
    elif not is_equal(before, after):
        yield MemberChange(pointer, _kind(before, after), before, after)


def _kind(before: Any, after: Any) -> MemberChangeKind:
    if before is ABSENT:
        return "added"
    return "removed" if after is ABSENT else "changed"


def apply_members(before: Any, changes: Iterable[MemberChange]) -> Any:
    """``before`` with the changes of ``diff_members`` made; the value given is not changed.

    Raises KeyError or IndexError when a change does not fit.
    """
    value = before
    for change in changes:
        tokens = [_unescape(token) for token in change.pointer.split("/")[1:]]
        value = _put(value, tokens, change.after)
    return value


def _put(value: Any, tokens: list[str], new: Any) -> Any:
    """A copy of ``value`` along one path, with ``new`` at its end (ABSENT: without that member)."""
    if not tokens:
        return new
    name, rest = tokens[0], tokens[1:]
    if isinstance(value, list):
        index = int(name)
        return [*value[:index], _put(value[index], rest, new), *value[index + 1 :]]
    inner = value[name] if rest else value.get(name, ABSENT)
    changed = _put(inner, rest, new)
    if changed is ABSENT:
        return {member: kept for member, kept in value.items() if member != name}
    return {**value, name: changed}


def merge_members(
    base: Any, ours: Any, theirs: Any, prefer: Preference | None = None
) -> tuple[Any, list[MemberConflict]]:
    """The three-way merge of JSON values, and the members that both sides changed differently.

    What one side changed is taken, what both changed alike too. Objects are merged member by member; so are arrays
    whose elements are objects and as many on all sides, such as the turns of a conversation. Every other array is one
    value. ``prefer`` decides conflicts (there are none then); without it a conflict keeps the base's member. A side
    may be ABSENT, and so may be what comes out.
    """
    run = _ThreeWay(prefer)
    return run.merged("", base, ours, theirs), run.conflicts


class _ThreeWay:
    """One merge, and the conflicts it has met."""

    def __init__(self, prefer: Preference | None) -> None:
        self.conflicts: list[MemberConflict] = []
        self._prefer = prefer

    def merged(self, pointer: str, base: Any, ours: Any, theirs: Any) -> Any:
        if is_equal(ours, theirs) or is_equal(base, theirs):
            return ours
        if is_equal(base, ours):
            return theirs
        if isinstance(ours, dict) and isinstance(theirs, dict) and (base is ABSENT or isinstance(base, dict)):
            return self._members(pointer, base if isinstance(base, dict) else {}, ours, theirs)
        if _are_rows(base, ours, theirs):
            rows = enumerate(zip(base, ours, theirs, strict=True))
            return [self.merged(f"{pointer}/{index}", *row) for index, row in rows]
        if self._prefer is not None:
            return ours if self._prefer == "ours" else theirs
        self.conflicts.append(MemberConflict(pointer, base, ours, theirs))
        return base

    def _members(
        self, pointer: str, base: dict[str, Any], ours: dict[str, Any], theirs: dict[str, Any]
    ) -> dict[str, Any]:
        members = {
            name: self.merged(_below(pointer, name), *(side.get(name, ABSENT) for side in (base, ours, theirs)))
            for name in sorted(base.keys() | ours.keys() | theirs.keys())
        }
        return {name: value for name, value in members.items() if value is not ABSENT}


def _are_rows(*sides: Any) -> bool:
    """Whether all are arrays of objects and of one length, so that the index names the same thing on every side."""
    return (
        all(isinstance(side, list) for side in sides)
        and len({len(side) for side in sides}) == 1
        and all(isinstance(element, dict) for side in sides for element in side)
    )


def _below(pointer: str, name: str) -> str:
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
