"""What is asked: queries with everything declared beforehand that may not be learnt from the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final

import orjson

from anonymization.privacy.amounts import Loss, as_text, exact
from anonymization.privacy.errors import InvalidStatistics
from anonymization.privacy.mechanisms import MAX_MAGNITUDE
from datasets.query import Filter, parse_filter
from datasets.query.ast import BrokenRuleError, Path, parse_path
from vaultsite.kernel.errors import FieldProblem

MAX_QUERIES: Final = 16
#: Records of one subject that may count.
MAX_CONTRIBUTIONS: Final = 1_000
MAX_KEYS: Final = 1_000
#: Points among which a quantile is chosen.
MAX_CANDIDATES: Final = 10_001
#: Records of a version that statistics are computed over.
MAX_RECORDS: Final = 5_000_000
MIN_EPSILON: Final = Decimal("0.0001")
MAX_EPSILON: Final = Decimal(100)
_STEPS: Final = 1_000
_KEY_BYTES: Final = 200
_MEMBERS: Final = frozenset(
    {"type", "field", "epsilon", "delta", "bounds", "resolution", "keys", "edges", "quantile", "contributions", "name"}
)


class Kind(StrEnum):
    COUNT = "count"
    SUM = "sum"
    MEAN = "mean"
    HISTOGRAM = "histogram"
    QUANTILE = "quantile"


@dataclass(frozen=True)
class Grid:
    """Values are clamped to ``low``..``high`` and rounded to whole steps of ``resolution``: integers from then on."""

    low: int
    high: int
    resolution: Decimal

    def value(self, units: int) -> Decimal:
        return units * self.resolution

    @property
    def reach(self) -> int:
        """By how much one record changes a sum, in steps."""
        return max(abs(self.low), abs(self.high))

    @property
    def middle(self) -> int:
        return (self.low + self.high) // 2


@dataclass(frozen=True)
class StatisticsQuery:
    """One query; ``contributions`` is how many records of one subject count at most.

    ``keys`` (JSON texts) or ``edges`` are the declared bins of a histogram; without both, its keys are those that reach
    a threshold.
    """

    name: str
    kind: Kind
    loss: Loss
    contributions: int
    path: Path | None = None
    grid: Grid | None = None
    keys: tuple[bytes, ...] = ()
    edges: tuple[Decimal, ...] = ()
    quantile: Decimal = Decimal("0.5")

    @property
    def is_open(self) -> bool:
        """Whether the keys of a histogram come from the data."""
        return self.kind is Kind.HISTOGRAM and not self.keys and not self.edges

    def as_json(self) -> dict[str, Any]:
        grid = self.grid
        return {
            "name": self.name,
            "type": str(self.kind),
            "field": str(self.path) if self.path else None,
            **self.loss.as_json(),
            "contributions": self.contributions,
            "bounds": [as_text(grid.value(grid.low)), as_text(grid.value(grid.high))] if grid else None,
            "resolution": as_text(grid.resolution) if grid else None,
            "keys": [orjson.loads(key) for key in self.keys],
            "edges": [as_text(edge) for edge in self.edges],
            "quantile": as_text(self.quantile),
        }


@dataclass(frozen=True)
class StatisticsRequest:
    """Queries that are answered in one pass over the records that meet ``filter``; ``subject`` says whose each is: None
    until the declared one takes its place.
    """

    subject: Path | None
    queries: tuple[StatisticsQuery, ...]
    filter: Filter = field(default_factory=Filter)

    @property
    def loss(self) -> Loss:
        """Of all answers together: basic composition."""
        total = Loss.none()
        for query in self.queries:
            total += query.loss
        return total

    @property
    def shape(self) -> str:
        """What the audit may know: kinds, no paths and no values."""
        return ",".join(str(query.kind) for query in self.queries)

    def as_json(self) -> dict[str, Any]:
        """One form for every spelling of the same request."""
        queries = [query.as_json() for query in self.queries]
        return {"subject": str(self.subject or ""), "filter": self.filter.as_json(), "queries": queries}


def parse_request(*, subject: Any, queries: Any, filter_: Any = None, contributions: Any = 1) -> StatisticsRequest:
    """``subject`` None: the declared one. Raises InvalidStatistics naming what does not fit, InvalidFilter."""
    if not isinstance(queries, list) or not 0 < len(queries) <= MAX_QUERIES:
        raise refusal("/queries", f"a list of 1 to {MAX_QUERIES} queries")
    usual = _whole(contributions, "/contributions", least=1, most=MAX_CONTRIBUTIONS)
    parsed = tuple(_query(item, f"/queries/{index}", usual) for index, item in enumerate(queries))
    if len({query.name for query in parsed}) < len(parsed):
        raise refusal("/queries", "two queries have the same name")
    path = None if subject is None else _path(subject, "/subject")
    return StatisticsRequest(path, parsed, parse_filter(filter_))


def refusal(pointer: str, rule: str) -> InvalidStatistics:
    return InvalidStatistics(rule, errors=[FieldProblem(field=pointer, detail=rule)])


def _query(item: Any, at: str, contributions: int) -> StatisticsQuery:
    if not isinstance(item, dict) or not item.keys() <= _MEMBERS:
        raise refusal(at, f"a query has some of {', '.join(sorted(_MEMBERS))}, and nothing else")
    if item.get("type") not in list(Kind):
        raise refusal(f"{at}/type", f"one of {', '.join(Kind)}")
    kind = Kind(item["type"])
    path = _path(item["field"], f"{at}/field") if item.get("field") is not None else None
    if path is None and kind is not Kind.COUNT:
        raise refusal(f"{at}/field", f"{kind} needs a field")
    mine = item.get("contributions")
    query = StatisticsQuery(
        name=_name(item.get("name"), f"{at}/name") or f"{kind}({path or ''})",
        kind=kind,
        loss=_loss(item, at),
        contributions=contributions if mine is None else _whole(mine, f"{at}/contributions", 1, MAX_CONTRIBUTIONS),
        path=path,
        **_particular(kind, item, at),
    )
    if (query.loss.delta > 0) != query.is_open:
        rule = "a histogram without keys needs a delta" if query.is_open else "only a histogram without keys has one"
        raise refusal(f"{at}/delta", rule)
    return query


def _particular(kind: Kind, item: Mapping[str, Any], at: str) -> dict[str, Any]:
    """What only some kinds have; a member of another kind is refused, since it would do nothing."""
    allowed = {
        Kind.COUNT: set[str](),
        Kind.SUM: {"bounds", "resolution"},
        Kind.MEAN: {"bounds", "resolution"},
        Kind.HISTOGRAM: {"keys", "edges", "delta"},
        Kind.QUANTILE: {"bounds", "resolution", "quantile"},
    }[kind]
    for name in ("bounds", "resolution", "keys", "edges", "quantile", "delta"):
        if item.get(name) is not None and name not in allowed:
            raise refusal(f"{at}/{name}", f"{kind} has none")
    if kind is Kind.HISTOGRAM:
        return _bins(item, at)
    found: dict[str, Any] = {"grid": _grid(item, at, kind)} if "bounds" in allowed else {}
    if kind is Kind.QUANTILE and item.get("quantile") is not None:
        found["quantile"] = _number(item["quantile"], f"{at}/quantile")
        if not 0 <= found["quantile"] <= 1 or found["quantile"].as_tuple().exponent < -4:  # noqa: PLR2004
            raise refusal(f"{at}/quantile", "a number from 0 to 1 with at most 4 digits after the point")
    return found


def _bins(item: Mapping[str, Any], at: str) -> dict[str, Any]:
    keys, edges = item.get("keys"), item.get("edges")
    if keys is not None and edges is not None:
        raise refusal(f"{at}/keys", "a histogram has keys or edges")
    if edges is not None:
        values = tuple(_number(edge, f"{at}/edges/{n}") for n, edge in enumerate(_listed(edges, f"{at}/edges", 2)))
        if list(values) != sorted(set(values)):
            raise refusal(f"{at}/edges", "edges rise")
        return {"edges": values}
    if keys is None:
        return {}
    texts = tuple(key_of(key) or b"" for key in _listed(keys, f"{at}/keys", 1))
    if b"" in texts or len(set(texts)) < len(texts):
        raise refusal(f"{at}/keys", f"different texts, numbers, true or false, of at most {_KEY_BYTES} bytes")
    return {"keys": texts}


def key_of(value: Any) -> bytes | None:
    """The key of a histogram that a value belongs to, as JSON: the same for 1 and 1.0; None for what is no key."""
    if type(value) is float:
        value = int(value) if value.is_integer() and abs(value) < 1 << 63 else value
    elif type(value) not in {str, int, bool}:
        return None
    text = orjson.dumps(value)
    return text if len(text) <= _KEY_BYTES else None


def _grid(item: Mapping[str, Any], at: str, kind: Kind) -> Grid:
    bounds = item.get("bounds")
    if not isinstance(bounds, list) or len(bounds) != 2:  # noqa: PLR2004 - low and high
        raise refusal(f"{at}/bounds", "[low, high]: declared, never taken from the data")
    low, high = (_number(bound, f"{at}/bounds/{index}") for index, bound in enumerate(bounds))
    if low >= high:
        raise refusal(f"{at}/bounds", "low is below high")
    given = item.get("resolution")
    resolution = _number(given, f"{at}/resolution") if given is not None else _usual_resolution(high - low)
    if resolution <= 0:
        raise refusal(f"{at}/resolution", "above 0")
    grid = Grid(int((low / resolution).to_integral_value()), int((high / resolution).to_integral_value()), resolution)
    if kind is Kind.QUANTILE and grid.high - grid.low >= MAX_CANDIDATES:
        raise refusal(f"{at}/resolution", f"a quantile is one of at most {MAX_CANDIDATES} steps between the bounds")
    if grid.low >= grid.high or grid.reach * MAX_RECORDS >= MAX_MAGNITUDE:
        raise refusal(f"{at}/resolution", "too fine or too coarse for these bounds")
    return grid


def _usual_resolution(width: Decimal) -> Decimal:
    """A power of ten that makes 1,000 to 10,000 steps."""
    return Decimal(1).scaleb((width / _STEPS).adjusted())


def _listed(content: Any, at: str, least: int) -> Sequence[Any]:
    if not isinstance(content, list) or not least <= len(content) <= MAX_KEYS:
        raise refusal(at, f"a list of {least} to {MAX_KEYS}")
    return content


def _loss(item: Mapping[str, Any], at: str) -> Loss:
    epsilon = _number(item.get("epsilon"), f"{at}/epsilon")
    delta = _number(item.get("delta") or 0, f"{at}/delta")
    if not MIN_EPSILON <= epsilon <= MAX_EPSILON:
        raise refusal(f"{at}/epsilon", f"from {MIN_EPSILON} to {MAX_EPSILON}")
    if not 0 <= delta < 1:
        raise refusal(f"{at}/delta", "from 0 to below 1")
    try:
        return Loss(exact(epsilon), exact(delta))
    except ValueError as exc:
        raise refusal(f"{at}/epsilon", str(exc)) from None


def _number(content: Any, at: str) -> Decimal:
    """A number or its decimal text, as it was written."""
    if type(content) not in {int, float, str} or len(str(content)) > 40:  # noqa: PLR2004 - longer ones mean nothing
        raise refusal(at, "a number, or its decimal text")
    try:
        number = Decimal(str(content))
    except InvalidOperation:
        raise refusal(at, "a number, or its decimal text") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:  # noqa: PLR2004 - beyond what is computed with
        raise refusal(at, "a number, or its decimal text")
    return number


def _whole(content: Any, at: str, least: int, most: int) -> int:
    if type(content) is not int or not least <= content <= most:
        raise refusal(at, f"a whole number from {least} to {most}")
    return content


def _path(content: Any, at: str) -> Path:
    if not isinstance(content, str):
        raise refusal(at, "a path is a string")
    try:
        return parse_path(content)
    except BrokenRuleError as broken:
        raise refusal(at, str(broken)) from None


def _name(content: Any, at: str) -> str:
    if content is None:
        return ""
    if not isinstance(content, str) or not 0 < len(content) <= 64:  # noqa: PLR2004 - as names of aggregates
        raise refusal(at, "a name has 1 to 64 characters")
    return content
