"""What runs over all tenants at once: the trouble of one does not keep the others waiting."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVarTuple

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
