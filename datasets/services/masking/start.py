"""Begin to anonymize a dataset in place."""

from uuid import UUID

from django.utils import timezone

from datasets.errors import NotScanned
from datasets.models import Dataset, Masking
from datasets.services.masking.found import is_scanned
from datasets.services.preconditions import before
from vaultsite.kernel.jobs import enqueue, new_lease


def begin_masking(dataset: Dataset, *, reason: str, by: UUID) -> Masking:
    """Queue it for a dataset that the open scope holds locked, whoever decided on it. There may be none under way.

    Raises DatasetHeld, DatasetKept, NotScanned: what nobody has looked for cannot be replaced.
    """
    before("delete", dataset)
    if not is_scanned(dataset):
        raise NotScanned
    masking = Masking.objects.create(
        dataset=dataset,
        reason=reason,
        requested_by=by,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued"},
    )
    enqueue(masking)
    return masking
