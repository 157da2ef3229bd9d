"""A correction as a person enters it: members of a record by their paths, with what each is to say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from vaultsite.kernel.errors import FieldProblem, InvalidInput

TEXT: Final = "text"
JSON: Final = "json"
REMOVED: Final = "removed"
KINDS: Final = ((TEXT, "text"), (JSON, "number, true, false, list or object"), (REMOVED, "nothing: take it out"))
#: Members of one correction.
MAX_ENTRIES: Final = 50
_MAX_TEXT: Final = 100_000


@dataclass(frozen=True)
class Entry:
    """One member: ``path`` is names with slashes between, ``kind`` one of KINDS."""

    path: str
    kind: str
    value: str

    @property
    def is_blank(self) -> bool:
        return not self.path.strip() and not self.value.strip()


@dataclass(frozen=True)
class Line:
    """One member before and after, as text; None where it is not there."""

    path: str
    before: str | None
    after: str | None


def members_of(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(path, value as text) of every member that is no object, in order."""
    return list(_members("", data))


def _members(path: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping) and (value or not path):
        for name, inner in value.items():
            yield from _members(f"{path}/{name}" if path else str(name), inner)
    else:
        yield path, value if isinstance(value, str) else orjson.dumps(value).decode()


def read_patch(entries: Sequence[Entry], data: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7396) that makes ``data`` say what was entered.

    Raises InvalidInput naming the field of every entry that is wrong: ``/path/<number>`` or ``/value/<number>``.
    """
    given = [(number, entry) for number, entry in enumerate(entries) if not entry.is_blank]
    problems = [problem for number, entry in given for problem in _problems(number, entry, data)]
    paths = [entry.path.strip() for _, entry in given]
    problems += [
        FieldProblem(f"/path/{number}", "is entered above already, or holds or lies in what is")
        for at, (number, entry) in enumerate(given)
        if any(_overlap(entry.path.strip(), other) for other in paths[:at])
    ]
    if not 1 <= len(given) <= MAX_ENTRIES:
        problems.append(FieldProblem("/path/0", f"1 to {MAX_ENTRIES} members"))
    if problems:
        raise InvalidInput(errors=problems)
    patch: dict[str, Any] = {}
    for _, entry in given:
        _put(patch, entry.path.strip().split("/"), _value(entry))
    return patch


def _problems(number: int, entry: Entry, data: Mapping[str, Any]) -> list[FieldProblem]:
    found = []
    names = entry.path.strip().split("/")
    if not all(names) or "\0" in entry.path:
        found.append(FieldProblem(f"/path/{number}", "names of members with one slash between"))
    elif names == ["id"]:
        found.append(FieldProblem(f"/path/{number}", "the id of a record is never changed"))
    elif not _is_below_objects(names[:-1], data):
        found.append(FieldProblem(f"/path/{number}", "goes through a value that has no members; replace it as a whole"))
    elif entry.kind == REMOVED and not _is_there(names, data):
        found.append(FieldProblem(f"/path/{number}", "the record has no such member"))
    if entry.kind not in dict(KINDS):
        found.append(FieldProblem(f"/kind/{number}", "choose one"))
    if len(entry.value) > _MAX_TEXT or "\0" in entry.value:
        found.append(FieldProblem(f"/value/{number}", f"at most {_MAX_TEXT} characters"))
    elif entry.kind == JSON and not _is_json(entry.value):
        found.append(FieldProblem(f"/value/{number}", "JSON; to take the member out, choose nothing"))
    return found


def _is_below_objects(names: Sequence[str], data: Any) -> bool:
    """Whether what is above a member is an object, or is not there yet."""
    for name in names:
        if not isinstance(data, Mapping):
            return False
        if name not in data:
            return True
        data = data[name]
    return isinstance(data, Mapping)


def _is_there(names: Sequence[str], data: Any) -> bool:
    for name in names:
        if not isinstance(data, Mapping) or name not in data:
            return False
        data = data[name]
    return True


def _is_json(text: str) -> bool:
    """Of what a merge patch can put: ``null`` would take the member out."""
    try:
        return orjson.loads(text) is not None
    except orjson.JSONDecodeError:
        return False


def _overlap(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}/") or other.startswith(f"{path}/")


def _value(entry: Entry) -> Any:
    if entry.kind == REMOVED:
        return None
    return orjson.loads(entry.value) if entry.kind == JSON else entry.value


def _put(patch: dict[str, Any], names: Sequence[str], value: Any) -> None:
    for name in names[:-1]:
        patch = patch.setdefault(name, {})
    patch[names[-1]] = value


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Line]:
    """The members that differ, in the order of the record before; new ones behind."""
    was, becomes = dict(members_of(before)), dict(members_of(after))
    return [
        Line(path, was.get(path), becomes.get(path))
        for path in dict.fromkeys([*was, *becomes])
        if was.get(path) != becomes.get(path)
    ]
