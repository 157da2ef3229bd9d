"""Files of exports leave before their time: their dataset goes, or a record in them is erased."""

from uuid import UUID

from datasets.models import Export, GuaranteedExport
from datasets.services.exports.request import take_back
from datasets.services.guaranteed.request import take_back as take_back_guaranteed


def remove_exports(dataset_id: UUID) -> int:
    """In the open scope: end every export of the dataset and give up its files; returns how many had any.

    They are unreachable once the scope commits, and removed from the store by the sweep. Call it in the transaction
    that raises the erasure epoch: an export that finishes later sees the epoch and fails.
    """
    exports = Export.objects.filter(dataset_id=dataset_id, removed_at=None).order_by("pk")
    guaranteed = GuaranteedExport.objects.filter(dataset_id=dataset_id, removed_at=None).order_by("pk")
    ended = sum(take_back(pk) for pk in exports.values_list("pk", flat=True))
    return ended + sum(take_back_guaranteed(pk) for pk in guaranteed.values_list("pk", flat=True))
