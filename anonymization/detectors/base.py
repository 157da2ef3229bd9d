"""The port every detector of personal data stands behind."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """One detection in one text: code point offsets, entity type, score between 0 and 1, and what found it.

    ``pattern`` names what of the recognizer matched. ``context`` is the supporting word, as it stands in the word list
    of the recognizer, that raised the score; never text of the record. ``path`` tells in short codes how the score came
    about, in order: "validated", "supported:+0.35", "weak:bare-digits".
    """

    start: int
    end: int
    entity_type: str
    score: float
    recognizer: str
    pattern: str = ""
    context: str = ""
    path: tuple[str, ...] = ()


class Detector(ABC):
    """Finds personal data in texts.

    A detector is pure: the same ``content_hash`` and the same text give the same spans, so stored findings stay valid
    until the hash changes. It may be called from several threads at once, opens no network connection, and keeps no
    text after returning.
    """

    name: str
    version: str
    #: Lower-case words that, in the name of a field, tell what its value is ("phone", "ssn").
    label_words: frozenset[str] = frozenset()
    #: What it finds by patterns, for people to look up: pairs of a recognizer's name and an entity type.
    finds: Sequence[tuple[str, str]] = ()

    @property
    @abstractmethod
    def content_hash(self) -> bytes:
        """SHA-256 over everything the result depends on: recognizers, patterns, versions, thresholds, language."""

    @abstractmethod
    def detect_texts(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text with a score of at least STORE_FROM, sorted; texts are judged independently.

        Raises DetectionFailed when any text could not be scanned to its end; there is no partial answer.
        """
