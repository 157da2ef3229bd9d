"""The privacy budget as somebody sees it who looks at a dataset."""

from dataclasses import dataclass
from uuid import UUID

from access.services.authorize import authorize
from anonymization.services.budget import BudgetState, state_of
from datasets.models import Dataset
from datasets.selectors import get_dataset, resource_of
from datasets.services.families import family_of, members_of
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class DatasetBudget:
    """The budget of a dataset's family, and the family's datasets as far as the reader may know of them."""

    dataset: Dataset
    state: BudgetState
    datasets: list[UUID]


def read_budget(principal: Principal, *, dataset_id: UUID) -> DatasetBudget:
    """In the open scope. Raises DatasetNotFound, AccessDenied."""
    dataset = get_dataset(principal, dataset_id, action="budget.read")
    authorize(principal, "budget.read", resource_of(dataset))
    family_id = family_of(dataset.pk)
    known = Dataset.objects.visible_to(principal).filter(pk__in=members_of(family_id))
    return DatasetBudget(dataset, state_of(family_id, principal.id), sorted(known.values_list("pk", flat=True)))
