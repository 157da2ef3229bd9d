"""The prefilter: one linear-time pass over a text that says which of many patterns can match in it at all."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import re2

from anonymization.detectors.kept import conditions_of
from anonymization.detectors.necessary import Conditions, Expression, Unweakened, one_byte_a_code_point, window

#: The most bytes for the states of one set of conditions. Where they do not suffice it starts over again and again:
#: with half of this, texts take ten times as long.
_MEMORY: Final = 128 << 20
#: Matches in every text but the empty one: its absence tells that the pass did not reach the end.
_CANARY: Final = b"[\\x00-\\x80]"


class Prefilter:
    """Conditions for many expressions, compiled once; may be used by several threads.

    A pattern from which no condition can be derived is among the candidates of every text. So is everything when the
    pass over a text fails. ``folder`` keeps the conditions for the next process.
    """

    def __init__(self, expressions: Sequence[Expression], folder: Path | None = None) -> None:
        derived = conditions_of(expressions, folder)
        self._everything = range(len(expressions))
        self._ascii = _Pass([one and one.ascii_text for one in derived], _unconditional(derived))
        self._any = _Pass([one and one.any_text for one in derived], _unconditional(derived))

    def candidates(self, text: str) -> Sequence[int]:
        """Places in the sequence of expressions, ascending, of those that may match; all others do not."""
        if not text:
            return self._everything
        return (self._ascii if text.isascii() else self._any).candidates(text)


def _unconditional(derived: Sequence[Conditions | None]) -> list[int]:
    return [place for place, conditions in enumerate(derived) if conditions is None]


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = _MEMORY
    return options


class Windows:
    """The parts of a text in which the matches of one expression can lie; all of it where that cannot be said."""

    def __init__(self, expression: Expression) -> None:
        try:
            found = window(*expression)
        except Unweakened:
            found = None
        self._condition = found and re2.compile(found.condition, _options())
        self._run = found and re.compile(b"[" + b"".join(b"\\x%02x" % code for code in found.alphabet) + b"]*")
        self._alphabet = found.alphabet if found else b""
        #: How far behind its end a part must be looked at.
        self.reach = found.reach if found else 0

    def of(self, read: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of each part, in order; ``read`` is the text as conditions read it."""
        if not self._condition or not self._run:
            yield 0, len(read)
            return
        end = 0
        for match in self._condition.finditer(read):
            if match.end() <= end:
                continue
            start = end + len(read[end : match.start()].rstrip(self._alphabet))
            end = self._run.match(read, match.end()).end()  # type: ignore[union-attr]  # the empty run matches
            yield start, end


class _Pass:
    """The conditions for one kind of text; None among them never holds."""

    def __init__(self, conditions: Sequence[bytes | None], always: list[int]) -> None:
        self._always, self._everything = always, range(len(conditions))
        self._places = [place for place, condition in enumerate(conditions) if condition is not None]
        self._set = re2.Set.SearchSet(_options())
        for place in self._places:
            self._set.Add(conditions[place])
        self._canary = self._set.Add(_CANARY)
        self._set.Compile()

    def candidates(self, text: str) -> Sequence[int]:
        hits: list[int] = self._set.Match(one_byte_a_code_point(text))
        if len(hits) == 1 and hits[0] == self._canary:
            return self._always
        if self._canary not in hits:
            return self._everything
        return sorted([*self._always, *(self._places[hit] for hit in hits if hit != self._canary)])
