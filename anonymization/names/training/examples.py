"""Labelled text, as training and measuring share it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Label:
    """A name in a text: code point offsets and entity type."""

    start: int
    end: int
    entity_type: str


@dataclass(frozen=True, slots=True)
class Example:
    """A text, the names in it, and where it comes from."""

    text: str
    labels: tuple[Label, ...]
    source: str
