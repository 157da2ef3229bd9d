"""Names found by a token-classification model of Hugging Face's transformers that the user has on disk."""

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
from anonymization.names.adapters.pieces import pieces_of, without_overlaps
from anonymization.names.base import NameFinder

#: What the usual labels of such models mean here (CoNLL, OntoNotes, WNUT).
LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "PER": "PERSON", "PERSON": "PERSON", "LOC": "LOCATION", "GPE": "LOCATION", "LOCATION": "LOCATION",
        "ORG": "ORGANIZATION", "ORGANIZATION": "ORGANIZATION", "DATE": "DATE_TIME", "NORP": "NRP",
    }
)  # fmt: skip


class TransformersNameFinder(NameFinder):
    """Runs the model saved in the folder ``path`` with ``local_files_only`` and without code of the model's own.

    ``labels`` maps the model's labels to entity types; others are ignored. Spans below ``report_from`` are left out,
    in strict mode those below ``strict_from``. Long texts are read in overlapping pieces of ``piece_chars`` characters.
    Raises NameModelMissing when the package or the folder is not there.
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
        package = needed("transformers", "transformers")
        self._folder = existing_folder(path)
        local = {"local_files_only": True, "trust_remote_code": False}
        self._pipeline = package.pipeline(
            "token-classification",
            model=package.AutoModelForTokenClassification.from_pretrained(str(self._folder), **local),
            tokenizer=package.AutoTokenizer.from_pretrained(str(self._folder), **local),
            aggregation_strategy="simple",
        )
        self._language, self._labels = language, dict(labels)
        self._from = (report_from, strict_from)
        self._piece_chars = piece_chars

    @cached_property
    def content_hash(self) -> bytes:
        settings = [sorted(self._labels.items()), self._from, self._piece_chars]
        description = ["transformers", version("transformers"), digest_of(self._folder), settings]
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
        spans = [
            self._span(start, entity)
            for start, piece in pieces_of(text, self._piece_chars)
            for entity in self._pipeline(piece)
        ]
        return without_overlaps([span for span in spans if span and span.score >= least])

    def _span(self, start: int, entity: Mapping[str, Any]) -> Span | None:
        entity_type = self._labels.get(str(entity["entity_group"]))
        if not entity_type:
            return None
        place = start + int(entity["start"]), start + int(entity["end"])
        return Span(*place, entity_type, round(float(entity["score"]), 2), "names-transformers")
