"""Names found by a GLiNER model that the user has on disk."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Final

import orjson

from anonymization.detectors.base import Span
from anonymization.errors import DetectionFailed
from anonymization.names.adapters.folder import digest_of, existing_folder, needed
from anonymization.names.adapters.pieces import pieces_of, without_overlaps
from anonymization.names.base import NameFinder

#: What GLiNER is asked for, in words, and what each means here.
LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "person": "PERSON",
        "location": "LOCATION",
        "address": "LOCATION",
        "organization": "ORGANIZATION",
        "date": "DATE_TIME",
    }
)


class GlinerNameFinder(NameFinder):
    """Asks the model saved in the folder ``path`` for ``labels`` (words of any language to entity types).

    Spans below ``report_from`` are left out, in strict mode those below ``strict_from``. Long texts are read in
    overlapping pieces of ``piece_chars`` characters. Raises NameModelMissing when package or folder is not there.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        language: str = "en",
        labels: Mapping[str, str] = LABELS,
        report_from: float = 0.5,
        strict_from: float = 0.3,
        piece_chars: int = 1_200,
    ) -> None:
        package = needed("gliner", "gliner")
        self._folder = existing_folder(path)
        self._model = package.GLiNER.from_pretrained(str(self._folder), local_files_only=True)
        self._language, self._labels = language, dict(labels)
        self._from = (report_from, strict_from)
        self._piece_chars = piece_chars

    @cached_property
    def content_hash(self) -> bytes:
        settings = [sorted(self._labels.items()), self._from, self._piece_chars]
        description = ["gliner", version("gliner"), digest_of(self._folder), settings]
        return hashlib.sha256(orjson.dumps(description)).digest()

    @property
    def language(self) -> str:
        return self._language

    def find(self, texts: Sequence[str], *, strict: bool = False) -> list[list[Span]]:
        try:
            return [self._spans(text, self._from[strict]) for text in texts]
        except (ValueError, RuntimeError) as failure:
            raise DetectionFailed(f"The model raised {type(failure).__name__}") from None

    def _spans(self, text: str, least: float) -> list[Span]:
        found = [
            Span(
                start + int(entity["start"]),
                start + int(entity["end"]),
                self._labels[entity["label"]],
                round(float(entity["score"]), 2),
                "names-gliner",
            )
            for start, piece in pieces_of(text, self._piece_chars)
            for entity in self._model.predict_entities(piece, list(self._labels), threshold=least)
        ]
        return without_overlaps(found)
