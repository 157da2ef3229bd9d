"""What keeps a dataset from being written, changed or deleted, whoever was allowed to."""

import pytest
from django.utils import timezone

from datasets.errors import DatasetHeld, DatasetNotFound
from datasets.errors.lifecycle import DatasetArchived
from datasets.models import Dataset
from datasets.services.branches import require_writable
from datasets.services.lifecycle import delete_dataset, purge_dataset
from datasets.services.preconditions import BEFORE, before
from datasets.services.writable import hold_open
from tests.factories.access import acting
from tests.factories.datasets import make_dataset, someone


@pytest.mark.parametrize(
    ("operation", "facts", "refusal"),
    [
        ("write", {"archived_at": timezone.now()}, DatasetArchived),
        ("update", {"archived_at": timezone.now()}, DatasetArchived),
        ("write", {"deleted_at": timezone.now()}, DatasetNotFound),
        ("update", {"deleted_at": timezone.now(), "archived_at": timezone.now()}, DatasetNotFound),
        ("delete", {"legal_hold": True}, DatasetHeld),
    ],
)
def test_what_does_not_hold_is_refused(tenant, operation, facts, refusal):
    with acting(tenant), pytest.raises(refusal):
        before(operation, Dataset(**facts))


@pytest.mark.parametrize("operation", BEFORE)
def test_an_open_dataset_takes_everything(tenant, operation):
    with acting(tenant):
        before(operation, Dataset())


def test_an_archived_dataset_may_be_deleted_and_a_held_one_written(tenant):
    with acting(tenant):
        before("delete", Dataset(archived_at=timezone.now()))
        before("write", Dataset(legal_hold=True))


def test_services_ask_before_they_write_change_or_delete(tenant):
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    for remove in (delete_dataset, purge_dataset):
        with pytest.raises(DatasetHeld), acting(tenant, steward):
            remove(steward, dataset_id=dataset.pk)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False, archived_at=timezone.now())
        archived = Dataset.objects.get(pk=dataset.pk)
        with pytest.raises(DatasetArchived):
            hold_open(dataset.pk)
        with pytest.raises(DatasetArchived):
            require_writable(archived, "main")
