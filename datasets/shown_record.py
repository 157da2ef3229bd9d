"""A record made ready for a page: plain pieces of text, some of them marked as findings. Nothing here is markup."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import orjson

from anonymization.findings import ACT_FROM, Finding, escape_token
from datasets.services.read import ReadRecord

#: Most characters and most lines shown of one record: on its own page, and in a list.
WHOLE: Final = (1_000_000, 5_000)
LISTED: Final = (20_000, 100)
_ABBREVIATIONS: Final = frozenset({"api", "id", "ip", "iban", "mac", "nhs", "ssn", "uk", "url", "us"})
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def entity_words(entity_type: str) -> str:
    """An entity type as people write it: ``US_SSN`` is "US SSN", ``EMAIL_ADDRESS`` is "email address"."""
    words = entity_type.lower().split("_")
    return " ".join(word.upper() if word in _ABBREVIATIONS else word for word in words)


@dataclass(frozen=True)
class Segment:
    """A stretch of text; ``entity_type`` is empty outside findings, ``note`` says which detectors were how sure."""

    text: str
    entity_type: str = ""
    note: str = ""


@dataclass(frozen=True)
class Line:
    """One line of JSON laid out: ``kind`` is string, number, word, open or close."""

    depth: int
    key: tuple[Segment, ...] | None
    value: tuple[Segment, ...]
    kind: str


@dataclass(frozen=True)
class Message:
    """One turn of a conversation: who speaks, what is said, and whatever else the turn carries."""

    role: str
    text: tuple[Segment, ...]
    more: tuple[Line, ...] = ()


@dataclass(frozen=True)
class ShownRecord:
    """``messages`` is empty unless the record is a conversation; ``is_cut`` when the page does not show all of it."""

    id: str
    messages: tuple[Message, ...]
    lines: tuple[Line, ...]
    metadata: tuple[Line, ...]
    findings: tuple[Finding, ...]
    is_cut: bool


@dataclass
class _Layout:
    """Turns values into lines and texts into segments, until ``text_left`` or ``lines_left`` is used up."""

    places: Mapping[tuple[str, str], Sequence[Finding]]
    text_left: int
    lines_left: int
    is_cut: bool = field(default=False)

    def segments(self, text: str, pointer: str, part: str = "value") -> tuple[Segment, ...]:
        found = self.places.get((pointer, part), ())
        if len(text) > self.text_left:
            self.is_cut = True
            text = text[: self.text_left]
        self.text_left -= len(text)
        return tuple(_segments(text, found))

    def lines(self, value: Any, pointer: str, depth: int = 0, key: tuple[Segment, ...] | None = None) -> Iterator[Line]:
        if isinstance(value, dict) and value:
            yield Line(depth, key, (Segment("{"),), "open")
            for name, inner in value.items():
                place = f"{pointer}/{escape_token(name)}"
                yield from self.lines(inner, place, depth + 1, self.segments(name, place, "key"))
            yield Line(depth, None, (Segment("}"),), "close")
        elif isinstance(value, list) and value:
            yield Line(depth, key, (Segment("["),), "open")
            for index, inner in enumerate(value):
                yield from self.lines(inner, f"{pointer}/{index}", depth + 1)
            yield Line(depth, None, (Segment("]"),), "close")
        else:
            text, kind = _leaf(value)
            yield Line(depth, key, self.segments(text, pointer), kind)

    def members(self, value: Mapping[str, Any], pointer: str, *, without: Sequence[str] = ()) -> tuple[Line, ...]:
        """The members of an object, each on lines of its own, the outer braces left away."""
        found: list[Line] = []
        for name, inner in value.items():
            if name not in without:
                place = f"{pointer}/{escape_token(name)}"
                made = self.lines(inner, place, 0, self.segments(name, place, "key"))
                found.extend(islice(made, self.lines_left + 1 - len(found)))
        if len(found) > self.lines_left:
            self.is_cut = True
            del found[self.lines_left :]
        self.lines_left -= len(found)
        return tuple(found)


def show_record(record: ReadRecord, *, is_whole: bool = True) -> ShownRecord:
    """Lay a record out. ``is_whole`` chooses between the limits of its own page and those of a list."""
    places: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in record.findings:
        if finding.score >= ACT_FROM:
            places[finding.pointer, finding.part].append(finding)
    layout = _Layout(places, *(WHOLE if is_whole else LISTED))
    conversation = record.data.get("messages")
    is_conversation = _is_conversation(conversation)
    messages = tuple(_messages(layout, conversation)) if is_conversation else ()
    return ShownRecord(
        id=record.id,
        messages=messages,
        lines=layout.members(record.data, "/data", without=("messages",) if is_conversation else ()),
        metadata=layout.members(record.metadata, "/metadata"),
        findings=tuple(sorted(finding for found in places.values() for finding in found)),
        is_cut=layout.is_cut,
    )


def _is_conversation(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and isinstance(turn.get("role"), str) for turn in value)
    )


def _messages(layout: _Layout, turns: Any) -> Iterator[Message]:
    for index, turn in enumerate(turns):
        if layout.lines_left <= 0:
            layout.is_cut = True
            return
        layout.lines_left -= 1
        pointer = f"/data/messages/{index}"
        content = turn.get("content")
        is_text = isinstance(content, str)
        text = layout.segments(str(content), f"{pointer}/content") if is_text else ()
        shown = ("role", "content") if is_text or content is None else ("role",)
        role = turn["role"] if turn["role"] in _ROLES else "other"
        yield Message(role, text, layout.members(turn, pointer, without=shown))


def _leaf(value: Any) -> tuple[str, str]:
    if isinstance(value, str):
        return value, "string"
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return orjson.dumps(value).decode(), "word"
    return orjson.dumps(value).decode(), "number"


def _segments(text: str, findings: Sequence[Finding]) -> Iterator[Segment]:
    """The text cut at the findings; those that overlap are one stretch, named by the surest of them."""
    done = 0
    for group in _groups(findings):
        start, end = max(group[0].start, done), min(max(one.end for one in group), len(text))
        if end <= start:
            continue
        if start > done:
            yield Segment(text[done:start])
        surest = max(group, key=lambda one: one.score)
        note = ", ".join(f"{one.entity_type} {one.score:.2f} ({one.recognizer})" for one in group)
        yield Segment(text[start:end], surest.entity_type, note)
        done = end
    if done < len(text):
        yield Segment(text[done:])


def _groups(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    group: list[Finding] = []
    end = 0
    for finding in sorted(findings, key=lambda one: (one.start, one.end)):
        if group and finding.start >= end:
            yield group
            group, end = [], 0
        group.append(finding)
        end = max(end, finding.end)
    if group:
        yield group
