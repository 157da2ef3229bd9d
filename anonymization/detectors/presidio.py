"""The shipped detector: presidio-analyzer's recognizers and our own, without a model and without network."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Final

import orjson
import regex
import tldextract
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import IbanRecognizer

from anonymization.detectors import context
from anonymization.detectors.base import Detector, Span
from anonymization.detectors.gates import GATES, PATTERN_GATES, Gate, TextFeatures
from anonymization.detectors.judgement import LABELS, RULES_VERSION, UNSUPPORTED_SCORE, Evidence, judged
from anonymization.detectors.recognizers.catalogue import build_recognizers, label_demanding_recognizers
from anonymization.detectors.recognizers.phone import PhoneRecognizer
from anonymization.errors import DetectionFailed
from anonymization.findings import STORE_FROM

#: A pattern that takes longer on one text is an attack or a defect, and the text counts as unscanned.
REGEX_TIMEOUT_SECONDS: Final = 10.0

_PACKAGES: Final = ("presidio-analyzer", "phonenumbers", "tldextract", "regex")


def name_of(recognizer: EntityRecognizer) -> str:
    """The recognizer's name, as findings carry it."""
    return str(recognizer.name)  # type: ignore[has-type]  # presidio leaves it to inference


def patterns_of(recognizer: PatternRecognizer) -> list[Pattern]:
    return list(recognizer.patterns)  # type: ignore[has-type]  # presidio leaves it to inference


class PresidioDetector(Detector):
    """Runs each recognizer's patterns and validators itself, and only where its gate opens.

    Spans and scores equal those of presidio's AnalyzerEngine over the same recognizers and supporting words; what is
    left out is its per-call tokenizer, copying and explanations. After it one rule of our own: a bare run of digits
    counts only with a supporting word. ``gated=False`` runs everything everywhere, for comparison.
    """

    name = "presidio"
    version = "1"

    def __init__(self, *, gated: bool = True) -> None:
        _keep_tldextract_offline()
        self._scanners = tuple(_scanner(recognizer, gated=gated) for recognizer in build_recognizers())
        labelled = frozenset(name_of(recognizer) for recognizer in label_demanding_recognizers())
        self._evidence = Evidence({scanner.name: scanner.context for scanner in self._scanners}, labelled)

    @cached_property
    def label_words(self) -> frozenset[str]:  # type: ignore[override]  # computed here, a constant elsewhere
        return LABELS | {word for words in self._evidence.words.values() for word in words}

    @cached_property
    def content_hash(self) -> bytes:
        description = {
            "detector": [self.name, self.version],
            "packages": {package: version(package) for package in _PACKAGES},
            "recognizers": [scanner.description for scanner in self._scanners],
            "rules": [RULES_VERSION, STORE_FROM, UNSUPPORTED_SCORE, sorted(self.label_words), context.WORDS_BEFORE],
            "language": "en",
        }
        return hashlib.sha256(orjson.dumps(description, option=orjson.OPT_SORT_KEYS)).digest()

    def detect_texts(self, texts: Sequence[str]) -> list[list[Span]]:
        found: dict[str, list[Span]] = {}
        for text in texts:
            if text not in found:
                found[text] = self._detect(text)
        return [list(found[text]) for text in texts]

    def raw_spans(self, text: str) -> list[Span]:
        """What presidio's AnalyzerEngine would return: context applied, duplicates removed, nothing else."""
        features = TextFeatures(text)
        spans = [span for scanner in self._scanners if scanner.gate(features) for span in scanner.scan(features)]
        return without_duplicates(self._with_context(text, span) for span in spans)

    def _detect(self, text: str) -> list[Span]:
        try:
            spans = judged(text, self.raw_spans(text), self._evidence)
        except TimeoutError:
            raise DetectionFailed("A pattern ran too long") from None
        except (ValueError, IndexError, OverflowError, RecursionError) as failure:
            # The cause stays out of the chain: presidio's and the parsers' messages quote the text.
            raise DetectionFailed(f"A recognizer raised {type(failure).__name__}") from None
        return sorted(span for span in spans if span.score >= STORE_FROM)

    def _with_context(self, text: str, span: Span) -> Span:
        if span.score < 1.0 and self._is_supported(text, span):
            return replace(span, score=context.supported_score(span.score))
        return span

    def _is_supported(self, text: str, span: Span) -> bool:
        supporting = self._evidence.words[span.recognizer]
        return bool(supporting) and context.is_supported(context.words_before(text, span.start), supporting)


