"""Held-data delete: a dataset under legal hold is neither deleted nor purged, and goes once the hold is lifted."""

from collections.abc import Callable
from uuid import UUID

from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.errors import DatasetHeld
from datasets.models import Dataset
from datasets.services.lifecycle import delete_dataset, purge_dataset


def probe(tenant_id: UUID) -> Outcome:
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    with sandbox(tenant_id):
        dataset = probe_dataset(steward)
        rows = Dataset.objects.filter(pk=dataset.pk)
        rows.update(legal_hold=True)
        if not _refused(lambda: delete_dataset(steward, dataset_id=dataset.pk)):
            breaches.append("a held dataset was deleted")
        elif not _refused(lambda: purge_dataset(steward, dataset_id=dataset.pk)):
            breaches.append("a held dataset was purged")
        else:
            rows.update(legal_hold=False)
            if _refused(lambda: delete_dataset(steward, dataset_id=dataset.pk)):
                raise Untried("a dataset that is not held could not be deleted")
    return judged(breaches, attempts=2)


def _refused(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except DatasetHeld:
        return True
    return False
