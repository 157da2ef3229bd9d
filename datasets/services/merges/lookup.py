"""Merges and merge requests by id: one of a dataset that a principal may not know of does not exist."""

from collections.abc import Sequence
from uuid import UUID

from datasets.errors.merges import MergeNotFound, MergeRequestNotFound
from datasets.models import Dataset, Merge, MergeConflict, MergeRequest, Resolution
from datasets.selectors import not_visible
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def get_merge(principal: Principal, merge_id: UUID, *, action: str) -> Merge:
    """The merge, if its dataset is visible to ``principal``. Raises MergeNotFound, the denied ``action`` recorded."""
    rows = Merge.objects.select_related("dataset", "source", "ours", "base", "version", "request")
    merge = rows.filter(pk=merge_id, dataset__in=Dataset.objects.visible_to(principal)).first()
    if merge is None:
        raise not_visible(MergeNotFound(), ResourceRef(type="merge", id=str(merge_id)), action)
    return merge


def get_merge_request(principal: Principal, request_id: UUID, *, action: str) -> MergeRequest:
    """The merge request, if its dataset is visible. Raises MergeRequestNotFound, the denied ``action`` recorded."""
    rows = MergeRequest.objects.select_related("dataset", "version")
    request = rows.filter(pk=request_id, dataset__in=Dataset.objects.visible_to(principal)).first()
    if request is None:
        raise not_visible(MergeRequestNotFound(), ResourceRef(type="merge_request", id=str(request_id)), action)
    return request


def list_merges(dataset: Dataset, *, limit: int) -> list[Merge]:
    """Merges into any branch of the dataset, newest first."""
    rows = Merge.objects.filter(dataset=dataset).select_related("source", "ours", "base", "version")
    return list(rows.order_by("-id")[:limit])


def list_merge_requests(
    dataset: Dataset, *, states: Sequence[str] = (), after: tuple[str, ...] | None = None, limit: int
) -> list[MergeRequest]:
    """Requests, newest first, at most ``limit`` after the one whose id is ``after``. Raises InvalidCursor."""
    rows = MergeRequest.objects.filter(dataset=dataset).select_related("version").order_by("-id")
    if states:
        rows = rows.filter(state__in=states)
    if after:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


def list_conflicts(merge: Merge, *, after: str = "", limit: int) -> list[MergeConflict]:
    """Conflicts in order of record id, at most ``limit`` after the record called ``after``."""
    rows = MergeConflict.objects.filter(merge=merge, record_id__gt=after)
    return list(rows.order_by("record_id")[:limit])


def count_conflicts(merge: Merge) -> tuple[int, int]:
    """How many conflicts the merge has, and how many of them nobody has decided on."""
    rows = MergeConflict.objects.filter(merge=merge)
    return rows.count(), rows.filter(resolution=Resolution.NONE).count()
