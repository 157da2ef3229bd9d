"""The text syntax of filters: ``kind = 'chat' AND (score >= 4 OR NOT metadata.source IN ('a', 'b'))``."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple, NoReturn

import orjson

from datasets.errors.query import InvalidFilter
from datasets.query.ast import (
    MAX_COMPARISONS,
    MAX_DEPTH,
    MAX_LISTED,
    And,
    BrokenRuleError,
    Comparison,
    Node,
    Not,
    Operator,
    Or,
    Path,
    Scalar,
    compare,
    parse_path,
)

MAX_TEXT: Final = 16 * 1024
_NUMBER_CHARACTERS: Final = 64

_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*+(?:
      (?P<string>'(?:[^']++|'')*+'|"(?:[^"]++|"")*+")
    | (?P<number>-?[0-9][0-9.eE+-]*+)
    | (?P<symbol><=|>=|!=|<>|==|[=<>(),])
    | (?P<pointer>/[^\s()=<>!,'"]*+)
    | (?P<name>[A-Za-z_$][A-Za-z0-9_.$-]*+)
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)
_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SYMBOLS: Final = {
    "=": Operator.EQ,
    "==": Operator.EQ,
    "!=": Operator.NE,
    "<>": Operator.NE,
    ">": Operator.GT,
    ">=": Operator.GTE,
    "<": Operator.LT,
    "<=": Operator.LTE,
}
_WRITTEN: Final = {operator: symbol for symbol, operator in reversed(_SYMBOLS.items())}
_WORDS: Final = {str(operator): operator for operator in Operator}
_CONSTANTS: Final[dict[str, Scalar]] = {"true": True, "false": False, "null": None}
#: Words that no bare path begins with; a member of such a name is reached by a pointer.
RESERVED: Final = frozenset({"and", "or", "not", "is", *_WORDS, *_CONSTANTS})


class _Token(NamedTuple):
    kind: str
    text: str
    position: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind == "name" else ""


def parse_text(text: str) -> Node | None:
    """The filter that this expression describes; None for a blank one. Raises InvalidFilter with the position.

    Words are read in either case. Strings stand in single or double quotes, doubled inside; a path is a name, a dotted
    name or a pointer (in quotes where it has blanks or signs). AND binds before OR, NOT before both.
    """
    if len(text) > MAX_TEXT:
        raise InvalidFilter(f"an expression has at most {MAX_TEXT} characters", position=MAX_TEXT + 1)
    if not text.strip(" \t\r\n"):
        return None
    parser = _Parser(list(_tokens(text)))
    node = parser.alternatives(MAX_DEPTH)
    parser.expect_end()
    return node


def _tokens(text: str) -> Iterator[_Token]:
    start = 0
    while True:
        match = _TOKEN.match(text, start)
        if match is None or match.lastgroup is None:
            rest = text[start:].lstrip(" \t\r\n")
            is_open = rest[:1] in {"'", '"'}
            rule = "the string does not end" if is_open else "no expression has this character here"
            raise InvalidFilter(rule, position=len(text) - len(rest) + 1)
        kind = match.lastgroup
        yield _Token(kind, match[kind], match.start(kind) + 1)
        if kind == "end":
            return
        start = match.end()


class _Parser:
    """Recursive descent over the tokens; every method consumes what it returns."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._comparisons = 0

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._token
        self._next += token.kind != "end"
        return token

    def _accept(self, *words: str) -> bool:
        is_there = self._token.word in words if words[0].isalpha() else self._token.text in words
        is_there = is_there and self._token.kind in {"name", "symbol"}
        self._next += is_there
        return is_there

    def _refuse(self, rule: str, token: _Token | None = None) -> NoReturn:
        raise InvalidFilter(rule, position=(token or self._token).position)

    def expect_end(self) -> None:
        if self._token.kind != "end":
            self._refuse("AND, OR or the end of the expression is expected here")

    def alternatives(self, depth: int) -> Node:
        parts = [self._conjunction(depth)]
        while self._accept("or"):
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _conjunction(self, depth: int) -> Node:
        parts = [self._unary(depth)]
        while self._accept("and"):
            parts.append(self._unary(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _unary(self, depth: int) -> Node:
        if not depth:
            self._refuse(f"a filter nests at most {MAX_DEPTH} deep")
        if self._accept("not"):
            return Not(self._unary(depth - 1))
        if self._accept("("):
            inner = self.alternatives(depth - 1)
            if not self._accept(")"):
                self._refuse("a closing parenthesis is expected here")
            return inner
        return self._comparison()

    def _comparison(self) -> Node:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            self._refuse(f"a filter has at most {MAX_COMPARISONS} comparisons")
        path = self._path()
        if self._accept("is"):
            return self._null_test(path)
        is_negated = self._accept("not")
        token = self._take()
        operator = _SYMBOLS.get(token.text) if token.kind == "symbol" else _WORDS.get(token.word)
        if operator is None or (is_negated and token.word not in {"in", "contains", "prefix", "exists"}):
            self._refuse("an operator such as =, <, IN, CONTAINS, PREFIX or EXISTS is expected here", token)
        if operator is Operator.EXISTS:
            return Comparison(path, operator, not is_negated)
        node = self._compared(path, operator)
        return Not(node) if is_negated else node

    def _null_test(self, path: Path) -> Node:
        operator = Operator.NE if self._accept("not") else Operator.EQ
        if not self._accept("null"):
            self._refuse("NULL is expected here")
        return Comparison(path, operator, None)

    def _compared(self, path: Path, operator: Operator) -> Comparison:
        start = self._token
        operand = self._list() if operator is Operator.IN else self._value()
        try:
            return compare(path, operator, operand)
        except BrokenRuleError as broken:
            self._refuse(str(broken), start)

    def _path(self) -> Path:
        token = self._take()
        text = _unquoted(token.text) if token.kind == "string" else token.text
        if token.kind not in {"name", "pointer", "string"} or (token.kind == "string" and not text.startswith("/")):
            self._refuse("the name of a member is expected here", token)
        if token.word in RESERVED:
            self._refuse("this word is an operator; a member of this name takes a JSON pointer", token)
        try:
            return parse_path(text)
        except BrokenRuleError as broken:
            self._refuse(str(broken), token)

    def _list(self) -> list[Scalar]:
        if not self._accept("("):
            self._refuse("a list in parentheses is expected here")
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
            if len(values) > MAX_LISTED:
                self._refuse(f"in takes a list of 1 to {MAX_LISTED} values")
        if not self._accept(")"):
            self._refuse("a comma or a closing parenthesis is expected here")
        return values

    def _value(self) -> Scalar:
        token = self._take()
        if token.kind == "string":
            return _unquoted(token.text)
        if token.kind == "number" and len(token.text) <= _NUMBER_CHARACTERS and _JSON_NUMBER.fullmatch(token.text):
            return float(token.text) if set(token.text) & set(".eE") else int(token.text)
        if token.word not in _CONSTANTS:
            self._refuse("a string in quotes, a number, true, false or null is expected here", token)
        return _CONSTANTS[token.word]


def _unquoted(text: str) -> str:
    return text[1:-1].replace(text[0] * 2, text[0])


def as_text(node: Node | None) -> str:
    """The filter in the syntax that ``parse_text`` reads."""
    if node is None:
        return ""
    if isinstance(node, Comparison):
        return _written(node)
    if isinstance(node, Not):
        return f"NOT {_enclosed(node.part)}"
    return (" AND " if isinstance(node, And) else " OR ").join(map(_enclosed, node.parts))


def _enclosed(node: Node) -> str:
    return f"({as_text(node)})" if isinstance(node, And | Or) else as_text(node)


def _written(comparison: Comparison) -> str:
    path, operand = str(comparison.path), comparison.operand
    if path.partition(".")[0].lower() in RESERVED:
        path = comparison.path.pointer
    if path.startswith("/") and re.search(r"""[\s()=<>!,'"]""", path):
        path = _quoted(path)
    if comparison.operator is Operator.EXISTS:
        return f"{path} EXISTS" if operand else f"{path} NOT EXISTS"
    if isinstance(operand, tuple):
        return f"{path} IN ({', '.join(map(_constant, operand))})"
    symbol = next(
        (text for text, own in _SYMBOLS.items() if own is comparison.operator), str(comparison.operator).upper()
    )
    return f"{path} {symbol} {_constant(operand)}"


def _constant(value: Scalar) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return str(value) if type(value) is int else orjson.dumps(value).decode()


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
