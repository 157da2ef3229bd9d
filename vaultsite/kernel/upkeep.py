"""What runs over all tenants at once: the trouble of one does not keep the others waiting."""

import logging
from collections.abc import Callable, Iterable
from typing import Any, TypeVarTuple
from uuid import UUID

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber

logger = logging.getLogger("vault.upkeep")
Row = TypeVarTuple("Row")


def add_up(work: Callable[[*Row], int], rows: Iterable[tuple[*Row]]) -> int:
    """The sum of what ``work`` returns for each row: one that fails is logged, and the others are done.

    Raises the first failure after the last row, so that whoever asked does not take all for done.
    """
    total, failures = 0, []
    for row in rows:
        try:
            total += work(*row)
        except Exception as error:
            logger.exception("upkeep of %s failed", " ".join(map(str, row)))
            failures.append(error)
    if failures:
        raise failures[0]
    return total


def first_of_each(rows: QuerySet[Any], *, by: str, limit: int) -> list[tuple[UUID, UUID]]:
    """Tenant and id of at most ``limit`` rows of each tenant, those that come first by a column.

    Not of all together: rows that fail again and again stay the first, and would leave the others no place.
    """
    place = Window(RowNumber(), partition_by=F("tenant_id"), order_by=by)
    first = rows.annotate(place_in_tenant=place).filter(place_in_tenant__lte=limit)
    return list(first.order_by(by).values_list("tenant_id", "pk"))
