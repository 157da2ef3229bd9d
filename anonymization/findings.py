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

_FORMAT: Final = 1

Part = Literal["value", "key"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One span of personal data in a record.

    ``pointer`` is an RFC 6901 pointer into the record object ``{"data": .., "metadata": ..}``, so it begins with
    ``/data`` or ``/metadata``. ``part`` says whether the span lies in the value there or in the last member name of the
    pointer itself. ``start`` and ``end`` count Unicode code points of that string; for a number, of its JSON text.
    ``score`` is between 0 and 1; ``recognizer`` names what found it.
    """

    pointer: str
    part: Part
    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str


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

    def index(name: str) -> int:
        return names.setdefault(name, len(names))

    rows = [
        [
            [index(f.pointer), int(f.part == "key"), f.start, f.end, index(f.entity_type), f.score, index(f.recognizer)]
            for f in findings
        ]
        for findings in records
    ]
    return orjson.dumps({"v": _FORMAT, "names": list(names), "records": rows})


def decode_findings(encoded: bytes) -> list[list[Finding]]:
    """What :func:`encode_findings` was given. Raises MalformedFindings for anything else."""
    try:
        content = orjson.loads(encoded)
        if content["v"] != _FORMAT:
            raise MalformedFindings("Unknown format version")
        names = content["names"]
        return [[_decode_row(row, names) for row in rows] for rows in content["records"]]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError, ValueError) as malformed:
        raise MalformedFindings from malformed


def _decode_row(row: list[Any], names: list[str]) -> Finding:
    pointer, is_key, start, end, entity_type, score, recognizer = row
    part: Part = "key" if is_key else "value"
    return Finding(names[pointer], part, start, end, names[entity_type], float(score), names[recognizer])


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
