"""Whether a dataset takes changes at all."""

from uuid import UUID

from access.services.authorize import authorize
from datasets.errors import DatasetNotFound
from datasets.models import Dataset
from datasets.selectors import get_dataset, resource_of
from datasets.services.preconditions import before
from vaultsite.kernel.tenancy.principal import Principal


def require_open(dataset: Dataset) -> None:
    """Raises DatasetNotFound when it was deleted since it was looked up, DatasetArchived when it is only read.

    What holds until the open scope ends when ``dataset`` was locked in it: it is archived and deleted under that lock.
    """
    before("update", dataset)


def hold_dataset(principal: Principal, dataset_id: UUID, *, action: str) -> Dataset:
    """The dataset, decided on for ``action`` and locked: what it says of itself, its branches and its tags stay as they
    are until the scope ends.

    Raises DatasetNotFound, AccessDenied, DatasetArchived.
    """
    dataset = get_dataset(principal, dataset_id, action=action)
    authorize(principal, action, resource_of(dataset))
    return hold_open(dataset.pk)


def hold_open(dataset_id: UUID) -> Dataset:
    """The dataset, locked, open and there until the scope ends. Raises DatasetNotFound, DatasetArchived."""
    held = Dataset.objects.select_for_update().filter(pk=dataset_id).first()
    if held is None:
        raise DatasetNotFound
    require_open(held)
    return held


def hold_there(dataset_id: UUID) -> Dataset:
    """The same of one that may be archived: for what has to be done to it all the same. Raises DatasetNotFound."""
    held = Dataset.objects.select_for_update().filter(pk=dataset_id, deleted_at=None).first()
    if held is None:
        raise DatasetNotFound
    return held
