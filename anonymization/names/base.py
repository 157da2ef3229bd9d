"""The port every finder of names stands behind."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from anonymization.detectors.base import Span

#: What a finder may report. The first three are learned; the others follow from rules.
PERSON: Final = "PERSON"
LOCATION: Final = "LOCATION"
ORGANIZATION: Final = "ORGANIZATION"
DATE_TIME: Final = "DATE_TIME"
AGE: Final = "AGE"
NRP: Final = "NRP"
TITLE: Final = "TITLE"

ENTITY_TYPES: Final = (PERSON, LOCATION, ORGANIZATION, DATE_TIME, AGE, NRP, TITLE)


class NameFinder(ABC):
    """Finds people, places, organizations, dates, ages, nationalities and titles in running text.

    A finder is pure: the same ``content_hash``, text and ``strict`` give the same spans. It may be called from several
    threads at once, opens no network connection, loads no code from a model, and keeps no text that could be read back.
    """

    @property
    @abstractmethod
    def content_hash(self) -> bytes:
        """SHA-256 over everything the result depends on: the model's bytes, rules, versions, thresholds."""

    @property
    @abstractmethod
    def language(self) -> str:
        """The language it was made for (ISO 639-1). Other text is read too, with less success."""

    @abstractmethod
    def find(self, texts: Sequence[str], *, strict: bool = False) -> list[list[Span]]:
        """The spans of each text, sorted by place, not overlapping; texts are judged independently.

        ``strict`` gives up precision for recall: what is only possibly a name is reported too, with a lower score. It
        reports at least the characters that the default reports. Scores are between 0 and 1. Give many texts at once:
        they are read in one pass. Raises DetectionFailed when any text could not be read to its end.
        """
