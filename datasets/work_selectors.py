"""What of datasets waits for one person, dataset by dataset. Read inside the open scope."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, QuerySet

from access.selectors import may
from datasets.models import Dataset, Merge, MergeRequest, QuarantinedRecord, RecordState, VersionQuarantine
from datasets.models.merge import MergeOutcome, RequestState
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal

#: Datasets that are named; what waits in more of them is found on their own pages.
NAMED: Final = 5


@dataclass(frozen=True)
class AtDataset:
    """``count`` of one thing at one dataset."""

    dataset_id: UUID
    name: str
    count: int


def merges_to_review(principal: Principal) -> list[AtDataset]:
    """Open merge requests of others that the principal has not said a word on; most first, NAMED datasets at most."""
    if not may(principal, "merge.review"):
        return []
    rows = MergeRequest.objects.filter(state=RequestState.OPEN)
    return _by_dataset(principal, rows.exclude(author=principal.id).exclude(reviews__reviewer=principal.id))


def merges_in_conflict(principal: Principal) -> list[AtDataset]:
    """Merges the principal began that wait for somebody to resolve their conflicts."""
    rows = Merge.objects.filter(
        requested_by=principal.id, status=JobStatus.SUCCEEDED, outcome=MergeOutcome.CONFLICTED, version=None
    )
    return _by_dataset(principal, rows)


def versions_held(principal: Principal) -> list[AtDataset]:
    """Versions nobody may read before somebody has looked at them."""
    if not may(principal, "quarantine.review"):
        return []
    return _by_dataset(principal, VersionQuarantine.objects.filter(released_at=None))


def records_held(principal: Principal) -> list[AtDataset]:
    """Records that could not be scanned to their end."""
    if not may(principal, "quarantine.review"):
        return []
    return _by_dataset(principal, QuarantinedRecord.objects.filter(state=RecordState.PENDING, is_kept=True))


def _by_dataset(principal: Principal, rows: "QuerySet[Any]") -> list[AtDataset]:
    seen = rows.filter(dataset__in=Dataset.objects.visible_to(principal)).order_by()
    counted = seen.values_list("dataset_id", "dataset__name").annotate(count=Count("pk"))
    return [AtDataset(*row) for row in counted.order_by("-count", "dataset__name")[:NAMED]]
