"""What a list is asked for, and the page that answers it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from django.db.models import QuerySet
from pydantic import ValidationError
from scim2_models import ResponseParameters
from scim2_models.path import FilterNode

from access.models import DirectoryGroup, DirectoryUser
from access.scim.attributes import Attributes
from access.scim.errors import InvalidPath, InvalidValue
from access.scim.filters import compile_filter, compile_order, parse_filter
from access.scim.resources import MOST_RESULTS, USUAL_RESULTS

Row = TypeVar("Row", DirectoryUser, DirectoryGroup)
_WHOLE_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_ORDERS: Final = ("ascending", "descending")


@dataclass(frozen=True)
class Query:
    """``start`` counts from 0; ``count`` is at most MOST_RESULTS. ``sort_by`` is empty for the order of making."""

    tree: FilterNode | None = None
    sort_by: str = ""
    is_descending: bool = False
    start: int = 0
    count: int = USUAL_RESULTS


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some of ``total`` rows that a query found."""

    total: int
    rows: Sequence[Row]


def read_query(asked: Any) -> Query:
    """The query of a URL's parameters or of a SearchRequest (RFC 7644 section 3.4.3).

    Raises InvalidFilter, InvalidValue.
    """
    text, sort_by, order = asked.get("filter"), asked.get("sortBy"), asked.get("sortOrder") or _ORDERS[0]
    if not isinstance(text or "", str) or not isinstance(sort_by or "", str):
        raise InvalidValue("filter and sortBy are texts")
    if order not in _ORDERS:
        raise InvalidValue("sortOrder is ascending or descending")
    return Query(
        tree=parse_filter(text) if text else None,
        sort_by=sort_by or "",
        is_descending=order == _ORDERS[1],
        start=max(_number(asked, "startIndex", 1), 1) - 1,
        count=min(max(_number(asked, "count", USUAL_RESULTS), 0), MOST_RESULTS),
    )


def read_parameters(asked: Any) -> ResponseParameters[Any]:
    """``attributes`` and ``excludedAttributes``. Raises InvalidPath."""
    given = {name: asked[name] for name in ("attributes", "excludedAttributes") if asked.get(name)}
    try:
        return ResponseParameters[Any].model_validate(given)
    except ValidationError:
        raise InvalidPath("attributes and excludedAttributes name attributes, and only one of them is given") from None


def find_page(
    query: Query, attributes: Attributes, found: QuerySet[Row], *, beside: Attributes | None = None
) -> Page[Row]:
    """Those of ``found`` that a query finds; ``beside`` as for compile_filter. Raises InvalidFilter, InvalidPath."""
    if query.tree is not None:
        found = found.filter(compile_filter(query.tree, attributes, beside=beside))
    order = (
        compile_order(query.sort_by, attributes, descending=query.is_descending, beside=beside)
        if query.sort_by
        else None
    )
    total = found.order_by().count()
    ordered = found.order_by(*([order] if order else []), "id")
    return Page(total, list(ordered[query.start : query.start + query.count]) if query.count else [])


def _number(asked: Any, name: str, usual: int) -> int:
    given = asked.get(name)
    if given is None or given == "":
        return usual
    text = str(given)
    if isinstance(given, bool) or not _WHOLE_NUMBER.fullmatch(text):
        raise InvalidValue(f"{name} is a whole number")
    return int(text)
