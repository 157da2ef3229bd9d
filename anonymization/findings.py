"""Findings: where in a record personal data stands, what kind it is, and how sure the detector was."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from anonymization.errors import MalformedFindings

#: Detections from this score on are stored, so that a threshold can be lowered without scanning again.
STORE_FROM: Final = 0.2
#: Detections from this score on are shown, counted and anonymized unless the caller says otherwise.
ACT_FROM: Final = 0.4
#: The entity type of content that could not be looked into, such as images; it is withheld rather than masked.
UNSCANNABLE: Final = "UNSCANNABLE"
#: Card authentication data, which may not be stored at all (PCI DSS 4.0, requirement 3.3): ingest refuses the record.
REFUSED_ENTITIES: Final = frozenset({"CARD_VERIFICATION", "CARD_PIN", "PIN_BLOCK", "TRACK_DATA"})

_FORMAT: Final = 2

Part = Literal["value", "key"]
_Kind = tuple[str, str, str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One span of personal data in a record.

    ``pointer`` is an RFC 6901 pointer into the record object ``{"data": .., "metadata": ..}``, so it begins with
    ``/data`` or ``/metadata``. ``part`` says whether the span lies in the value there or in the last member name of the
    pointer itself. ``start`` and ``end`` count Unicode code points of that string; for a number, of its JSON text.
    ``score`` is between 0 and 1; ``recognizer`` names what found it, ``pattern``, ``context`` and ``path`` how it was
    found and judged, as in :class:`anonymization.detectors.base.Span`: never text of the record.
    """

    pointer: str
    part: Part
    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str
    pattern: str = ""
    context: str = ""
    path: tuple[str, ...] = ()


def escape_token(token: str) -> str:
    """One reference token of a pointer (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape_token(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def encode_findings(records: Sequence[Sequence[Finding]]) -> bytes:
    """The findings of a run of records, in order, as compact versioned bytes; the caller seals them.

    Pointers may contain personal data (member names), so these bytes are as confidential as the records.
    """
    names: dict[str, int] = {}
    kinds: dict[tuple[int, ...], int] = {}

    def index(name: str) -> int:
        return names.setdefault(name, len(names))

    def kind(found: Finding) -> int:
        words = (found.entity_type, found.recognizer, found.pattern, found.context, *found.path)
        return kinds.setdefault(tuple(map(index, words)), len(kinds))

    rows = [
        [[index(f.pointer), int(f.part == "key"), f.start, f.end, kind(f), f.score] for f in findings]
        for findings in records
    ]
    return orjson.dumps({"v": _FORMAT, "names": list(names), "kinds": list(kinds), "records": rows})


def decode_findings(encoded: bytes) -> list[list[Finding]]:
    """What :func:`encode_findings` was given, now or by format 1. Raises MalformedFindings for anything else."""
    try:
        content = orjson.loads(encoded)
        decode = _DECODERS.get(content["v"])
        if decode is None:
            raise MalformedFindings("Unknown format version")
        return decode(content)
    except (orjson.JSONDecodeError, AttributeError, KeyError, IndexError, TypeError, ValueError) as malformed:
        raise MalformedFindings from malformed


def _decode_2(content: dict[str, Any]) -> list[list[Finding]]:
    names = content["names"]
    kinds = [_decode_kind([names[word] for word in kind]) for kind in content["kinds"]]
    return [[_decode_row(names[row[0]], row, kinds[row[4]], row[5]) for row in rows] for rows in content["records"]]


def _decode_kind(words: list[str]) -> _Kind:
    entity_type, recognizer, pattern, context, *path = words
    return entity_type, recognizer, pattern, context, tuple(path)


def _decode_row(pointer: str, row: list[Any], kind: _Kind, score: float) -> Finding:
    entity_type, recognizer, pattern, context, path = kind
    part: Part = "key" if row[1] else "value"
    return Finding(pointer, part, row[2], row[3], entity_type, float(score), recognizer, pattern, context, path)


def _decode_1(content: dict[str, Any]) -> list[list[Finding]]:
    """Format 1 knew the recognizer alone: ``[pointer, is key, start, end, entity type, score, recognizer]``."""
    names = content["names"]
    return [
        [_decode_row(names[row[0]], row, (names[row[4]], names[row[6]], "", "", ()), row[5]) for row in rows]
        for rows in content["records"]
    ]


_DECODERS: Final = {1: _decode_1, 2: _decode_2}


def profile(records: Sequence[Sequence[Finding]], threshold: float = ACT_FROM) -> dict[tuple[str, str], int]:
    """How many findings of at least ``threshold`` each field has, by (field, entity type).

    A field is a pointer whose array indexes read ``*`` and whose member names that themselves contain a finding,
    however weak, read ``{key}``: the profile carries no personal data. A name made only of digits also reads ``*``.
    """
    counts: Counter[tuple[str, str]] = Counter()
    for findings in records:
        personal_names = {finding.pointer for finding in findings if finding.part == "key"}
        counts.update(
            (_field(finding.pointer, personal_names), finding.entity_type)
            for finding in findings
            if finding.score >= threshold
        )
    return dict(counts)


def _field(pointer: str, personal_names: set[str]) -> str:
    return "".join(f"/{token}" for token in _field_tokens(pointer, personal_names))


def _field_tokens(pointer: str, personal_names: set[str]) -> Iterator[str]:
    path = ""
    for token in pointer.split("/")[1:]:
        path += f"/{token}"
        if path in personal_names:
            yield "{key}"
        else:
            yield "*" if token.isdecimal() else token
