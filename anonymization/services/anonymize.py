"""Anonymizing: a record as a reader may see it, made from stored findings in one pass."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from anonymization.detectors.base import Span
from anonymization.detectors.encodings import is_json_container, json_literals
from anonymization.detectors.walk import number_text
from anonymization.errors import FindingMismatch
from anonymization.findings import ACT_FROM, UNSCANNABLE, Finding, unescape_token
from anonymization.operators.registry import get_operator
from vaultsite.kernel.crypto.keys import SecretKey

#: What stands in place of content nobody looked into, whatever the operator.
WITHHELD: Final = "[WITHHELD]"

_NO_EXCEPTIONS: Final[Mapping[str, str]] = MappingProxyType({})

#: From text and entity type to what is shown.
Replacement = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class _Region:
    """A stretch of text to hide: overlapping findings joined, with the type of the strongest of them."""

    start: int
    end: int
    entity_type: str


def apply(
    record: Mapping[str, Any],
    findings: Sequence[Finding],
    *,
    operator: str,
    per_entity: Mapping[str, str] = _NO_EXCEPTIONS,
    hash_key: SecretKey | None = None,
    threshold: float = ACT_FROM,
) -> dict[str, Any]:
    """A copy of the record object ``{"data": .., "metadata": ..}`` without what the findings point to.

    ``operator`` names an operator, ``per_entity`` names others for single entity types, ``hash_key`` is what the hash
    operator needs. Findings under ``threshold`` are left as they are. Numbers with a finding become strings; member
    names are renamed, with ``#2``, ``#3`` appended where two would become equal. The record given is not changed.

    Raises FindingMismatch when any finding, whatever its score, does not fit the record; then nothing may be shown.
    Raises UnknownOperator and HashKeyMissing.
    """
    replacement = _replacement(operator, per_entity, hash_key)
    editor = _Editor(record)
    values, names = _by_place(findings)
    for pointer, found in values.items():
        text = editor.text_at(pointer)
        _check_offsets(found, text)
        if regions := _regions(found, threshold):
            editor.put(pointer, _hide(text, regions, replacement))
    for pointer in sorted(names, key=lambda pointer: pointer.count("/"), reverse=True):
        name = editor.name_at(pointer)
        _check_offsets(names[pointer], name)
        if regions := _regions(names[pointer], threshold):
            editor.rename(pointer, _hide(name, regions, replacement))
    return editor.record


def apply_to_text(
    text: str,
    spans: Sequence[Span],
    *,
    operator: str,
    per_entity: Mapping[str, str] = _NO_EXCEPTIONS,
    hash_key: SecretKey | None = None,
    threshold: float = ACT_FROM,
) -> str:
    """The text without what the spans cover; see :func:`apply`."""
    findings = [Finding("/data", "value", s.start, s.end, s.entity_type, s.score, s.recognizer) for s in spans]
    hidden: str = apply(
        {"data": text}, findings, operator=operator, per_entity=per_entity, hash_key=hash_key, threshold=threshold
    )["data"]
    return hidden


def found_text(record: Mapping[str, Any], finding: Finding) -> str:
    """The text a finding covers, for keyed hashing. Raises FindingMismatch when it does not fit the record."""
    editor = _Editor(record)
    text = editor.name_at(finding.pointer) if finding.part == "key" else editor.text_at(finding.pointer)
    _check_offsets([finding], text)
    return text[finding.start : finding.end]


def _replacement(operator: str, per_entity: Mapping[str, str], hash_key: SecretKey | None) -> Replacement:
    default = get_operator(operator)
    exceptions = {entity_type: get_operator(name) for entity_type, name in per_entity.items()}

    def replacement(text: str, entity_type: str) -> str:
        if entity_type == UNSCANNABLE:
            return WITHHELD
        return exceptions.get(entity_type, default).apply(text, entity_type, hash_key)

    return replacement


def _by_place(findings: Iterable[Finding]) -> tuple[dict[str, list[Finding]], dict[str, list[Finding]]]:
    values: dict[str, list[Finding]] = defaultdict(list)
    names: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        (names if finding.part == "key" else values)[finding.pointer].append(finding)
    return values, names


def _check_offsets(findings: Iterable[Finding], text: str) -> None:
    if not all(0 <= finding.start < finding.end <= len(text) for finding in findings):
        raise FindingMismatch("Offsets outside the text")


def _regions(findings: Iterable[Finding], threshold: float) -> list[_Region]:
    """The stretches that findings of at least ``threshold`` cover, in order; what overlaps is one stretch.

    The name of a stretch is that of its best finding: unscannable content before the highest score before the longest.
    """
    regions: list[_Region] = []
    rank: tuple[bool, float, int] = (False, 0.0, 0)
    for finding in sorted(findings, key=lambda finding: (finding.start, -finding.end)):
        if finding.score < threshold:
            continue
        own = (finding.entity_type == UNSCANNABLE, finding.score, finding.end - finding.start)
        if regions and finding.start < regions[-1].end:
            last = regions.pop()
            name = finding.entity_type if own > rank else last.entity_type
            regions.append(_Region(last.start, max(last.end, finding.end), name))
            rank = max(rank, own)
        else:
            regions.append(_Region(finding.start, finding.end, finding.entity_type))
            rank = own
    return regions


def _hide(text: str, regions: Sequence[_Region], replacement: Replacement) -> str:
    """The text with each region replaced, right to left so that offsets stay valid; JSON stays JSON."""
    literals = json_literals(text) if is_json_container(text) else None
    for region in reversed(regions):
        start, end = region.start, region.end
        shown = replacement(text[start:end], region.entity_type)
        if literals is not None:
            start, end, shown = _as_json(literals, start, end, shown)
        text = text[:start] + shown + text[end:]
    return text


def _as_json(literals: Sequence[tuple[int, int, bool]], start: int, end: int, shown: str) -> tuple[int, int, str]:
    """The replacement as it must stand in JSON text: escaped inside a string, as a string in place of a number."""
    quoted = json.dumps(shown, ensure_ascii=False)
    for literal_start, literal_end, is_string in literals:
        if literal_start <= start and end <= literal_end:
            inside = is_string and literal_start < start and end < literal_end
            return (start, end, quoted[1:-1]) if inside else (literal_start, literal_end, quoted)
    return start, end, quoted


class _Editor:
    """A copy of a record, made along the edited paths only, addressed by pointers into the original."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record: dict[str, Any] = dict(record)
        self._copies: dict[str, Any] = {"": self.record}

    def text_at(self, pointer: str) -> str:
        """The string there, or the JSON text of the number there."""
        parent, token = self._parent(pointer)
        value = parent[token]
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FindingMismatch("A finding points to neither string nor number")
        return number_text(value)

    def put(self, pointer: str, value: str) -> None:
        parent, token = self._parent(pointer)
        parent[token] = value

    def name_at(self, pointer: str) -> str:
        parent, token = self._parent(pointer)
        if not isinstance(parent, dict):
            raise FindingMismatch("A finding points to the name of an array element")
        return str(token)

    def rename(self, pointer: str, name: str) -> None:
        """Give a member another name in its place. Members below must have been dealt with before."""
        parent, token = self._parent(pointer)
        free, attempt = name, 1
        while free in parent and free != token:
            attempt += 1
            free = f"{name}#{attempt}"
        members = [(free if member == token else member, value) for member, value in parent.items()]
        parent.clear()
        parent.update(members)

    def _parent(self, pointer: str) -> tuple[Any, Any]:
        """The copied container of the place and its index or name there."""
        above, slash, token = pointer.rpartition("/")
        if not slash:
            raise FindingMismatch("A finding points to no place in the record")
        container = self._container(above)
        return container, _index(container, token)

    def _container(self, pointer: str) -> Any:
        known = pointer
        while known not in self._copies:
            known = known.rpartition("/")[0]
        container = self._copies[known]
        for token in pointer[len(known) :].split("/")[1:]:
            index = _index(container, token)
            child = container[index]
            if not isinstance(child, dict | list):
                raise FindingMismatch("A finding points below a value")
            container[index] = child = child.copy()
            known = f"{known}/{token}"
            self._copies[known] = container = child
        return container


def _index(container: Any, token: str) -> Any:
    if isinstance(container, dict):
        name = unescape_token(token)
        if name in container:
            return name
    elif token.isascii() and token.isdecimal() and int(token) < len(container):
        return int(token)
    raise FindingMismatch("A finding points to no place in the record")
