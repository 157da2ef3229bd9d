"""The texts of a record by the places of findings, read without copying anything."""

from collections.abc import Iterator, Mapping
from typing import Any

from anonymization.detectors.walk import number_text
from anonymization.errors import FindingMismatch
from anonymization.findings import Finding, escape_token, unescape_token


def text_of(record: Mapping[str, Any], finding: Finding) -> str:
    """The whole text a finding lies in. Raises FindingMismatch when it does not fit the record."""
    container, token = _place(record, finding.pointer)
    text = str(token) if finding.part == "key" else _text(container[token])
    if finding.part == "key" and isinstance(container, list):
        raise FindingMismatch("A finding points to the name of an array element")
    if not 0 <= finding.start < finding.end <= len(text):
        raise FindingMismatch("Offsets outside the text")
    return text


def values_of(record: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The pointer of every string and number, and how long its text is; empty ones are left out."""
    todo: list[tuple[str, Any]] = [(f"/{escape_token(name)}", value) for name, value in record.items()]
    while todo:
        pointer, node = todo.pop()
        if isinstance(node, str):
            if node:
                yield pointer, len(node)
        elif isinstance(node, dict):
            todo.extend((f"{pointer}/{escape_token(name)}", value) for name, value in node.items())
        elif isinstance(node, list):
            todo.extend((f"{pointer}/{index}", value) for index, value in enumerate(node))
        elif isinstance(node, int | float) and not isinstance(node, bool):
            yield pointer, len(number_text(node))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FindingMismatch("A finding points to neither string nor number")
    return number_text(value)


def _place(record: Mapping[str, Any], pointer: str) -> tuple[Any, Any]:
    """The container of a place and its index or name there."""
    tokens = pointer.split("/")[1:]
    if not tokens:
        raise FindingMismatch("A finding points to no place in the record")
    container: Any = dict(record)  # a mapping of another kind is read like one
    for token in tokens[:-1]:
        container = container[_index(container, token)]
    return container, _index(container, tokens[-1])


def _index(container: Any, token: str) -> Any:
    if isinstance(container, dict):
        name = unescape_token(token) if "~" in token else token
        if name in container:
            return name
    elif isinstance(container, list) and token.isascii() and token.isdecimal() and int(token) < len(container):
        return int(token)
    raise FindingMismatch("A finding points to no place in the record")
