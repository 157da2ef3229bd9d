"""Rows made of a table: read page by page, in the order in which they were written."""

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from django.db.models import Model, QuerySet

from compliance.reports.kind import Ask, Row

#: Rows of a table read in one transaction.
PAGE: Final = 1_000


M = TypeVar("M", bound=Model)


def in_pages(ask: Ask, found: Callable[[], "QuerySet[M, Any]"], shown: Callable[[list[M]], list[Row]]) -> Iterator[Row]:
    """What ``shown`` makes of each page of what is ``found``, both in a scope of its own. Needs no open scope."""
    after: Any = None
    while True:
        with ask.scope():
            rows = found()
            rows = rows.filter(pk__gt=after) if after else rows
            page = list(rows.order_by("pk")[:PAGE])
            made = shown(page)
        yield from made
        if len(page) < PAGE:
            return
        after = page[-1].pk
