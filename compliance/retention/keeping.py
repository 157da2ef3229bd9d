"""The minimum: how long a dataset must be kept, promised in its row so that every deletion refuses."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet

from compliance.models import RetentionPolicy
from compliance.retention.evaluate import judged
from compliance.retention.selectors import policies_in_force
from datasets.models import Dataset
from datasets.services.keeping import Keeping, promise_keeping


def minimum_of(dataset: Dataset) -> Keeping | None:
    """What the policies in force ask for at this moment: a dataset made a minute ago has no promise in its row yet."""
    keeps = [policy for policy in policies_in_force() if policy.minimum_days is not None]
    if not keeps:
        return None
    row = judged(keeps, with_deleted=True).filter(pk=dataset.pk).first()
    return _asked(row, keeps) if row else None


def promise_all(dataset_id: UUID | None = None) -> None:
    """Raise what rows, or one, promise to what the policies ask for; a promise falls by :func:`promise_anew` alone.

    Somebody who may change a dataset's tags and delete it cannot take the minimum away by that.
    """
    keeps = [policy for policy in policies_in_force() if policy.minimum_days is not None]
    if keeps:
        risen = Q(keep_until=None, asked__isnull=False) | Q(asked__gt=F("keep_until"))
        _promise(judged(keeps, with_deleted=True).filter(_one(dataset_id), risen), keeps)


def promise_anew(dataset_id: UUID | None = None) -> None:
    """Write into every row, or one, what the policies ask for now, be it less: because somebody decided anew."""
    keeps = [policy for policy in policies_in_force() if policy.minimum_days is not None]
    one = _one(dataset_id)
    Dataset.objects.filter(one, keep_until__isnull=False).update(keep_until=None, keep_basis="")
    if keeps:
        _promise(judged(keeps, with_deleted=True).filter(one, asked__isnull=False), keeps)


def _one(dataset_id: UUID | None) -> Q:
    return Q() if dataset_id is None else Q(pk=dataset_id)


def _promise(rows: QuerySet[Any], keeps: Sequence[RetentionPolicy]) -> None:
    for row in rows.iterator():
        promise_keeping(row.pk, _asked(row, keeps))


def _asked(row: Any, keeps: Sequence[RetentionPolicy]) -> Keeping | None:
    for place, policy in enumerate(keeps):
        if row.asked and getattr(row, f"keep_{place}") == row.asked:
            return Keeping(row.asked, policy.legal_basis)
    return None
