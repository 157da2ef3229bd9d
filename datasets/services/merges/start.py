"""Ask for a merge; go on with one whose conflicts are resolved; abandon one."""

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from access.services.keyring import seal_column
from datasets.errors import VersionLabelTaken
from datasets.errors.branches import BranchMoved
from datasets.errors.merges import ConflictsLeft, MergeNotWaiting, NothingToMerge
from datasets.models import Branch, Dataset, Merge, MergeOutcome, MergeRequest, MergeStrategy, Version
from datasets.selectors import find_version, get_dataset, resource_of
from datasets.services.branches import get_branch, require_writable
from datasets.services.descriptions import refuse_personal_data
from datasets.services.merges.commit import discard_merge, merge_event
from datasets.services.merges.lookup import count_conflicts, get_merge
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

#: Up to so many records on either side a merge is done by the request that asks for it.
INLINE_RECORDS: Final = 5_000
#: For how long such a request works before it leaves the rest to a worker, seconds.
INLINE_SECONDS: Final = 5.0


@dataclass(frozen=True)
class Wish:
    """What is to be merged into what: ``source`` names a version or branch, ``target`` a branch.

    ``expected`` names the version the target must point at until the end; empty: whichever it does.
    """

    source: str
    target: str
    strategy: MergeStrategy = MergeStrategy.MANUAL
    message: str = ""
    label: str = ""
    expected: str = ""


def start_merge(principal: Principal, *, dataset_id: UUID, wish: Wish) -> Merge:
    """Queue a merge into a branch that needs no review, in the open scope.

    Raises DatasetNotFound, AccessDenied, PersonalDataInText, VersionNotFound, BranchNotFound, BranchProtected,
    BranchMoved, NothingToMerge, VersionLabelTaken.
    """
    dataset = get_dataset(principal, dataset_id, action="merge.write")
    authorize(principal, "merge.write", resource_of(dataset))
    source = find_version(dataset, wish.source)
    target = get_branch(dataset, wish.target)
    require_writable(dataset, wish.target)
    if wish.expected and target.head_id != find_version(dataset, wish.expected).pk:
        raise BranchMoved(head=target.head.label if target.head else None)
    return queue_merge(principal, dataset, wish, source=source, target=target)


def queue_merge(
    principal: Principal,
    dataset: Dataset,
    wish: Wish,
    *,
    source: Version,
    target: Branch,
    request: MergeRequest | None = None,
) -> Merge:
    """The job's row; small ones are left to the request. Raises PersonalDataInText, NothingToMerge, VersionLabelTaken.

    Whether the target may be written to is the caller's to ask.
    """
    refuse_personal_data(message=wish.message)
    if wish.source == target.name:
        raise NothingToMerge
    if wish.label and Version.objects.filter(dataset=dataset, label=wish.label).exists():
        raise VersionLabelTaken(label=wish.label)
    pk = uuid7()
    merge = Merge(
        id=pk,
        dataset=dataset,
        request=request,
        source_name=wish.source,
        source=source,
        target=target.name,
        ours=target.head,
        is_pinned=bool(wish.expected),
        strategy=wish.strategy,
        message=wish.message or f"Merged {wish.source} into {target.name}",
        label=wish.label,
        seed=seal_column("merge-seed", pk.bytes, secrets.token_bytes(32)),
        purpose=current_scope().purpose or "",
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "records": 0},
    )
    merge.save(force_insert=True)
    _wake(merge)
    return merge


def is_inline(merge: Merge) -> bool:
    """Whether the request that asked for the merge works on it itself; the reaper has it if that request dies."""
    sides = [version.record_count for version in (merge.source, merge.ours) if version is not None]
    return max(sides, default=0) <= INLINE_RECORDS


def _wake(merge: Merge) -> None:
    if not is_inline(merge):
        enqueue(merge)


def continue_merge(principal: Principal, *, merge_id: UUID) -> Merge:
    """Queue a merge again whose conflicts are all resolved, in the open scope.

    Raises MergeNotFound, AccessDenied, MergeNotWaiting, ConflictsLeft, BranchNotFound, BranchProtected.
    """
    merge = waiting_merge(principal, merge_id)
    _, left = count_conflicts(merge)
    if left:
        raise ConflictsLeft(conflicts=left)
    require_writable(merge.dataset, merge.target)
    merge.status, merge.outcome, merge.attempt = JobStatus.QUEUED, MergeOutcome.NONE, 0
    merge.finished_at, merge.lease_until = None, new_lease()
    merge.progress = {"stage": "queued", "records": 0}
    merge.save(update_fields=["status", "outcome", "attempt", "finished_at", "lease_until", "progress"])
    _wake(merge)
    return merge


def abandon_merge(principal: Principal, *, merge_id: UUID) -> None:
    """End a merge that waits for resolutions. Raises MergeNotFound, AccessDenied, MergeNotWaiting."""
    merge = waiting_merge(principal, merge_id)
    discard_merge(merge)
    merge.status, merge.outcome, merge.seed = JobStatus.CANCELLED, MergeOutcome.NONE, None
    merge.save(update_fields=["status", "outcome", "seed"])
    emit(merge_event(EventType.MERGE_FAILED, merge, merge.dataset, failure_reason="abandoned"))


def waiting_merge(principal: Principal, merge_id: UUID) -> Merge:
    """The merge, locked, if it waits for resolutions and ``principal`` may give them.

    Raises MergeNotFound, AccessDenied, MergeNotWaiting.
    """
    merge = get_merge(principal, merge_id, action="merge.write")
    authorize(principal, "merge.write", resource_of(merge.dataset))
    Merge.objects.select_for_update().filter(pk=merge.pk).values_list("pk").first()
    merge.refresh_from_db(fields=["status", "outcome"])
    if not merge.is_waiting:
        raise MergeNotWaiting
    return merge
