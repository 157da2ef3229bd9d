"""Custom patterns: recognizers as data, run in linear time whatever the pattern."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import re2
import regex
from presidio_analyzer import EntityRecognizer, RecognizerResult

from anonymization.detectors.checks import CHECKS
from anonymization.detectors.errors import PatternRefused
from anonymization.detectors.necessary import Expression
from anonymization.detectors.scan import Found, Rule
from vaultsite.kernel.errors import FieldProblem

#: Bytes that a compiled pattern may take.
_MEMORY: Final = 8 << 20
_LONGEST: Final = 2_000
_NAME: Final = regex.compile(r"[A-Za-z][\w -]{0,63}")
_ENTITY: Final = regex.compile(r"[A-Z][A-Z0-9_]{0,63}")

#: What such an engine cannot do, by how it is written.
_CONSTRUCTS: Final = (
    (regex.compile(r"\(\?="), "lookahead (?=..)"),
    (regex.compile(r"\(\?!"), "negative lookahead (?!..)"),
    (regex.compile(r"\(\?<="), "lookbehind (?<=..)"),
    (regex.compile(r"\(\?<!"), "negative lookbehind (?<!..)"),
    (regex.compile(r"\(\?>"), "atomic group (?>..)"),
    (regex.compile(r"\(\?P="), "backreference (?P=..)"),
    (regex.compile(r"\(\?\("), "conditional group (?(..)..)"),
    (regex.compile(r"\\[1-9]|\\g<|\\k<"), "backreference"),
    (regex.compile(r"\\K"), r"\K"),
    (regex.compile(r"[*+?}]\+"), "possessive quantifier"),
)
_ESCAPED_OR_CLASS: Final = regex.compile(r"\\[^1-9gkK]|\[\^?\]?(?:\\.|[^\]\\])*\]", regex.DOTALL)


@dataclass(frozen=True, slots=True)
class CustomPattern:
    """What to look for, as data.

    ``regex`` is in RE2's syntax; ``flags`` may hold i (any case), m (lines) and s (dot matches all). ``check`` names
    one of CHECKS that a match has to pass. A group named ``value``, if there, is the span; otherwise the whole match.
    """

    name: str
    regex: str
    entity_type: str
    score: float = 0.6
    context: tuple[str, ...] = ()
    check: str = ""
    flags: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise _refused("name", "A name has up to 64 letters, digits, spaces and hyphens")
        if not _ENTITY.fullmatch(self.entity_type):
            raise _refused("entity_type", "An entity type is written in capitals")
        if not 0 < self.score <= 1:
            raise _refused("score", "A score is above 0 and at most 1")
        if self.check and self.check not in CHECKS:
            raise _refused("check", f"There is no check of this name; there are {', '.join(CHECKS)}")
        if set(self.flags) - set("ims"):
            raise _refused("flags", "Flags are i, m and s")


def compile_custom(patterns: Iterable[CustomPattern | Mapping[str, Any]]) -> list["CustomRecognizer"]:
    """A recognizer for each pattern. Raises PatternRefused for the first that cannot be run in linear time."""
    return [CustomRecognizer(one if isinstance(one, CustomPattern) else _from_data(one)) for one in patterns]


class CustomRecognizer(EntityRecognizer):
    """Runs one custom pattern; also usable in presidio's own AnalyzerEngine."""

    def __init__(self, pattern: CustomPattern) -> None:
        self.pattern = pattern
        self._compiled = _compiled(pattern)
        self._value = int(self._compiled.groupindex.get("value", 0))
        self._check: Callable[[str], bool] = CHECKS[pattern.check] if pattern.check else bool
        super().__init__(
            supported_entities=[pattern.entity_type], name=pattern.name, version="1", context=list(pattern.context)
        )

    def load(self) -> None:
        """Nothing is loaded later."""

    def rule(self) -> Rule:
        flags = sum(getattr(regex, flag.upper()) for flag in self.pattern.flags)
        condition = Expression(self.pattern.regex, int(flags))
        return Rule(self.pattern.name, self.pattern.entity_type, self.pattern.name, condition, self.find)

    def describe(self) -> list[object]:
        """Everything its findings depend on."""
        one = self.pattern
        return [one.name, one.regex, one.entity_type, one.score, list(one.context), one.check, one.flags]

    def find(self, text: str) -> Iterator[Found]:
        base = f"base:{self.pattern.score}"
        path = (base, f"checked:{self.pattern.check}") if self.pattern.check else (base,)
        for match in self._compiled.finditer(text):
            start, end = match.span(self._value)
            if 0 <= start < end and self._check(text[start:end]):
                yield Found(start, end, self.pattern.score, path)

    def analyze(self, text: str, entities: Sequence[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        del entities, nlp_artifacts
        return [
            RecognizerResult(self.pattern.entity_type, found.start, found.end, found.score) for found in self.find(text)
        ]


def _compiled(pattern: CustomPattern) -> Any:
    if len(pattern.regex) > _LONGEST:
        raise _refused("regex", f"A pattern has at most {_LONGEST} characters")
    plain = _ESCAPED_OR_CLASS.sub("x", pattern.regex)
    for written, construct in _CONSTRUCTS:
        if written.search(plain):
            raise _refused(
                "regex",
                f"It uses a {construct}, which cannot be run in linear time; match what stands around as well and "
                "mark what counts as (?P<value>..)",
            )
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    flags = f"(?{pattern.flags})" if pattern.flags else ""
    try:
        compiled = re2.compile(flags + pattern.regex, options)
    except re2.error as refused:
        raise _refused("regex", f"RE2 does not read it: {_said(refused)}") from None
    if compiled.match(""):
        raise _refused("regex", "It matches the empty text")
    return compiled


def _refused(field: str, detail: str) -> PatternRefused:
    return PatternRefused(detail, errors=(FieldProblem(field, detail),))


def _said(refused: Exception) -> str:
    what = refused.args[0] if refused.args else ""
    return what.decode("utf-8", "replace") if isinstance(what, bytes) else str(what)


def _from_data(data: Mapping[str, Any]) -> CustomPattern:
    known: dict[str, Any] = {key: tuple(value) if key == "context" else value for key, value in data.items()}
    try:
        return CustomPattern(**known)
    except TypeError:
        raise PatternRefused(
            "A pattern has name, regex, entity_type and perhaps score, context, check, flags"
        ) from None
