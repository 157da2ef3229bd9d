"""Detectors of their own kind behind the port, whose findings a test can tell in advance."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from anonymization.detectors.base import Detector, Span
from anonymization.errors import DetectionFailed
from vaultsite.kernel.providers import reset_providers

HERE = f"{__name__}.WordDetector"


class WordDetector(Detector):
    """Finds words: ``words`` maps each to the entity type it is. ``poison`` in a text cannot be scanned."""

    name = "words"
    version = "1"

    def __init__(self, words: dict[str, str], poison: str = "") -> None:
        self._words = dict(words)
        self._poison = poison

    @property
    def content_hash(self) -> bytes:
        return hashlib.sha256(repr((sorted(self._words.items()), self._poison)).encode()).digest()

    def detect_texts(self, texts: Sequence[str]) -> list[list[Span]]:
        return [sorted(self._spans(text)) for text in texts]

    def _spans(self, text: str) -> Iterator[Span]:
        if self._poison and self._poison in text:
            raise DetectionFailed("the text cannot be scanned")
        for word, entity_type in self._words.items():
            at = text.find(word)
            while at >= 0:
                yield Span(at, at + len(word), entity_type, 0.9, "WordRecognizer")
                at = text.find(word, at + 1)


@contextmanager
def detecting(settings: Any, words: dict[str, str], poison: str = "") -> Iterator[None]:
    """For the time of the block this process detects so."""
    chosen = settings.VAULT
    settings.VAULT = {**chosen, "DETECTOR": {"BACKEND": HERE, "OPTIONS": {"words": words, "poison": poison}}}
    reset_providers()
    try:
        yield
    finally:
        settings.VAULT = chosen
        reset_providers()
