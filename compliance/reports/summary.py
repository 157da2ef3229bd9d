"""The figures of a report: what its cover page, its page in the browser and the API show of it, sealed in its row."""

from typing import Any, Final

import orjson

from access.selectors import may
from access.services.keyring import open_column, seal_column
from compliance.models import Report
from compliance.reports.registry import KINDS
from compliance.reports.series import series
from compliance.reports.tally import BY_DAY, Tally
from vaultsite.kernel.tenancy.principal import Principal

_COLUMN: Final = "report-summary"


def summarize(tally: Tally) -> dict[str, Any]:
    """{"figures": [..], "breakdowns": {..}, "series": {..} or None, "tables": [..]}."""
    breakdowns = tally.breakdowns()
    by_day = breakdowns.pop(BY_DAY, [])
    return {
        "figures": tally.figures(),
        "breakdowns": breakdowns,
        "series": series(by_day),
        "tables": tally.tables(),
    }


def seal_summary(report: Report, tally: Tally) -> bytes:
    """In the open scope: a summary names people and datasets."""
    return seal_column(_COLUMN, report.pk.bytes, orjson.dumps(summarize(tally)))


def read_summary(principal: Principal, report: Report) -> dict[str, Any] | None:
    """The figures of the principal's report; None where there is no file, or they may not see the same elsewhere."""
    if report.summary is None or not report.has_file:
        return None
    if not all(may(principal, action) for action in KINDS[report.kind].needs):
        return None
    found: dict[str, Any] = orjson.loads(open_column(_COLUMN, report.pk.bytes, bytes(report.summary)))
    return found
