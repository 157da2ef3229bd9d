"""The report of an access review: every grant and what became of it."""

import csv
import io
from typing import Final

from access.models import AccessReview

CSV_TYPE: Final = "text/csv; charset=utf-8"
_COLUMNS: Final = (
    *("kind", "grant", "holder", "holder_kind", "dataset_id", "what"),
    *("verdict", "decided_by", "decided_at", "reason"),
)
#: With these a cell begins that spreadsheets would calculate (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def report_of(review: AccessReview) -> str:
    """One line for each grant under a heading; times in ISO 8601, UTC."""
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow(_COLUMNS)
    for item in review.items.order_by("id").values(*_COLUMNS).iterator():
        moment = item["decided_at"]
        item["decided_at"] = moment.isoformat() if moment else ""
        lines.writerow([_cell(item[name]) for name in _COLUMNS])
    return text.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
