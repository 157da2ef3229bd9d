"""Compatibility: what presidio-analyzer itself would find, spans and scores alike, by the fast way of scanning."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import orjson
import presidio_analyzer
import regex
import yaml
from presidio_analyzer import EntityRecognizer, predefined_recognizers

from anonymization.detectors.base import Detector, Span
from anonymization.detectors.offline import keep_tldextract_offline
from anonymization.detectors.scan import Scan, name_of, without_duplicates
from anonymization.errors import DetectionFailed
from anonymization.findings import STORE_FROM

#: presidio's defaults: how a supporting word raises a score, and among how many words it may stand.
_BOOST: Final = 0.35
_MIN_SUPPORTED: Final = 0.4
_WORDS: Final = 6

_RUN: Final = regex.compile(r"\s*\S*")
#: How many code points before a span are read at first.
_REACH: Final = 80


class PresidioDetector(Detector):
    """presidio's own pattern recognizers and supporting words, without a rule of ours.

    ``recognizers`` are those that presidio enables for English unless given. Spans, types and scores are those of its
    AnalyzerEngine over a blank spaCy pipeline whose lemmas are lower-case words. Needs spaCy, for its tokens.
    """

    name = "presidio"
    version = "2"

    def __init__(self, recognizers: Sequence[EntityRecognizer] | None = None, *, prefiltered: bool = True) -> None:
        keep_tldextract_offline()
        chosen = list(stock_recognizers() if recognizers is None else recognizers)
        self._scan = Scan(chosen, prefiltered=prefiltered)
        self._support = StockSupport({name_of(one): tuple(one.context or ()) for one in chosen})

    @cached_property
    def content_hash(self) -> bytes:
        packages = {name: version(name) for name in ("presidio-analyzer", "phonenumbers", "tldextract", "spacy")}
        description = [self.name, self.version, packages, self._scan.description, STORE_FROM]
        return hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS)).digest()

    def detect_texts(self, texts: Sequence[str]) -> list[list[Span]]:
        found: dict[str, list[Span]] = {}
        for text in texts:
            if text not in found:
                found[text] = self._detect(text)
        return [list(found[text]) for text in texts]

    def _detect(self, text: str) -> list[Span]:
        try:
            spans = self._scan.spans(text)
            if not spans:
                return []
            supported = self._support.supported(text, spans)
            return sorted(without_duplicates([span for span in supported if span.score >= STORE_FROM]))
        except TimeoutError:
            raise DetectionFailed("A pattern ran too long") from None
        except (ValueError, IndexError, OverflowError, RecursionError) as failure:
            raise DetectionFailed(f"A recognizer raised {type(failure).__name__}") from None


def stock_recognizers() -> Iterator[EntityRecognizer]:
    """The pattern recognizers that presidio enables for English, as its own configuration lists them."""
    settings = yaml.safe_load((Path(presidio_analyzer.__file__).parent / "conf/default_recognizers.yaml").read_bytes())
    for one in settings["recognizers"]:
        languages = [
            entry if isinstance(entry, str) else entry["language"] for entry in one.get("supported_languages", ["en"])
        ]
        if one.get("enabled", True) and "en" in languages and one["name"] != "SpacyRecognizer":
            recognizer = getattr(predefined_recognizers, one.get("class_name", one["name"]))
            yield recognizer(supported_language="en")


class StockSupport:
    """presidio's LemmaContextAwareEnhancer, tokenizing only the words around a span.

    spaCy splits each run of non-space by itself, so that the tokens of a part are the tokens of the whole.
    """

    def __init__(self, words: dict[str, tuple[str, ...]]) -> None:
        self._words = {name: tuple((word, word.lower()) for word in roots) for name, roots in words.items()}

    @cached_property
    def _tokenizer(self) -> Any:
        import spacy  # only where this mode is chosen

        return spacy.blank("en").tokenizer

    def supported(self, text: str, spans: Sequence[Span]) -> list[Span]:
        lowered = text.lower()
        before: dict[int, list[str]] = {}
        return [self._supported(text, lowered, span, before) for span in spans]

    def _supported(self, text: str, lowered: str, span: Span, before: dict[int, list[str]]) -> Span:
        roots = self._words.get(span.recognizer, ())
        if span.score >= 1.0 or not any(root in lowered for _, root in roots):
            return span
        if span.start not in before:
            before[span.start] = self._keywords(text, span.start)
        for word, root in roots:
            if any(root in keyword for keyword in before[span.start]):
                score = min(max(span.score + _BOOST, _MIN_SUPPORTED), 1.0)
                return replace(span, score=score, context=word, path=(*span.path, f"supported:+{_BOOST}"))
        return span

    def _keywords(self, text: str, start: int) -> list[str]:
        """The token at ``start`` and those before it, as far as they carry meaning, nearest first, six at most.

        Where the token itself carries none, the next one that does is among them: presidio looks for one word from
        there on.
        """
        end, reach = _end_of_token(text, start), _REACH
        while True:
            begins = max(0, start - reach)
            while begins and not text[begins - 1].isspace():
                begins -= 1
            found, is_telling = self._last_keywords(text[begins:end], start - begins)
            if len(found) >= _WORDS or not begins:
                return found[:_WORDS] if is_telling else [*found[:_WORDS], *self._next_keyword(text, end, start)]
            reach *= 4

    def _last_keywords(self, part: str, start: int) -> tuple[list[str], bool]:
        """The keywords up to the token at ``start``, nearest first, and whether that token is one of them."""
        found: list[str] = []
        is_telling = False
        for token in self._tokenizer(part):
            is_telling = _is_keyword(token)
            if is_telling:
                found.append(token.lower_)
            if start < token.idx + len(token.text):
                break
        return found[::-1], is_telling

    def _next_keyword(self, text: str, end: int, start: int) -> list[str]:
        begins = start
        while begins and not text[begins - 1].isspace():
            begins -= 1
        while True:
            tokens = self._tokenizer(text[begins:end])
            for token in tokens:
                if token.idx + len(token.text) > start - begins and _is_keyword(token):
                    return [token.lower_]
            if end >= len(text):
                return []
            begins = start = end + (text[end] == " ")  # spaCy gives one space to the token before it
            end = _end_of_token(text, begins)


def _is_keyword(token: Any) -> bool:
    return not (token.is_stop or token.is_punct or ":" in token.text or token.lower_ == "be")


def _end_of_token(text: str, start: int) -> int:
    """The end of the run of non-space at ``start``, or of the next one where that is space."""
    run = _RUN.match(text, start)
    return run.end() if run else len(text)
