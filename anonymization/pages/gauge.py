"""A budget as a picture: what was spent of epsilon and of delta."""

from dataclasses import dataclass
from decimal import Decimal

from anonymization.privacy.amounts import Loss, as_text


@dataclass(frozen=True)
class Gauge:
    """``percent`` is what is left of ``total``; ``state`` is ok, low (a fifth or less) or none."""

    title: str
    total: str
    spent: str
    left: str
    percent: int
    spent_percent: int

    @property
    def state(self) -> str:
        if self.left == "0":
            return "none"
        return "low" if self.percent <= 20 else "ok"  # noqa: PLR2004 - a fifth


def gauges_of(total: Loss, spent: Loss, left: Loss) -> tuple[Gauge, Gauge]:
    """Of epsilon and of delta."""
    return (
        _gauge("epsilon", total.epsilon, spent.epsilon, left.epsilon),
        _gauge("delta", total.delta, spent.delta, left.delta),
    )


def _gauge(title: str, total: Decimal, spent: Decimal, left: Decimal) -> Gauge:
    shown = as_text(total), as_text(spent), as_text(left)
    return Gauge(title, *shown, _percent(left, total), min(_percent(spent, total), 100))


def _percent(part: Decimal, total: Decimal) -> int:
    """Whole percents; what is there at all is at least one."""
    return max(int(part / total * 100) if total else 0, 1 if part else 0)
