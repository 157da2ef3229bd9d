"""Places in records by pattern: ``/data/messages/*/content``, where ``*`` is one step and ``**`` any number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import re2

from anonymization.trust.errors import InvalidRule
from vaultsite.kernel.errors import FieldProblem

MAX_LENGTH: Final = 500
MAX_STEPS: Final = 32
#: Pointers whose rules a process remembers for one set of rules; what exceeds it starts anew.
_REMEMBERED: Final = 20_000
_ROOTS: Final = frozenset({"data", "metadata", "*", "**"})

Rule = TypeVar("Rule")


@dataclass(frozen=True, slots=True)
class PlacePattern:
    """A checked pattern. It holds for the place itself and for everything below it."""

    source: str

    @classmethod
    def of(cls, source: str, *, member: str = "field") -> "PlacePattern":
        """Raises InvalidRule, naming ``member``."""
        reason = _reason_against(source)
        if reason:
            raise InvalidRule(errors=[FieldProblem(field=f"/{member}", detail=reason)])
        return cls(source)

    @property
    def specificity(self) -> tuple[int, int]:
        """Greater for the narrower of two patterns: more named steps, then fewer of any length."""
        steps = self.source.split("/")[1:]
        return sum(step not in {"*", "**"} for step in steps), -steps.count("**")

    def as_regex(self) -> str:
        steps = self.source.split("/")[1:]
        return "^" + "".join(_step(step) for step in steps) + "(?:/|$)"

    def matches(self, pointer: str) -> bool:
        return re2.search(self.as_regex(), pointer) is not None


def _step(step: str) -> str:
    if step == "**":
        return "(?:/[^/]*)*"
    return "/[^/]*" if step == "*" else f"/{re2.escape(step)}"


def _reason_against(source: str) -> str:
    steps = source.split("/")[1:]
    if not source.startswith("/") or len(source) > MAX_LENGTH or len(steps) > MAX_STEPS:
        return f"a pointer such as /data/messages/*/content, at most {MAX_LENGTH} characters and {MAX_STEPS} steps"
    if steps[0] not in _ROOTS:
        return "begins with /data, /metadata, /* or /**"
    if any("~" in step.replace("~0", "").replace("~1", "") for step in steps):
        return "~ is written ~0 and / within a name ~1 (RFC 6901)"
    if not any(step not in {"*", "**"} for step in steps):
        return "names at least one step; for all fields use a threshold"
    return "" if "\0" not in source and source.isprintable() else "printable characters only"


class PlaceIndex(Generic[Rule]):
    """Rules by place: all patterns are tried in one pass, each pointer once."""

    def __init__(self, rules: Sequence[tuple[PlacePattern, Rule]]) -> None:
        self._rules = [rule for _, rule in rules]
        self._known: dict[str, tuple[Rule, ...]] = {}
        self._set: Any = None
        if rules:
            options = re2.Options()
            options.max_mem = 64 * 1024 * 1024
            self._set = re2.Set.SearchSet(options)
            for pattern, _ in rules:
                self._set.Add(pattern.as_regex())
            self._set.Compile()

    def __bool__(self) -> bool:
        return bool(self._rules)

    def at(self, pointer: str) -> tuple[Rule, ...]:
        """The rules whose pattern holds for the pointer, in the order given."""
        if not self._rules:
            return ()
        known = self._known.get(pointer)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            text = pointer if pointer.isascii() else pointer.encode("utf-8", "replace").decode()
            known = tuple(self._rules[index] for index in sorted(self._set.Match(text) or ()))
            self._known[pointer] = known
        return known
