"""A correction as a person enters it: members of a record by their paths, with what each is to say.

A path is the names of a member with slashes between; in a name ``~`` is written ``~0`` and ``/`` is written ``~1``,
as in JSON pointers (RFC 6901). Values are shown as JSON, so that a text is told from a number.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from vaultsite.kernel.errors import FieldProblem, InvalidInput

SAME: Final = "same"
TEXT: Final = "text"
JSON: Final = "json"
REMOVED: Final = "removed"
KINDS: Final = (
    (SAME, "what it is now; a new one text"),
    (TEXT, "text"),
    (JSON, "number, true, false, list or object"),
    (REMOVED, "nothing: take it out"),
)
#: Members of one correction.
MAX_ENTRIES: Final = 50
_MAX_TEXT: Final = 100_000
_BAD_ESCAPE: Final = re.compile(r"~(?![01])")


@dataclass(frozen=True)
class Entry:
    """One member: ``kind`` is one of KINDS; lines of ``value`` end as a browser sends them."""

    path: str
    kind: str
    value: str

    @property
    def is_blank(self) -> bool:
        return not self.path.strip() and not self.value.strip()


@dataclass(frozen=True)
class Line:
    """One member before and after, as JSON; None where it is not there."""

    path: str
    before: str | None
    after: str | None


def members_of(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(path, value as JSON) of every member that is no object, in order."""
    return [(_path_of(names), orjson.dumps(value).decode()) for names, value in _members((), data)]


def _members(names: tuple[str, ...], value: Any) -> Iterable[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and (value or not names):
        for name, inner in value.items():
            yield from _members((*names, str(name)), inner)
    else:
        yield names, value


def _path_of(names: Sequence[str]) -> str:
    return "/".join(name.replace("~", "~0").replace("/", "~1") for name in names)


def _names_of(path: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a member; space around a path counts where the record has a member of that very name."""
    exact = _unescaped(path)
    return exact if _is_there(exact, data) else _unescaped(path.strip())


def _unescaped(path: str) -> tuple[str, ...]:
    return tuple(name.replace("~1", "/").replace("~0", "~") for name in path.split("/"))


def read_patch(entries: Sequence[Entry], data: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch (RFC 7396) that makes ``data`` say what was entered.

    Raises InvalidInput naming the field of every entry that is wrong: ``/path/<number>`` or ``/value/<number>``.
    """
    given = [(number, entry) for number, entry in enumerate(entries) if not entry.is_blank]
    problems = [problem for number, entry in given for problem in _problems(number, entry, data)]
    paths = [_names_of(entry.path, data) for _, entry in given]
    problems += [
        FieldProblem(f"/path/{number}", "is entered above already, or holds or lies in what is")
        for at, (number, _) in enumerate(given)
        if any(_overlap(paths[at], other) for other in paths[:at])
    ]
    if not 1 <= len(given) <= MAX_ENTRIES:
        problems.append(FieldProblem("/path/0", f"1 to {MAX_ENTRIES} members"))
    if problems:
        raise InvalidInput(errors=problems)
    patch: dict[str, Any] = {}
    for names, (_, entry) in zip(paths, given, strict=True):
        _put(patch, names, _value(entry, _at(names, data)))
    return patch


def _problems(number: int, entry: Entry, data: Mapping[str, Any]) -> list[FieldProblem]:
    found = []
    names = _names_of(entry.path, data)
    if _BAD_ESCAPE.search(entry.path):
        found.append(FieldProblem(f"/path/{number}", "in a name ~ is written ~0, and / is written ~1"))
    elif not all(names) or "\0" in entry.path:
        found.append(FieldProblem(f"/path/{number}", "names of members with one slash between"))
    elif names == ("id",):
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
    elif entry.kind == SAME and (wanted := _kind_of(_at(names, data))) not in {TEXT, _kind_entered(entry.value)}:
        found.append(FieldProblem(f"/value/{number}", f"{wanted}, as it is now; or choose what it is to be"))
    return found


def _kind_of(value: Any) -> str:
    """What a value is, in words; a new member and null are taken for text."""
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, Mapping) else TEXT


def _kind_entered(text: str) -> str:
    """Of JSON; empty where the text is none."""
    return _kind_of(orjson.loads(text)) if _is_json(text) else ""


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


def _at(names: Sequence[str], data: Any) -> Any:
    """What the record says there; None where it says nothing."""
    if not _is_there(names, data):
        return None
    for name in names:
        data = data[name]
    return data


def _is_json(text: str) -> bool:
    """Of what a merge patch can put: ``null`` would take the member out."""
    try:
        return orjson.loads(text) is not None
    except orjson.JSONDecodeError:
        return False


def _overlap(names: Sequence[str], other: Sequence[str]) -> bool:
    shared = min(len(names), len(other))
    return names[:shared] == other[:shared]


def _value(entry: Entry, now: Any) -> Any:
    """What is entered, as the kind that was chosen; None takes the member out."""
    if entry.kind == REMOVED:
        return None
    if entry.kind == JSON or (entry.kind == SAME and _kind_of(now) != TEXT):
        return orjson.loads(entry.value)
    return entry.value if isinstance(now, str) and "\r\n" in now else entry.value.replace("\r\n", "\n")


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
