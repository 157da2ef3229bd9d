"""The query page: conditions row by row or as an expression, and what of a version meets them for this reader.

What is asked for travels in the body of a form, never in an address: addresses end up in logs and histories.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, QueryDict

from access.selectors import known_purposes
from access.services.authorize import may
from datasets.errors.query import InvalidFilter
from datasets.models.version import DEFAULT_BRANCH
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.query import Filter, parse_expression
from datasets.query.aggregate import MAX_FIELDS, parse_paths
from datasets.query.ast import And, BrokenRuleError, Node, Operator, Or, Scalar, compare, parse_path
from datasets.selectors import get_dataset
from datasets.services.query import Query, QueryPage, emit_completion, find_page, open_query
from datasets.services.read import Release
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

PAGE_SIZE: Final = 25
PAGE_SECONDS: Final = 3.0
#: Rows of the builder.
ROWS: Final = 3
_COLUMNS: Final = 8
_CELL: Final = 240
_CONSTANTS: Final[dict[str, Scalar]] = {"true": True, "false": False, "null": None}
_WORDS: Final = {
    Operator.EQ: "is",
    Operator.NE: "is another than",
    Operator.GT: "is more than",
    Operator.GTE: "is at least",
    Operator.LT: "is less than",
    Operator.LTE: "is at most",
    Operator.IN: "is one of",
    Operator.CONTAINS: "contains",
    Operator.PREFIX: "begins with",
    Operator.EXISTS: "is there",
}


@dataclass(frozen=True)
class Condition:
    """One row of the builder as it was filled in."""

    path: str = ""
    operator: str = "eq"
    value: str = ""


@dataclass(frozen=True)
class Cell:
    text: str
    is_cut: bool = False


@dataclass(frozen=True)
class Row:
    """One record of the results."""

    id: str
    cells: tuple[Cell, ...]


@dataclass
class Form:
    """What was typed, and what came of it."""

    expression: str = ""
    fields: str = ""
    version: str = DEFAULT_BRANCH
    after: str = ""
    conditions: tuple[Condition, ...] = (Condition(),) * ROWS
    release: Release | None = None
    found: QueryPage | None = None

    @classmethod
    def of(cls, given: QueryDict) -> "Form":
        rows = zip(given.getlist("path"), given.getlist("operator"), given.getlist("value"), strict=False)
        conditions = tuple(Condition(*row) for row in rows)[:ROWS]
        return cls(
            expression=given.get("expression", ""),
            fields=given.get("fields", ""),
            version=given.get("version", "")[:100] or DEFAULT_BRANCH,
            after=given.get("after", "")[:128],
            conditions=conditions or cls.conditions,
        )


def query_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The form; posted, it runs the query or takes the conditions over into the expression."""
    principal = resolve_principal(request)
    if current_scope().purpose is None and may(principal, "record.read"):
        return _purpose_page(request, dataset_id)
    if request.method != "POST":
        open_dataset(request, dataset_id, action="record.read")
        return _page(request, dataset_id, Form(version=request.GET.get("version", "")[:100] or DEFAULT_BRANCH))
    form = Form.of(request.POST)
    if request.POST.get("do") == "build":
        open_dataset(request, dataset_id, action="record.read")
        return _page(request, dataset_id, form, refusal_of(lambda: _take_over(form, request.POST.get("join", ""))))
    return _page(request, dataset_id, form, refusal_of(lambda: _run(request, dataset_id, form)))


def _run(request: HttpRequest, dataset_id: UUID, form: Form) -> None:
    names = [name.strip() for name in form.fields.split(",") if name.strip()]
    query = Query(filter=parse_expression(form.expression), fields=parse_paths(names, "fields", most=MAX_FIELDS))
    principal = resolve_principal(request)
    form.release = open_query(principal, dataset_id=dataset_id, version=form.version, query=query)
    form.found = find_page(form.release, query, after=form.after or None, limit=PAGE_SIZE, seconds=PAGE_SECONDS)
    size = len(orjson.dumps(form.found.data))
    emit_completion(form.release, form.found.scanned, released=len(form.found.data), size=size)


