"""What can be asked for, and the limits of it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from access.models import Lease, Shown
from access.policy.decision import Obligation
from access.selectors import is_known_purpose
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef

#: What a grant may be asked for -> the actions it then permits.
LEVELS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "view": frozenset({"dataset.read", "version.read"}),
        "read": frozenset({"dataset.read", "version.read", "record.read"}),
        "statistics": frozenset({"dataset.read", "version.read", "statistics.query"}),
    }
)
SHORTEST: Final = timedelta(minutes=5)
MAX_TEXT: Final = 1000
MAX_ROWS: Final = 2**53
MAX_EPSILON: Final = Decimal(100)


@dataclass(frozen=True)
class Terms:
    """Of a lease: ``level`` is a key of LEVELS, ``seconds`` how long it lasts, ``row_quota`` records it releases."""

    level: str
    shown: Shown
    purpose: str
    seconds: int
    row_quota: int | None = None
    epsilon: Decimal | None = None

    @property
    def actions(self) -> frozenset[str]:
        return LEVELS[self.level]

    def facts(self) -> dict[str, Any]:
        """For the audit."""
        return {
            "level": self.level,
            "shown": str(self.shown),
            "seconds": self.seconds,
            "row_quota": self.row_quota,
            "epsilon": str(self.epsilon) if self.epsilon is not None else None,
        }


def level_of(actions: Collection[str]) -> str:
    """The key of LEVELS that stands for exactly these actions."""
    return next(level for level, meant in LEVELS.items() if meant == frozenset(actions))


def check_terms(terms: Terms) -> None:
    """Raises InvalidInput naming every member that does not fit, in the open scope."""
    longest = timedelta(days=settings.LEASE_MAX_DAYS)
    problems = {
        "level": "" if terms.level in LEVELS else f"one of {', '.join(LEVELS)}",
        "purpose": "" if is_known_purpose(terms.purpose) else "not in the registry of purposes",
        "seconds": _seconds_problem(terms.seconds, longest),
        "row_quota": _quota_problem(terms),
        "epsilon": _epsilon_problem(terms),
    }
    refuse_problems(problems)


def dataset_of(resource: ResourceRef) -> UUID:
    """The id of the dataset a resource is; what a directory found is one."""
    assert resource.dataset_id is not None
    return resource.dataset_id


def refuse_problems(problems: Mapping[str, str]) -> None:
    """Raises InvalidInput with one problem for each member that has one."""
    found = [FieldProblem(f"/{field}", problem) for field, problem in problems.items() if problem]
    if found:
        raise InvalidInput(errors=found)


def text_problem(text: str) -> str:
    """What is wrong with a reason somebody must give; empty for nothing."""
    return "" if 0 < len(text.strip()) <= MAX_TEXT and "\0" not in text else f"1 to {MAX_TEXT:,} characters"


def _seconds_problem(seconds: int, longest: timedelta) -> str:
    least, most = int(SHORTEST.total_seconds()), int(longest.total_seconds())
    return "" if least <= seconds <= most else f"from {least} to {most} seconds"


def _quota_problem(terms: Terms) -> str:
    if terms.row_quota is None:
        return ""
    if terms.level != "read":
        return "only what reads records counts them"
    return "" if 1 <= terms.row_quota <= MAX_ROWS else f"from 1 to {MAX_ROWS}"


def _epsilon_problem(terms: Terms) -> str:
    if terms.epsilon is None:
        return ""
    if terms.level != "statistics":
        return "only statistics spend privacy budget"
    fits = terms.epsilon.is_finite() and 0 < terms.epsilon <= MAX_EPSILON
    return "" if fits and -int(terms.epsilon.as_tuple().exponent) <= 6 else f"above 0, at most {MAX_EPSILON}"  # noqa: PLR2004 - the column's places


def obligations_of(lease: Lease) -> tuple[Obligation, ...]:
    """What a lease asks of whoever releases data under it."""
    made = (
        [] if lease.shown == Shown.RAW or "record.read" not in lease.actions else [Obligation("anonymize", lease.shown)]
    )
    if lease.row_quota is not None or lease.epsilon is not None:
        made.append(Obligation("quota", value=str(lease.pk)))
    if lease.epsilon is not None:
        made.append(Obligation("epsilon", value=format(lease.epsilon - lease.epsilon_used, "f")))
    return tuple(made)
