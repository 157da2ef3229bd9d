"""What must hold of a dataset before it is written, changed or deleted, whoever was allowed to: one table.

The rest of what is asked before an operation cannot be left out and needs no check here: a dataset always has a
classification (its column may not be empty, and policies decide by it); records can be written only sealed under the
dataset's live key (``load_keys`` raises where it was destroyed); versions never change, and a branch moves by
compare-and-swap; who may do what is ``authorize``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from access.services.authorize import may
from datasets.errors import DatasetHeld, DatasetNotFound
from datasets.errors.lifecycle import DatasetArchived
from datasets.models import Dataset, HoldMark
from datasets.services.keeping import refuse_kept
from vaultsite.kernel.tenancy.scope import find_scope

Operation = Literal["write", "update", "delete"]


def _is_there(dataset: Dataset) -> None:
    if dataset.deleted_at is not None:
        raise DatasetNotFound


def _takes_changes(dataset: Dataset) -> None:
    if dataset.archived_at is not None:
        raise DatasetArchived


def held_by(dataset: Dataset) -> dict[str, Any]:
    """The matters that keep a dataset, for a refusal; who may not read holds learns that there is one, and no more."""
    scope = find_scope()
    if scope is None or not may(scope.principal, "hold.read"):
        return {}
    matters = HoldMark.objects.filter(dataset=dataset).values_list("matter", flat=True).distinct()
    return {"matters": sorted(matters)}


def _may_go(dataset: Dataset) -> None:
    """A legal hold keeps it for as long as it stands, whatever else is asked."""
    if dataset.legal_hold:
        raise DatasetHeld(**held_by(dataset))


BEFORE: Final[Mapping[Operation, tuple[Callable[[Dataset], None], ...]]] = MappingProxyType(
    {"write": (_is_there, _takes_changes), "update": (_is_there, _takes_changes), "delete": (_may_go, refuse_kept)}
)


def before(operation: Operation, dataset: Dataset) -> None:
    """Called by whoever does ``operation``, with the dataset locked where it must hold until the open scope ends.

    Raises DatasetNotFound, DatasetArchived, DatasetHeld, DatasetKept.
    """
    for check in BEFORE[operation]:
        check(dataset)
