"""Scanning one text with many recognizers: the prefilter says which can match, their validators say whether they do."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer
from presidio_analyzer.predefined_recognizers import IbanRecognizer
from presidio_analyzer.predefined_recognizers import PhoneRecognizer as StockPhoneRecognizer

from anonymization.detectors.base import Span
from anonymization.detectors.necessary import Expression, one_byte_a_code_point
from anonymization.detectors.phones import PhoneScan
from anonymization.detectors.prefilter import Prefilter, Windows

#: A pattern that takes longer on one text is an attack or a defect, and the text counts as unscanned.
REGEX_TIMEOUT_SECONDS: Final = 10.0

#: In shorter texts patterns run over everything: looking for windows would not pay.
_SHORT: Final = 60

_FLAGS: Final = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
_ANYTHING: Final = Expression("", 0)


class Found(NamedTuple):
    """What a rule finds: a place, its score, and how it came about."""

    start: int
    end: int
    score: float
    path: tuple[str, ...]


Finder = Callable[[str], Iterable[Found]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern of one recognizer: where it may match at all, and what it finds there."""

    recognizer: str
    entity_type: str
    pattern: str
    condition: Expression
    find: Finder


class SpanRecognizer(Protocol):
    """A recognizer of ours that finds spans by itself instead of bringing patterns.

    ``NECESSARY``, if there, is a pattern without which it finds nothing; ``SCORE`` is the score of its spans.
    """

    name: str
    supported_entities: list[str]
    SCORE: float

    def spans(self, text: str) -> Iterable[tuple[int, int]]: ...


class Scan:
    """The recognizers of a detector, taken apart into rules that run only where they can match.

    Spans and scores are those of the recognizers' own ``analyze`` methods, of all of them, without context.
    ``prefiltered=False`` runs every rule everywhere, for comparison; ``folder`` keeps what the prefilter needs.
    """

    def __init__(
        self, recognizers: Sequence[EntityRecognizer], *, prefiltered: bool = True, folder: Path | None = None
    ) -> None:
        self._rules = [rule for recognizer in recognizers for rule in rules_of(recognizer)]
        self._prefilter = Prefilter([rule.condition for rule in self._rules], folder) if prefiltered else None
        self._all = range(len(self._rules))
        #: Everything the result depends on, as JSON.
        self.description = [describe(recognizer) for recognizer in recognizers]

    def spans(self, text: str) -> list[Span]:
        """The spans of each recognizer, none of them contained in another of the same recognizer."""
        candidates = self._prefilter.candidates(text) if self._prefilter else self._all
        if not candidates:
            return []
        found: dict[str, list[Span]] = {}
        for place in candidates:
            rule = self._rules[place]
            spans = [
                Span(start, end, rule.entity_type, score, rule.recognizer, rule.pattern, "", path)
                for start, end, score, path in rule.find(text)
            ]
            if spans:
                found.setdefault(rule.recognizer, []).extend(spans)
        return [span for spans in found.values() for span in without_duplicates(spans)]


def without_duplicates(spans: Sequence[Span]) -> list[Span]:
    """Spans not contained in another of the same type with an equal or higher score (presidio's rule)."""
    if len(spans) == 1:
        return list(spans)
    ordered = sorted(
        set(spans),
        key=lambda span: (span.entity_type, span.start, span.start - span.end, -span.score, span.recognizer, span),
    )
    kept: list[Span] = []
    reaching: list[Span] = []
    for span in ordered:
        reaching = [other for other in reaching if other.entity_type == span.entity_type and other.end >= span.start]
        if not any(other.end >= span.end and other.score >= span.score for other in reaching):
            kept.append(span)
            reaching.append(span)
    return kept


def name_of(recognizer: EntityRecognizer) -> str:
    """The recognizer's name, as findings carry it."""
    return str(recognizer.name)  # type: ignore[has-type]  # presidio leaves it to inference


def patterns_of(recognizer: PatternRecognizer) -> list[Pattern]:
    return list(recognizer.patterns)  # type: ignore[has-type]  # presidio leaves it to inference


def describe(recognizer: EntityRecognizer) -> list[object]:
    """What a recognizer's findings depend on, as JSON."""
    if hasattr(recognizer, "describe"):
        return [name_of(recognizer), *recognizer.describe()]
    patterns = [[pattern.name, pattern.regex, pattern.score] for pattern in getattr(recognizer, "patterns", [])]
    flags = getattr(recognizer, "global_regex_flags", 0)
    supporting = sorted(recognizer.context or ())
    return [name_of(recognizer), recognizer.version, recognizer.supported_entities, patterns, int(flags), supporting]


