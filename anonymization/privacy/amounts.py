"""Amounts of privacy loss: exact decimals, never floats."""

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Final, Self

#: Digits after the point that the ledger keeps; an amount with more of them is refused, not rounded.
PLACES: Final = 18
_QUANTUM: Final = Decimal(1).scaleb(-PLACES)
_EXACT: Final = Context(prec=60, traps=[Inexact, InvalidOperation])


def exact(value: Decimal) -> Decimal:
    """``value`` as the ledger keeps it. Raises ValueError where that would round, or for no finite number."""
    if not value.is_finite():
        msg = "an amount is a finite number"
        raise ValueError(msg)
    try:
        return value.quantize(_QUANTUM, context=_EXACT)
    except (Inexact, InvalidOperation) as exc:
        msg = f"an amount has at most {PLACES} digits after the point"
        raise ValueError(msg) from exc


def as_text(value: Decimal) -> str:
    """Without trailing zeros and exponents: ``0.1``."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Loss:
    """An (epsilon, delta): what a query may reveal, or what is left of a budget."""

    epsilon: Decimal
    delta: Decimal = Decimal(0)

    def __add__(self, other: "Loss") -> "Loss":
        """Basic composition: the losses of adaptively chosen queries add up (Dwork and Roth 2014, theorem 3.16)."""
        return Loss(self.epsilon + other.epsilon, self.delta + other.delta)

    def less(self, other: "Loss") -> "Loss":
        """What is left after ``other``, nothing below zero."""
        return Loss(max(Decimal(0), self.epsilon - other.epsilon), max(Decimal(0), self.delta - other.delta))

    def least(self, other: "Loss") -> "Loss":
        return Loss(min(self.epsilon, other.epsilon), min(self.delta, other.delta))

    def as_json(self) -> dict[str, str]:
        return {"epsilon": as_text(self.epsilon), "delta": as_text(self.delta)}

    @classmethod
    def none(cls) -> Self:
        return cls(Decimal(0), Decimal(0))
