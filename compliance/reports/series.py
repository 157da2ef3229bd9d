"""A series over days as a picture has room for: by day, by week or by month, with the empty ones between."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final

#: Points of a series at most, before a longer step is taken.
MOST: Final = 62
_DAY: Final = timedelta(days=1)


def series(by_day: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """{"step": "day", "points": [{"value": "2026-11-01", "count": 3}, ..]}; None of nothing."""
    if not by_day:
        return None
    days = {date.fromisoformat(one["value"]): int(one["count"]) for one in by_day}
    first, last = min(days), max(days)
    step, begins = _step((last - first).days + 1)
    counted: Counter[date] = Counter()
    day = first
    while day <= last:
        counted[begins(day)] += days.get(day, 0)
        day += _DAY
    named = "%Y-%m" if step == "month" else "%Y-%m-%d"
    return {"step": step, "points": [{"value": f"{at:{named}}", "count": counted[at]} for at in sorted(counted)]}


def _step(days: int) -> tuple[str, Callable[[date], date]]:
    if days <= MOST:
        return "day", lambda day: day
    if days <= MOST * 7:
        return "week", lambda day: day - day.weekday() * _DAY
    return "month", lambda day: day.replace(day=1)
