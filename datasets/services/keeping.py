"""How long a dataset must be kept before anything may delete it: a promise in its row, and a rule of the app above."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from access.services.clock import database_now
from datasets.errors.lifecycle import DatasetKept
from datasets.models import Dataset


@dataclass(frozen=True)
class Keeping:
    """Nothing deletes the dataset before ``until``; ``basis`` says which law or contract asks for that."""

    until: datetime
    basis: str


#: Says of a dataset of the open scope how long it must be kept; None: it need not be.
KeepingRule = Callable[[Dataset], Keeping | None]
_rule: KeepingRule | None = None
#: Says whether the time can be trusted in the open scope.
ClockJudge = Callable[[], bool]
_judge: ClockJudge | None = None


#: Whether what goes now was allowed to go once already.
_was_allowed: ContextVar[bool] = ContextVar("vault_was_allowed_to_go", default=False)


@contextmanager
def allowed_before() -> Iterator[None]:
    """While open, no minimum keeps anything: for a replay of what went, or was to go, after a backup was made.

    It was asked then whether a minimum keeps it. The one that a restore brought back is older than that answer, and may
    have been lowered since. Holds keep all the same.
    """
    token = _was_allowed.set(True)
    try:
        yield
    finally:
        _was_allowed.reset(token)


def register_keeping_rule(rule: KeepingRule) -> None:
    """Called once at start-up by the app that knows the retention policies."""
    global _rule  # noqa: PLW0603 - one port, filled once
    _rule = rule


def register_clock_judge(judge: ClockJudge) -> None:
    """Called once at start-up by the app that watches the time."""
    global _judge  # noqa: PLW0603 - one port, filled once
    _judge = judge


def is_time_trusted() -> bool:
    """Whether what is due by the clock may be destroyed: not while the time is suspected to have jumped."""
    if _judge is None:
        msg = "no clock judge is registered"
        raise RuntimeError(msg)
    return _judge()


def keeping_of(dataset: Dataset) -> Keeping | None:
    """The later of what its row promises and what the rule asks for now; None where neither does."""
    if _rule is None:
        msg = "no keeping rule is registered"
        raise RuntimeError(msg)
    promised = Keeping(dataset.keep_until, dataset.keep_basis) if dataset.keep_until else None
    found = [one for one in (_rule(dataset), promised) if one is not None]  # as long: the wording of now
    return max(found, key=lambda one: one.until, default=None)


def _standing(dataset: Dataset) -> Keeping | None:
    """By the clock that is behind: one that jumped forward ends no minimum."""
    if _was_allowed.get():
        return None
    keeping = keeping_of(dataset)
    return keeping if keeping is not None and keeping.until > min(database_now(), timezone.now()) else None


def is_kept(dataset: Dataset) -> bool:
    """Whether the dataset must be kept, by the earlier of the database's clock and this process's."""
    return _standing(dataset) is not None


def refuse_kept(dataset: Dataset) -> None:
    """Raise DatasetKept, with the legal basis, while the dataset must be kept; see :func:`is_kept`."""
    keeping = _standing(dataset)
    if keeping is not None:
        detail = f"It must be kept until {keeping.until:%Y-%m-%d}: {keeping.basis}"
        raise DatasetKept(detail, keep_until=keeping.until.isoformat(), legal_basis=keeping.basis)


def promise_keeping(dataset_id: UUID, keeping: Keeping | None) -> None:
    """Write into the dataset's row how long it is kept; None takes the promise back. For the app that decides on it."""
    Dataset.objects.filter(pk=dataset_id).update(
        keep_until=keeping.until if keeping else None, keep_basis=keeping.basis if keeping else ""
    )
