"""Files of exports leave before their time: their dataset goes, or a record in them is erased."""

from uuid import UUID

from datasets.models import Export
from datasets.services.exports.request import take_back


def remove_exports(dataset_id: UUID) -> int:
    """In the open scope: end every export of the dataset and give up its files; returns how many had any.

    They are unreachable once the scope commits, and removed from the store by the sweep. Call it in the transaction
    that raises the erasure epoch: an export that finishes later sees the epoch and fails.
    """
    exports = Export.objects.filter(dataset_id=dataset_id, removed_at=None).order_by("pk")
    return sum(take_back(pk) for pk in exports.values_list("pk", flat=True))