@dataclass(frozen=True, slots=True)
class _Scanner:
    """One recognizer, taken apart: what decides whether it runs, what it runs, and what it depends on."""

    name: str
    context: frozenset[str]
    gate: Gate
    scan: Callable[[TextFeatures], list[Span]]
    description: list[object]


def without_duplicates(spans: Iterable[Span]) -> list[Span]:
    """Spans not contained in another of the same type with an equal or higher score (presidio's rule)."""
    ordered = sorted(
        {span for span in spans if span.score > 0},
        key=lambda span: (span.entity_type, span.start, span.start - span.end, -span.score, span.recognizer),
    )
    kept: list[Span] = []
    reaching: list[Span] = []
    for span in ordered:
        reaching = [other for other in reaching if other.entity_type == span.entity_type and other.end >= span.start]
        if not any(other.end >= span.end and other.score >= span.score for other in reaching):
            kept.append(span)
            reaching.append(span)
    return kept


def _scanner(recognizer: EntityRecognizer, *, gated: bool) -> _Scanner:
    name = name_of(recognizer)
    gate = GATES.get(name) if gated else None
    return _Scanner(
        name=name,
        context=frozenset(recognizer.context or ()),
        gate=gate or _always,
        scan=_scan_of(recognizer, gated=gated),
        description=_describe(recognizer),
    )


def _always(_features: TextFeatures) -> bool:
    return True


def _scan_of(recognizer: EntityRecognizer, *, gated: bool) -> Callable[[TextFeatures], list[Span]]:
    if isinstance(recognizer, PhoneRecognizer):
        return _phone_scan(recognizer)
    if not isinstance(recognizer, PatternRecognizer):
        raise TypeError(f"{name_of(recognizer)} is neither a pattern recognizer nor ours")
    entity_type, name = recognizer.supported_entities[0], name_of(recognizer)
    pattern_gates = PATTERN_GATES if gated else {}
    patterns = tuple(
        (
            pattern_gates.get((name, pattern.name), _always),
            regex.compile(pattern.regex, recognizer.global_regex_flags),
            pattern.score,
        )
        for pattern in patterns_of(recognizer)
    )
    ends = _iban_ends if isinstance(recognizer, IbanRecognizer) else _match_end

    def scan(features: TextFeatures) -> list[Span]:
        text = features.text
        return without_duplicates(
            Span(start, end, entity_type, score, name)
            for gate, pattern, base in patterns
            if gate(features)
            for match in pattern.finditer(text, timeout=REGEX_TIMEOUT_SECONDS)
            for start, end, score in _best(recognizer, text, match.start(), ends(match), base)
        )

    return scan


def _phone_scan(recognizer: PhoneRecognizer) -> Callable[[TextFeatures], list[Span]]:
    def scan(features: TextFeatures) -> list[Span]:
        return without_duplicates(
            Span(start, end, "PHONE_NUMBER", recognizer.SCORE, recognizer.NAME)
            for start, end in recognizer.spans(features.text)
        )

    return scan


def _match_end(match: "regex.Match[str]") -> tuple[int, ...]:
    return (match.end(),)


def _iban_ends(match: "regex.Match[str]") -> tuple[int, ...]:
    """An IBAN may be followed by something that looks like more of it: ends to try, longest first."""
    return tuple(match.end(group) if match.end(group) > 0 else match.end() for group in (3, 2, 1))


def _best(
    recognizer: PatternRecognizer, text: str, start: int, ends: Sequence[int], base: float
) -> Iterator[tuple[int, int, float]]:
    """The first end at which the recognizer accepts the match, if any, with its score."""
    for end in ends:
        if end > start and (score := _score(recognizer, text[start:end], base)) > 0:
            yield start, end, score
            return


def _score(recognizer: PatternRecognizer, value: str, base: float) -> float:
    is_valid = recognizer.validate_result(value)
    score = base if is_valid is None else float(bool(is_valid))
    return 0.0 if score and recognizer.invalidate_result(value) else score


def _describe(recognizer: EntityRecognizer) -> list[object]:
    patterns = [[pattern.name, pattern.regex, pattern.score] for pattern in getattr(recognizer, "patterns", [])]
    flags = getattr(recognizer, "global_regex_flags", 0)
    supporting = sorted(recognizer.context or ())
    return [name_of(recognizer), recognizer.version, recognizer.supported_entities, patterns, int(flags), supporting]


def _keep_tldextract_offline() -> None:
    """Use the public suffix list shipped with tldextract, whoever imported it first and with whatever environment."""
    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    offline("example.org")
    tldextract.tldextract.TLD_EXTRACTOR = offline