def _take_over(form: Form, join: str) -> None:
    """Put the filled rows into the expression. Raises InvalidFilter."""
    parts = [parse_expression(form.expression).node, *map(_node_of, form.conditions)]
    nodes = tuple(node for node in parts if node is not None)
    if nodes:
        joined: Node = nodes[0] if len(nodes) == 1 else (Or(nodes) if join == "or" else And(nodes))
        form.expression = str(Filter(joined))
    form.conditions = Form.conditions


def _node_of(condition: Condition) -> Node | None:
    if not condition.path.strip():
        return None
    try:
        operator = Operator(condition.operator)
        return compare(parse_path(condition.path.strip()), operator, _operand(operator, condition.value))
    except BrokenRuleError as broken:
        raise InvalidFilter(f"{condition.path[:80]}: {broken}") from None
    except ValueError:
        raise InvalidFilter("no such operator") from None


def _operand(operator: Operator, text: str) -> Any:
    if operator is Operator.EXISTS:
        return text.strip().lower() != "false"
    if operator is Operator.PREFIX:
        return text
    if operator is Operator.IN:
        return [_value(part.strip()) for part in text.split(",")]
    return _value(text.strip())


def _value(text: str) -> Scalar:
    """A number or a word of JSON where it is one, else the text; quotes make a text of anything."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    try:
        number = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return number if isinstance(number, int | float) else text


def _page(request: HttpRequest, dataset_id: UUID, form: Form, refusal: VaultError | None = None) -> HttpResponse:
    dataset = get_dataset(resolve_principal(request), dataset_id, action="record.read")
    columns = _columns(form.found.data if form.found else ())
    context: dict[str, Any] = {
        "title": f"Query {dataset.name}",
        "form": form,
        "operators": [(str(operator), words) for operator, words in _WORDS.items()],
        "refusal": refusal,
        "place": _place(form.expression, refusal),
        "columns": columns,
        "rows": [_row(record, columns) for record in form.found.data] if form.found else [],
        "version": form.release.version if form.release else None,
        "shown_as": _shown_as(form.release),
        "purpose": current_scope().purpose,
    }
    page = render_page(request, "vault/query.html", context, dataset=dataset, tab="datasets_query")
    page.status_code = refusal.status if refusal else 200
    return page


def _shown_as(release: Release | None) -> str:
    return release.shown_as if release else "raw"


def _place(expression: str, refusal: VaultError | None) -> tuple[str, str, str] | None:
    """The expression before, at and after the character that a refusal names."""
    position = refusal.position if isinstance(refusal, InvalidFilter) else None
    if position is None:
        return None
    start = max(0, position - 1)
    return expression[max(0, start - 200) : start], expression[start : start + 1], expression[start + 1 : start + 200]


def _columns(records: Sequence[dict[str, Any]]) -> list[str]:
    """The members of data that most records of the page have, in the order they come."""
    counted: dict[str, int] = {}
    for record in records:
        for name, value in record["data"].items():
            if name != "id" or value != record["id"]:  # that column is there already
                counted[name] = counted.get(name, 0) + 1
    chosen = sorted(counted, key=lambda name: -counted[name])[:_COLUMNS]
    return [name for name in counted if name in chosen]


def _row(record: dict[str, Any], columns: Sequence[str]) -> Row:
    return Row(record["id"], tuple(_cell(record["data"].get(name, "")) for name in columns))


def _cell(value: Any) -> Cell:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return Cell(text[:_CELL], is_cut=len(text) > _CELL)


def _purpose_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    dataset = open_dataset(request, dataset_id)
    may_know = may(resolve_principal(request), "purpose.read")
    context = {
        "title": f"Why do you read {dataset.name}?",
        "dataset": dataset,
        "purposes": known_purposes() if may_know else [],
        "kept": [(name, value) for name, value in request.GET.items() if name != "purpose"],
    }
    return render_page(request, "vault/purpose.html", context)
