"""How long a dataset must be kept before anything may delete it: a promise in its row, and a rule of the app above."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

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


def register_keeping_rule(rule: KeepingRule) -> None:
    """Called once at start-up by the app that knows the retention policies."""
    global _rule  # noqa: PLW0603 - one port, filled once
    _rule = rule


def keeping_of(dataset: Dataset) -> Keeping | None:
    """The later of what its row promises and what the rule asks for now; None where neither does."""
    if _rule is None:
        msg = "no keeping rule is registered"
        raise RuntimeError(msg)
    promised = Keeping(dataset.keep_until, dataset.keep_basis) if dataset.keep_until else None
    found = [one for one in (promised, _rule(dataset)) if one is not None]
    return max(found, key=lambda one: one.until, default=None)


def _standing(dataset: Dataset) -> Keeping | None:
    keeping = keeping_of(dataset)
    return keeping if keeping is not None and keeping.until > database_now() else None


def is_kept(dataset: Dataset) -> bool:
    """Whether the dataset must be kept, by the database's clock."""
    return _standing(dataset) is not None


def refuse_kept(dataset: Dataset) -> None:
    """Raise DatasetKept, with the legal basis, while the dataset must be kept, by the database's clock."""
    keeping = _standing(dataset)
    if keeping is not None:
        detail = f"It must be kept until {keeping.until:%Y-%m-%d}: {keeping.basis}"
        raise DatasetKept(detail, keep_until=keeping.until.isoformat(), legal_basis=keeping.basis)


def promise_keeping(dataset_id: UUID, keeping: Keeping | None) -> None:
    """Write into the dataset's row how long it is kept; None takes the promise back. For the app that decides on it."""
    Dataset.objects.filter(pk=dataset_id).update(
        keep_until=keeping.until if keeping else None, keep_basis=keeping.basis if keeping else ""
    )
