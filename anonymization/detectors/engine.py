"""The shipped detector: patterns of all countries, names, and the rules that judge what both have found."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson
from django.conf import settings

from anonymization.detectors import context
from anonymization.detectors.base import Detector, Span
from anonymization.detectors.custom import CustomPattern, compile_custom
from anonymization.detectors.judgement import LABELS, RULES_VERSION, Evidence, judged
from anonymization.detectors.offline import keep_tldextract_offline
from anonymization.detectors.plugins import load_recognizers
from anonymization.detectors.recognizers.catalogue import build_recognizers, label_demanding_recognizers
from anonymization.detectors.scan import Scan, name_of, without_duplicates
from anonymization.errors import DetectionFailed
from anonymization.findings import STORE_FROM
from anonymization.names.base import NameFinder
from vaultsite.kernel.providers import load_provider

_PACKAGES: Final = ("presidio-analyzer", "phonenumbers", "tldextract", "regex", "google-re2")


@dataclass(frozen=True, slots=True)
class WordSupport:
    """Raises the score of spans that one of the words before them speaks for; by the names of recognizers."""

    words: Mapping[str, tuple[str, ...]]

    def supported(self, text: str, spans: Sequence[Span]) -> list[Span]:
        before: dict[int, list[str]] = {}
        return [self._supported(text, span, before) for span in spans]

    def _supported(self, text: str, span: Span, before: dict[int, list[str]]) -> Span:
        roots = self.words.get(span.recognizer)
        if not roots or span.score >= 1.0:
            return span
        if span.start not in before:
            before[span.start] = context.words_before(text, span.start)
        word = context.supporting_word(before[span.start], roots)
        if not word:
            return span
        path = (*span.path, f"supported:+{context.BOOST}")
        return replace(span, score=context.supported_score(span.score), context=word, path=path)


class VaultDetector(Detector):
    """Recognizers by their patterns and validators, names by a finder, then the rules of judgement.

    ``names`` finds people, places and organizations; None does without. ``strict`` asks it for recall at the price of
    precision. ``custom`` are patterns as data, ``recognizers`` dotted names of presidio recognizers to add,
    ``nlp_engine`` that of the engine whose artifacts they need.
    ``prefiltered=False`` runs everything everywhere, for comparison. ``folder`` keeps what takes long to
    derive from patterns, for the next process.
    """

    name = "vault"
    version = "2"

    def __init__(
        self,
        names: NameFinder | None = None,
        *,
        strict: bool = False,
        custom: Sequence[CustomPattern | Mapping[str, Any]] = (),
        recognizers: Sequence[str] = (),
        nlp_engine: str = "",
        prefiltered: bool = True,
        folder: Path | None = None,
    ) -> None:
        keep_tldextract_offline()
        added = [*load_recognizers(recognizers, nlp_engine=nlp_engine), *compile_custom(custom)]
        shipped = build_recognizers()
        self.finds = [(name_of(one), kind) for one in (*shipped, *added) for kind in one.supported_entities]
        self._scan = Scan([*shipped, *added], prefiltered=prefiltered, folder=folder)
        words = {name_of(one): tuple(one.context or ()) for one in (*shipped, *added)}
        labelled = frozenset(name_of(one) for one in (*label_demanding_recognizers(), *added))
        self._support = WordSupport(words)
        self._evidence = Evidence({name: frozenset(roots) for name, roots in words.items()}, labelled)
        self._names, self._strict = names, strict

    @cached_property
    def label_words(self) -> frozenset[str]:  # type: ignore[override]  # computed here, a constant elsewhere
        return LABELS | {word for words in self._evidence.words.values() for word in words}

    @cached_property
    def content_hash(self) -> bytes:
        description = {
            "detector": [self.name, self.version],
            "packages": {package: version(package) for package in _PACKAGES},
            "recognizers": self._scan.description,
            "rules": [RULES_VERSION, STORE_FROM, sorted(self.label_words), context.WORDS_BEFORE],
            "names": [self._names.content_hash.hex() if self._names else "", self._strict],
        }
        return hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS)).digest()

    def detect_texts(self, texts: Sequence[str]) -> list[list[Span]]:
        distinct = list(dict.fromkeys(texts))
        names = self._names.find(distinct, strict=self._strict) if self._names else [[]] * len(distinct)
        found = {text: self._detect(text, own) for text, own in zip(distinct, names, strict=True)}
        return [list(found[text]) for text in texts]

    def pattern_spans(self, text: str) -> list[Span]:
        """What presidio's AnalyzerEngine would return for the same recognizers and words, and nothing else."""
        spans = self._scan.spans(text)
        return without_duplicates(self._support.supported(text, spans)) if spans else []

    def _detect(self, text: str, names: Sequence[Span]) -> list[Span]:
        try:
            # Judged before duplicates go: a number without support must not oust the same number behind its label.
            spans = judged(text, [*self._support.supported(text, self._scan.spans(text)), *names], self._evidence)
            return sorted(without_duplicates([span for span in spans if span.score >= STORE_FROM]))
        except TimeoutError:
            raise DetectionFailed("A pattern ran too long") from None
        except (ValueError, IndexError, OverflowError, RecursionError) as failure:
            # The cause stays out of the chain: presidio's and the parsers' messages quote the text.
            raise DetectionFailed(f"A recognizer raised {type(failure).__name__}") from None


class ConfiguredDetector(VaultDetector):
    """The detector with the finder that ``settings.VAULT["NAME_FINDER"]`` names, if it names one."""

    def __init__(self, **options: Any) -> None:
        names = load_provider("NAME_FINDER") if settings.VAULT.get("NAME_FINDER") else None
        super().__init__(names, folder=Path(settings.VAULT["HOME"]) / "detectors", **options)