def rules_of(recognizer: EntityRecognizer) -> list[Rule]:
    """The rules of a recognizer, whatever kind it is."""
    if hasattr(recognizer, "rule"):
        return [recognizer.rule()]
    if hasattr(recognizer, "spans"):
        return [_own_rule(recognizer)]
    if type(recognizer) is StockPhoneRecognizer:
        scan = PhoneScan(recognizer.supported_regions, int(recognizer.leniency or 0))
        return [_span_rule(recognizer, scan.spans, StockPhoneRecognizer.SCORE, scan.necessary)]
    if isinstance(recognizer, PatternRecognizer) and _keeps_to_its_patterns(recognizer):
        flags = recognizer.global_regex_flags
        return [_pattern_rule(recognizer, pattern, int(flags or _FLAGS)) for pattern in patterns_of(recognizer)]
    return [_analyzing_rule(recognizer, entity_type) for entity_type in recognizer.supported_entities]


def _keeps_to_its_patterns(recognizer: PatternRecognizer) -> bool:
    """Whether what it finds is what its patterns match and its validators accept."""
    return type(recognizer).analyze in (PatternRecognizer.analyze, IbanRecognizer.analyze)


def _own_rule(recognizer: Any) -> Rule:
    return _span_rule(recognizer, recognizer.spans, recognizer.SCORE, getattr(recognizer, "NECESSARY", ""))


def _span_rule(
    recognizer: EntityRecognizer, spans: Callable[[str], Iterable[tuple[int, int]]], score: float, necessary: str
) -> Rule:
    path = (f"base:{score}",)

    def find(text: str) -> list[Found]:
        return [Found(start, end, score, path) for start, end in spans(text)]

    entity_type = recognizer.supported_entities[0]
    return Rule(name_of(recognizer), entity_type, "", Expression(necessary, int(regex.IGNORECASE)), find)


def _analyzing_rule(recognizer: EntityRecognizer, entity_type: str) -> Rule:
    """A recognizer that has its own way of analyzing is asked as presidio would ask it, about every text."""

    def find(text: str) -> list[Found]:
        return [
            Found(result.start, result.end, float(result.score), (f"base:{result.score}",))
            for result in recognizer.analyze(text, [entity_type], None) or ()  # type: ignore[arg-type]
            if result.entity_type == entity_type and result.score > 0
        ]

    return Rule(name_of(recognizer), entity_type, "", _ANYTHING, find)


def _pattern_rule(recognizer: PatternRecognizer, pattern: Pattern, flags: int) -> Rule:
    condition = Expression(str(pattern.regex), flags)

    @lru_cache(1)
    def compiled() -> "tuple[regex.Pattern[str], Windows]":  # when it first may match: it takes a while
        return regex.compile(pattern.regex, flags), Windows(condition)

    base = float(pattern.score)
    is_iban = isinstance(recognizer, IbanRecognizer)
    ends = _iban_ends if is_iban else _match_end

    def find(text: str) -> Iterator[Found]:
        expression, windows = compiled()
        parts = windows.of(one_byte_a_code_point(text)) if len(text) > _SHORT else ((0, len(text)),)
        for first, last in parts:
            for match in expression.finditer(text, first, last + windows.reach, timeout=REGEX_TIMEOUT_SECONDS):
                if match.start() >= last:
                    break
                yield from _accepted(recognizer, text, match.start(), ends(match), base)

    return Rule(name_of(recognizer), recognizer.supported_entities[0], str(pattern.name), condition, find)


def _match_end(match: "regex.Match[str]") -> tuple[int, ...]:
    return (match.end(),)


def _iban_ends(match: "regex.Match[str]") -> tuple[int, ...]:
    """An IBAN may be followed by something that looks like more of it: ends to try, longest first."""
    groups = range(len(match.groups()), 0, -1)
    return tuple(match.end(group) if match.end(group) > 0 else match.end() for group in groups)


def _accepted(
    recognizer: PatternRecognizer, text: str, start: int, ends: Sequence[int], base: float
) -> Iterator[Found]:
    """The first end at which the recognizer accepts the match, if any, with its score."""
    for end in ends:
        if end <= start:
            continue
        value = text[start:end]
        is_valid = recognizer.validate_result(value)
        score = base if is_valid is None else float(bool(is_valid))
        if score and not recognizer.invalidate_result(value):
            yield Found(start, end, score, (f"base:{base}", "validated") if is_valid else (f"base:{base}",))
            return
