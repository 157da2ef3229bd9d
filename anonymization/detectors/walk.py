"""Walking a record: every place where personal data can hide becomes text to scan, every span a finding."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import regex

from anonymization.detectors import encodings
from anonymization.detectors.base import Detector, Span
from anonymization.detectors.context import words_of
from anonymization.detectors.keys import holds_people, label_of_key
from anonymization.detectors.views import Nested, Slice, View, Whole
from anonymization.findings import UNSCANNABLE, Finding, Part, escape_token

#: Part of a detector's identity for stored findings: raise it when walking changes what is found.
WALK_VERSION: Final = 2

#: Longer texts are scanned in windows of WINDOW code points that overlap by OVERLAP.
WINDOW: Final = 100_000
OVERLAP: Final = 1_000

#: How many encodings may lie in one another before what is inside counts as unscannable.
MAX_DEPTH: Final = 4

_MAX_LABEL: Final = 64
_SPACE: Final = regex.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Leaf:
    """A string, number or member name of a record, and the words of the field it stands in."""

    pointer: str
    part: Part
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A view of a leaf, not longer than a window, that the detector will scan."""

    leaf: Leaf
    view: View
    #: Where the view is a window: the view it was cut from, and the first offset and the end of the window there.
    whole: View | None = None
    start: int = 0
    end: int = 0


def scan_records(records: Sequence[Mapping[str, Any]], detector: Detector) -> list[list[Finding]]:
    """The findings of each record object, sorted. Raises DetectionFailed if anything could not be scanned."""
    findings: list[set[Finding]] = [set() for _ in records]
    pieces: list[tuple[int, _Piece]] = []
    for number, record in enumerate(records):
        for leaf in leaves(record):
            for part in _parts(leaf, detector):
                if isinstance(part, Finding):
                    findings[number].add(part)
                else:
                    pieces.append((number, part))
    spans = detector.detect_texts([piece.view.text for _, piece in pieces])
    for (number, piece), found in zip(pieces, spans, strict=True):
        findings[number].update(_findings(piece, found, detector))
    return [sorted(without_duplicates(found)) for found in findings]


def scan_text(text: str, detector: Detector) -> list[Span]:
    """The spans of one text, its encodings included; what :func:`scan_records` finds in a record of only that text."""
    [findings] = scan_records([{"data": text}], detector)
    return [Span(f.start, f.end, f.entity_type, f.score, f.recognizer, f.pattern, f.context, f.path) for f in findings]


def leaves(record: Mapping[str, Any]) -> Iterator[Leaf]:
    """Every string, number and member name below the record object, whatever the depth."""
    todo: list[tuple[str, str, Any]] = [(f"/{escape_token(name)}", "", value) for name, value in record.items()]
    while todo:
        pointer, label, node = todo.pop()
        if isinstance(node, str):
            yield Leaf(pointer, "value", node, label)
        elif isinstance(node, Mapping):
            has_people = holds_people(label) and not pointer[pointer.rindex("/") + 1 :].isdecimal()
            for name, value in node.items():
                below = f"{pointer}/{escape_token(name)}"
                yield Leaf(below, "key", name, label_of_key(name) if has_people else "")
                todo.append((below, name, value))
        elif isinstance(node, list | tuple):
            todo.extend((f"{pointer}/{index}", label, value) for index, value in enumerate(node))
        elif isinstance(node, int | float) and not isinstance(node, bool):
            yield Leaf(pointer, "value", number_text(node), label)


def number_text(number: float) -> str:
    """The canonical JSON text of a number; offsets of findings in numbers refer to it."""
    return json.dumps(number)


def without_duplicates(findings: set[Finding]) -> Iterator[Finding]:
    """Findings not covered by another of the same place and type with an equal or higher score."""
    ordered = sorted(
        findings, key=lambda f: (f.pointer, f.part, f.entity_type, f.start, -f.end, -f.score, f.recognizer)
    )
    reaching: list[Finding] = []
    for finding in ordered:
        reaching = [
            other
            for other in reaching
            if (other.pointer, other.part, other.entity_type) == (finding.pointer, finding.part, finding.entity_type)
            and other.end > finding.start
        ]
        if not any(other.end >= finding.end and other.score >= finding.score for other in reaching):
            reaching.append(finding)
            yield finding


def _parts(leaf: Leaf, detector: Detector) -> Iterator[_Piece | Finding]:
    label = _telling(leaf.label, detector)
    for part in _views(leaf, Slice(leaf.text), label, detector, depth=0):
        if isinstance(part, Finding):
            yield part
        else:
            yield from _windows(leaf, part)


