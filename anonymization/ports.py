"""What anonymization asks of apps above it; they fill it when they are ready."""

from typing import Final, Protocol
from uuid import UUID

from vaultsite.kernel.errors import ProviderMissing
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


class FindDataset(Protocol):
    def __call__(self, principal: Principal, dataset_id: UUID, *, action: str) -> ResourceRef:
        """How decisions name the dataset, if ``principal`` may know of it; else its not-found error, recorded."""


_finders: Final[list[FindDataset]] = []


def fill_find_dataset(find: FindDataset) -> None:
    """Called once at start-up by the app that has datasets."""
    if find not in _finders:
        _finders.append(find)


def find_dataset(principal: Principal, dataset_id: UUID, *, action: str) -> ResourceRef:
    """The dataset as a decision's resource. Raises what the app of datasets raises for one that cannot be seen."""
    if not _finders:
        raise ProviderMissing("no app has datasets")
    return _finders[0](principal, dataset_id, action=action)
