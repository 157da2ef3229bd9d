"""The language of event filters: read into a small tree, judged without evaluating any code.

    filter     = [ either ]
    either     = both { OR both }
    both       = single { AND single }
    single     = NOT single | "(" either ")" | comparison
    comparison = field ( "=" | "!=" | "<" | "<=" | ">" | ">=" | "^=" ) value
               | field [ NOT ] IN "(" value { "," value } ")"
               | field [ NOT ] LIKE text
    value      = text | number

Text stands in single quotes, a quote in it doubled. ``^=`` and LIKE 'text%' look at how a value begins. Keywords are
read in either case. A field with several values (tags, policies, names of a type) is equal to each of them; one without
a value is equal to, less and greater than nothing, and so unequal to everything.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from audit.subscriptions.errors import InvalidFilter
from audit.subscriptions.filter import All, Among, Comparison, Either, Filter, Not, Relation, Value, is_field

#: Characters a filter may have, and how deep its parentheses and NOTs may nest.
MAX_LENGTH: Final = 2000
MAX_DEPTH: Final = 20

_TOKENS: Final = re.compile(
    r"""(?P<space>\s+)
    | (?P<text>'(?:[^']|'')*')
    | (?P<number>-?[0-9]{1,18}(?:\.[0-9]{1,9})?(?![A-Za-z0-9_.]))
    | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<sign><=|>=|!=|\^=|[=<>(),])""",
    re.VERBOSE,
)
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT", "IN", "LIKE"})
_SIGNS: Final = {relation.value: relation for relation in Relation}


class _Token(NamedTuple):
    """``kind``: text, number, word, keyword, sign or end."""

    kind: str
    text: str
    position: int


def compile_filter(expression: str) -> Filter:
    """The filter that ``expression`` says; an empty one holds for every event. Raises InvalidFilter."""
    if len(expression) > MAX_LENGTH:
        raise InvalidFilter(f"a filter has at most {MAX_LENGTH} characters", position=MAX_LENGTH)
    tokens = list(_tokens(expression))
    return All(()) if tokens[0].kind == "end" else _Parser(tokens).parse()


def _tokens(expression: str) -> Iterator[_Token]:
    position = 0
    while position < len(expression):
        found = _TOKENS.match(expression, position)
        if found is None or found.lastgroup is None:
            raise InvalidFilter("nothing of the language begins so", position=position)
        kind, text = found.lastgroup, found.group()
        if kind == "word" and text.upper() in _KEYWORDS:
            kind, text = "keyword", text.upper()
        if kind != "space":
            yield _Token(kind, text, position)
        position = found.end()
    yield _Token("end", "", position)


@dataclass
class _Parser:
    """Reads tokens from the left; every method leaves behind what it has read."""

    tokens: list[_Token]
    index: int = 0
    depth: int = 0

    def parse(self) -> Filter:
        tree = self._either()
        if self._next.kind != "end":
            raise self._unfit("AND, OR or the end is expected")
        return tree

    @property
    def _next(self) -> _Token:
        return self.tokens[self.index]

    def _take(self, kind: str, *texts: str) -> bool:
        if self._next.kind != kind or (texts and self._next.text not in texts):
            return False
        self.index += 1
        return True

    def _unfit(self, detail: str) -> InvalidFilter:
        return InvalidFilter(detail, position=self._next.position)

    def _require(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise self._unfit(f"{sign} is expected")

    def _either(self) -> Filter:
        parts = [self._both()]
        while self._take("keyword", "OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _both(self) -> Filter:
        parts = [self._single()]
        while self._take("keyword", "AND"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _single(self) -> Filter:
        if self.depth == MAX_DEPTH:
            raise self._unfit(f"a filter nests at most {MAX_DEPTH} deep")
        self.depth += 1
        tree = self._nested()
        self.depth -= 1
        return tree

    def _nested(self) -> Filter:
        if self._take("keyword", "NOT"):
            return Not(self._single())
        if self._take("sign", "("):
            tree = self._either()
            self._require(")")
            return tree
        return self._comparison()

    def _comparison(self) -> Filter:
        field = self._field()
        is_negated = self._take("keyword", "NOT")
        if self._take("keyword", "IN"):
            found: Filter = Among(field, frozenset(self._values()))
        elif self._take("keyword", "LIKE"):
            found = Comparison(field, Relation.BEGINS, self._prefix())
        elif is_negated:
            raise self._unfit("IN or LIKE is expected")
        else:
            found = self._signed(field)
        return Not(found) if is_negated else found

    def _field(self) -> str:
        token = self._next
        if token.kind != "word":
            raise self._unfit("the name of a member is expected")
        if not is_field(token.text):
            raise self._unfit("events have no such member")
        self.index += 1
        return token.text

    def _signed(self, field: str) -> Filter:
        relation = _SIGNS.get(self._next.text) if self._next.kind == "sign" else None
        if relation is None:
            raise self._unfit("a comparison is expected")
        self.index += 1
        token, value = self._next, self._value()
        if relation is Relation.BEGINS and not isinstance(value, str):
            raise InvalidFilter("text is expected", position=token.position)
        return Comparison(field, relation, value)

    def _values(self) -> tuple[Value, ...]:
        self._require("(")
        values = [self._value()]
        while self._take("sign", ","):
            values.append(self._value())
        self._require(")")
        return tuple(values)

    def _value(self) -> Value:
        token = self._next
        if self._take("text"):
            return token.text[1:-1].replace("''", "'")
        if self._take("number"):
            return float(token.text) if "." in token.text else int(token.text)
        raise self._unfit("text in single quotes or a number is expected")

    def _prefix(self) -> str:
        """What stands before the % of LIKE, which is only understood at the end."""
        token, value = self._next, self._value()
        is_prefix = isinstance(value, str) and value.endswith("%") and not set(value[:-1]) & set("%_")
        if not isinstance(value, str) or not is_prefix:
            raise InvalidFilter("LIKE takes text that ends in its only %", position=token.position)
        return value[:-1]
