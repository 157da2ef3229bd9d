"""Names found by a spaCy pipeline that the user has installed."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import orjson

from anonymization.detectors.base import Span
from anonymization.errors import DetectionFailed
from anonymization.names.adapters.folder import digest_of, existing_folder, needed
from anonymization.names.base import NameFinder

#: What the labels of spaCy's English pipelines mean here.
LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PERSON": "PERSON", "PER": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION",
        "ORG": "ORGANIZATION", "DATE": "DATE_TIME", "TIME": "DATE_TIME", "NORP": "NRP",
    }
)  # fmt: skip


class SpacyNameFinder(NameFinder):
    """Runs the pipeline saved in the folder ``path``; nothing is ever downloaded.

    ``labels`` maps the pipeline's labels to entity types; others are ignored. spaCy's pipelines give no probabilities,
    so every span has ``score``. With ``strict`` it finds the same: there is no knob to turn. Raises NameModelMissing
    when spaCy or the folder is not there.
    """

    def __init__(
        self, path: str | Path, *, language: str = "en", labels: Mapping[str, str] = LABELS, score: float = 0.85
    ) -> None:
        spacy = needed("spacy", "spacy")
        self._folder = existing_folder(path)
        self._pipeline = spacy.load(self._folder)
        self._language, self._labels, self._score = language, dict(labels), score

    @cached_property
    def content_hash(self) -> bytes:
        description = ["spacy", version("spacy"), digest_of(self._folder), sorted(self._labels.items()), self._score]
        return hashlib.sha256(orjson.dumps(description)).digest()

    @property
    def language(self) -> str:
        return self._language

    def find(self, texts: Sequence[str], *, strict: bool = False) -> list[list[Span]]:
        del strict
        try:
            return [self._spans(document) for document in self._pipeline.pipe(texts)]
        except ValueError as failure:
            # Longer than the pipeline reads; its message would quote nothing, but its cause may.
            raise DetectionFailed(f"spaCy raised {type(failure).__name__}") from None

    def _spans(self, document: Any) -> list[Span]:
        return [
            Span(entity.start_char, entity.end_char, self._labels[entity.label_], self._score, "names-spacy")
            for entity in document.ents
            if entity.label_ in self._labels
        ]
