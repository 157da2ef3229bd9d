"""Rewriting: a record with every region of its values and names replaced, in one pass, right to left."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from anonymization.detectors.encodings import is_json_container
from anonymization.detectors.walk import number_text
from anonymization.errors import FindingMismatch
from anonymization.findings import ACT_FROM, Finding, unescape_token
from anonymization.operators.base import Piece
from anonymization.operators.chats import is_fixed, is_member, is_structural, is_tie
from anonymization.operators.regions import Region, regions_of, whole_characters, within_literals
from anonymization.operators.strategy import Strategy

#: What a finding calls for; None leaves it as it is.
Choose: TypeAlias = Callable[[Finding], Strategy | None]

_OPENINGS: Final = ("{", "[")


class Whose(NamedTuple):
    """Whose data a record is, as far as it is known."""

    record_id: str = ""
    subject: str = ""


NOBODY: Final = Whose()


def rewrite_plainly(record: dict[str, Any], findings: Sequence[Finding], strategy: Strategy) -> bool:
    """As :func:`rewrite` does, where that is simple: single findings in plain texts under one strategy.

    Returns False, with nothing changed, where it is not that simple. Raises FindingMismatch.
    """
    if len(findings) > 1 and len({finding.pointer for finding in findings}) < len(findings):
        return False
    edits = []
    for finding in findings:
        pointer = finding.pointer
        if finding.part == "key" or _is_structural(pointer):
            return False
        container, token = _member(record, pointer) or _place(record, pointer)
        text, start, end = container[token], finding.start, finding.end
        if not isinstance(text, str) or not text.isascii() or text.lstrip()[:1] in _OPENINGS:
            return False
        if not 0 <= start < end <= len(text):
            raise FindingMismatch("Offsets outside the text")
        if finding.score >= ACT_FROM:
            shown = strategy.shown_text(text[start:end], finding.entity_type)
            if shown is None:
                return False
            edits.append((container, token, f"{text[:start]}{shown}{text[end:]}"))
    for container, token, text in edits:
        container[token] = text
    return True


def rewrite(
    record: dict[str, Any], findings: Iterable[Finding], choose: Choose, fallback: Strategy, whose: Whose = NOBODY
) -> dict[str, Any]:
    """Replace in ``record``, which is changed and returned, what the findings point to.

    Numbers become strings unless the operator makes a number; member names are renamed, with ``#2``, ``#3`` appended
    where two would become equal. Arrays keep their length and order, roles and names of functions their words.

    Raises FindingMismatch when any finding does not fit the record; then nothing may be shown.
    """
    values: dict[str, list[Finding]] = {}
    names: dict[str, list[Finding]] = {}
    for finding in findings:
        (names if finding.part == "key" else values).setdefault(finding.pointer, []).append(finding)
    ties: dict[tuple[str, str], int] = {}
    for pointer, found in values.items():
        container, token = _place(record, pointer)
        _put(container, token, pointer, _Cut(found, choose, fallback, whose), ties)
    for pointer in sorted(names, key=lambda pointer: pointer.count("/"), reverse=True):
        _rename(*_place(record, pointer), _Cut(names[pointer], choose, fallback, whose))
    return record


class _Cut(NamedTuple):
    """The findings of one text and how they are to be shown."""

    findings: Sequence[Finding]
    choose: Choose
    fallback: Strategy
    whose: Whose

    def regions(self, text: str) -> list[Region]:
        length, choose = len(text), self.choose
        if len(self.findings) == 1:
            [finding] = self.findings
            if not 0 <= finding.start < finding.end <= length:
                raise FindingMismatch("Offsets outside the text")
            strategy = choose(finding)
            if strategy is None:
                return []
            regions = [Region(finding.start, finding.end, finding.entity_type, strategy)]
        else:
            if not all(0 <= finding.start < finding.end <= length for finding in self.findings):
                raise FindingMismatch("Offsets outside the text")
            chosen = ((finding, choose(finding)) for finding in self.findings)
            regions = regions_of(((finding, how) for finding, how in chosen if how is not None), self.fallback)
        return regions if text.isascii() else whole_characters(text, regions)

    def shown(self, region: Region, text: str, *, is_number: bool = False) -> str | int | float:
        hidden = text[region.start : region.end]
        known = region.strategy.shown_text(hidden, region.entity_type)
        if known is not None and not is_number:
            return known
        return region.strategy.shown(Piece(hidden, region.entity_type, *self.whose, is_number=is_number))

    def hidden(self, text: str) -> str:
        """The text with its regions replaced; JSON stays JSON."""
        regions = self.regions(text)
        if not regions:
            return text
        if text.lstrip()[:1] in _OPENINGS and is_json_container(text):
            return self._hidden_json(text, regions)
        for region in reversed(regions):
            text = f"{text[: region.start]}{self.shown(region, text)}{text[region.end :]}"
        return text

    def _hidden_json(self, text: str, regions: Sequence[Region]) -> str:
        for region, (start, end, is_string) in reversed(within_literals(text, regions)):
            is_name = is_string and text[end:].lstrip().startswith(":")
            if is_name and is_member(text[start + 1 : end - 1]):
                continue
            shown = self.shown(region, text, is_number=not is_string)
            if is_string:
                written = json.dumps(str(shown), ensure_ascii=False)[1:-1]
            else:
                written = json.dumps(shown, ensure_ascii=False)
            whole = text[start : region.start] + written + text[region.end : end]
            text = text[:start] + (_free_name(whole, text) if is_name else whole) + text[end:]
        return text


def _free_name(quoted: str, text: str) -> str:
    """A quoted name that no object in the JSON text has: two that are hidden alike are told apart by number."""
    attempt, free = 1, quoted
    while re.search(re.escape(free) + r"\s*:", text):
        attempt += 1
        free = f'{quoted[:-1]}#{attempt}"'
    return free


def _put(container: Any, token: Any, pointer: str, cut: _Cut, ties: dict[tuple[str, str], int]) -> None:
    value = container[token]
    if isinstance(value, str):
        shown = cut.hidden(value)
        if shown is not value and not is_fixed(pointer, value):
            container[token] = _tied(ties, value, shown) if is_tie(pointer) else shown
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FindingMismatch("A finding points to neither string nor number")
    text = number_text(value)
    regions = cut.regions(text)
    if len(regions) == 1 and regions[0].end - regions[0].start == len(text):
        container[token] = cut.shown(regions[0], text, is_number=True)
    elif regions:
        container[token] = cut.hidden(text)


def _tied(ties: dict[tuple[str, str], int], value: str, shown: str) -> str:
    """``shown`` with a number of its own for each value that is shown so in this record."""
    number = ties.setdefault((shown, value), 1 + sum(other == shown for other, _ in ties))
    return shown if number == 1 else f"{shown}#{number}"


def _rename(container: Any, token: Any, cut: _Cut) -> None:
    """Give a member another name in its place. Members below must have been dealt with before."""
    if not isinstance(container, dict):
        raise FindingMismatch("A finding points to the name of an array element")
    name = cut.hidden(token)
    if name == token or is_member(token):
        return
    free, attempt = name, 1
    while free in container and free != token:
        attempt += 1
        free = f"{name}#{attempt}"
    members = [(free if member == token else member, value) for member, value in container.items()]
    container.clear()
    container.update(members)


def text_at(record: Any, finding: Finding) -> str:
    """The name, the string or the JSON text of the number that a finding points into. Raises FindingMismatch."""
    container, token = _place(record, finding.pointer)
    if finding.part == "key":
        if not isinstance(container, dict):
            raise FindingMismatch("A finding points to the name of an array element")
        return str(token)
    value = container[token]
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FindingMismatch("A finding points to neither string nor number")
    return number_text(value)


def _place(record: Any, pointer: str) -> tuple[Any, Any]:
    """The container of a place, and its index or name there."""
    steps = _steps(pointer)
    if not steps:
        raise FindingMismatch("A finding points to no place in the record")
    container = record
    for name, index in steps[:-1]:
        container = container[_token(container, name, index)]
        if not isinstance(container, dict | list):
            raise FindingMismatch("A finding points below a value")
    return container, _token(container, *steps[-1])


def _token(container: Any, name: str, index: int) -> Any:
    if isinstance(container, dict):
        if name in container:
            return name
    elif 0 <= index < len(container):
        return index
    raise FindingMismatch("A finding points to no place in the record")


def _member(record: dict[str, Any], pointer: str) -> tuple[dict[str, Any], str] | None:
    """As :func:`_place` where nothing but members of objects is on the way; else None."""
    names = _names(pointer)
    container: Any = record
    for name in names[:-1]:
        if name not in container:
            return None
        container = container[name]
        if type(container) is not dict:
            return None
    return (container, names[-1]) if names and names[-1] in container else None


@lru_cache(maxsize=4096)
def _names(pointer: str) -> tuple[str, ...]:
    return tuple(unescape_token(token) for token in pointer.split("/")[1:])


@lru_cache(maxsize=4096)
def _is_structural(pointer: str) -> bool:
    return is_structural(pointer)


@lru_cache(maxsize=4096)
def _steps(pointer: str) -> tuple[tuple[str, int], ...]:
    """Each token of a pointer as a name, and as an index (-1: none)."""
    return tuple(
        (unescape_token(token), int(token) if token.isascii() and token.isdecimal() else -1)
        for token in pointer.split("/")[1:]
    )


def value_at(record: Any, pointer: str) -> str:
    """The string, or the JSON text of the number, at a place; empty where there is none."""
    value = record
    for name, index in _steps(pointer):
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and 0 <= index < len(value):
            value = value[index]
        else:
            return ""
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return number_text(value) if is_number else ""


def copied(value: Any) -> Any:
    """A copy of JSON, container by container."""
    if isinstance(value, Mapping):
        return {name: copied(member) for name, member in value.items()}
    return [copied(element) for element in value] if isinstance(value, list | tuple) else value