def _telling(label: str, detector: Detector) -> str:
    """The words of a field name, if one of them tells what the value is, to be read before the value."""
    words = words_of(label[:_MAX_LABEL])
    return " ".join(words) if not detector.label_words.isdisjoint(words) else ""


def _views(leaf: Leaf, view: View, label: str, detector: Detector, depth: int) -> Iterator[View | Finding]:
    text = view.text
    if depth > MAX_DEPTH:
        yield _unscannable(leaf, *view.origin(0, len(text)))
    elif encodings.is_json_container(text):
        for inner in encodings.json_leaves(text):
            if inner.view.text:
                telling = _telling(inner.label, detector)
                yield from _views(leaf, Nested(inner.view, view), telling, detector, depth + 1)
    else:
        yield _labelled(view, label)
        for derived in _decoded(leaf, view):
            if isinstance(derived, Finding):
                yield derived
            else:
                yield from _views(leaf, derived, label, detector, depth + 1)


def _decoded(leaf: Leaf, view: View) -> Iterator[View | Finding]:
    """The contents of encoded tokens, and a finding for each token nobody can look into."""
    text = view.text
    for token in encodings.percent_encoded(text):
        if token.text:
            yield Nested(token, view)
    for start, end, content in (*encodings.data_urls(text), *encodings.base64_tokens(text)):
        if content is None:
            yield _unscannable(leaf, *view.origin(start, end))
        elif content:
            yield Nested(Whole(content, start, end), view)


def _labelled(view: View, label: str) -> View:
    if not label:
        return view
    prefix = f"{label}: "
    return Nested(Slice(prefix + view.text, -len(prefix)), view)


def _unscannable(leaf: Leaf, start: int, end: int) -> Finding:
    return Finding(leaf.pointer, leaf.part, start, end, UNSCANNABLE, 1.0, "walk")


def _windows(leaf: Leaf, view: View) -> Iterator[_Piece]:
    text = view.text
    if len(text) <= WINDOW:
        yield _Piece(leaf, view)
        yield from (_Piece(leaf, Nested(plain, view)) for plain in _plainer(text))
        return
    for start in range(0, len(text) - OVERLAP, WINDOW - OVERLAP):
        end = min(start + WINDOW, len(text))
        window = Nested(Slice(text[start:end], start), view)
        yield _Piece(leaf, window, view, start, end)
        yield from (_Piece(leaf, Nested(plain, window)) for plain in _plainer(window.text))


def _plainer(text: str) -> Iterator[View]:
    yield from encodings.normalized(text)
    yield from encodings.unicode_escapes(text)


def _findings(piece: _Piece, spans: list[Span], detector: Detector) -> Iterator[Finding]:
    leaf = piece.leaf
    view, settled = piece.view, spans
    if piece.whole is not None:
        view, settled = piece.whole, list(_settled(piece, piece.whole, spans, detector))
    for span in settled:
        start, end = view.origin(span.start, span.end)
        if start < end:
            yield _finding(leaf, start, end, span)


def _finding(leaf: Leaf, start: int, end: int, span: Span) -> Finding:
    return Finding(
        leaf.pointer, leaf.part, start, end, span.entity_type, span.score,
        span.recognizer, span.pattern, span.context, span.path,
    )  # fmt: skip


def _settled(piece: _Piece, whole: View, spans: list[Span], detector: Detector) -> Iterator[Span]:
    """The spans of a window, in offsets of the whole text, as if that had been scanned at once.

    What starts in the half of the overlap that the neighbour sees better is left to the neighbour; what the cut before
    the window made is dropped; what reaches the cut behind it is scanned again with the text that follows.
    """
    is_first, is_last = piece.start == 0, piece.end == len(whole.text)
    owned_from = piece.start if is_first else piece.start + OVERLAP // 2
    owned_to = piece.end if is_last else piece.end - OVERLAP // 2
    for span in spans:
        moved = replace(span, start=span.start + piece.start, end=span.end + piece.start)
        if moved.end == piece.end and not is_last:
            yield from _followed(moved, whole.text, detector)
        elif owned_from <= moved.start < owned_to:
            yield moved


def _followed(span: Span, text: str, detector: Detector) -> Iterator[Span]:
    """The spans that reach from before the cut at ``span.end`` over it, and all of a word too long to be scanned."""
    start, end = max(0, span.start - OVERLAP), min(span.start + WINDOW, len(text))
    [found] = detector.detect_texts([text[start:end]])
    for again in found:
        moved = replace(again, start=again.start + start, end=again.end + start)
        if moved.start < span.end <= moved.end:
            if moved.end == end < len(text):
                moved = replace(moved, end=_end_of_word(text, end))
            yield moved


def _end_of_word(text: str, start: int) -> int:
    space = _SPACE.search(text, start)
    return space.start() if space else len(text)
