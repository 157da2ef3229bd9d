"""Deletion is for good: a purged dataset is found no more, and its keys open nothing."""

from uuid import UUID

from access.models import EncryptionKey
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.errors import DatasetNotFound
from datasets.selectors import get_dataset
from datasets.services.keys import load_keys
from datasets.services.lifecycle import purge_dataset


def probe(tenant_id: UUID) -> Outcome:
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    with sandbox(tenant_id):
        dataset_id = probe_dataset(steward).pk
        load_keys(dataset_id)
        keys = EncryptionKey.objects.filter(scope_id=dataset_id).exclude(wrapped=None)
        made = keys.count()
        if not made:
            raise Untried("a dataset was made without keys of its own")
        purge_dataset(steward, dataset_id=dataset_id)
        if keys.exists():
            breaches.append("keys of a purged dataset were kept")
        try:
            get_dataset(steward, dataset_id, action="dataset.read")
        except DatasetNotFound:
            pass
        else:
            breaches.append("a purged dataset was found")
    return judged(breaches, keys=made)
