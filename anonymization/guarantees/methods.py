"""The ways to recode a table, by name."""

from collections.abc import Callable
from enum import StrEnum

from anonymization.guarantees.fulldomain import recode_globally
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.local import recode_locally
from anonymization.guarantees.mondrian import recode_by_median
from anonymization.guarantees.table import Recoding, Table
from anonymization.guarantees.topdown import recode_top_down


class Method(StrEnum):
    """``local``: labels of hierarchies, row by row. ``ranges``: ranges and sets (Mondrian). ``global``: one level for
    each whole column.
    """

    LOCAL = "local"
    RANGES = "ranges"
    GLOBAL = "global"


def recode(table: Table, guarantee: Guarantee, method: Method) -> Recoding:
    """A recoding that meets the guarantee. Deterministic. Raises GuaranteeUnreachable, LatticeTooLarge."""
    ways: dict[Method, Callable[[Table, Guarantee], Recoding]] = {
        Method.LOCAL: _locally,
        Method.RANGES: recode_by_median,
        Method.GLOBAL: recode_globally,
    }
    return ways[method](table, guarantee)


def _locally(table: Table, guarantee: Guarantee) -> Recoding:
    looks_at_values = guarantee.diversity is not None or guarantee.t is not None
    return (recode_top_down if looks_at_values and table.sensitive else recode_locally)(table, guarantee)
