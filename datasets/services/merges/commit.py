"""How a merge ends: in a version, in a branch that moved forward, in conflicts, or in an error."""

from dataclasses import replace
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from datasets.errors.merges import MergeRequestEnded
from datasets.models import (
    Blob,
    BlobKind,
    BlobState,
    Dataset,
    Merge,
    MergeConflict,
    MergeOutcome,
    MergeRequest,
    RequestState,
    Version,
    VersionKind,
)
from datasets.selectors import resource_of
from datasets.services.branches import get_branch, require_writable
from datasets.services.commit import NewVersion, commit_version, discard_packs, keep_packs
from datasets.services.merges.build import Built
from datasets.services.merges.plan import Progress
from datasets.services.merges.resolutions import resolvers_of
from datasets.services.suppression import flag_returns_of
from datasets.services.writable import hold_open
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Outcome, Severity
from vaultsite.kernel.jobs import Claim


def commit_merge(
    merge: Merge, claim: Claim, ours: Version, theirs: Version, built: Built, *, progress: Progress, seed: SecretKey
) -> bool:
    """Commit the version and finish the job in one transaction; False when it must be worked out again.

    Raises BranchProtected when the target became so in the meantime, VersionLabelTaken.
    """
    facts = result_of(built, progress)
    new = NewVersion(
        dataset_id=merge.dataset_id,
        branch=merge.target,
        kind=VersionKind.MERGE,
        head=ours,
        merged=theirs,
        epoch=progress.epoch,
        tree=built.result.tree,
        sealed_bytes=built.sealed_bytes,
        profile_change=built.profile_change,
        author=merge.requested_by,
        created_at=merge.created_at,
        seed=seed,
        label=merge.label,
        message=merge.message,
        purpose=merge.purpose,
        facts={"merge": str(merge.pk), "taken": facts["taken"], "merged": facts["merged"]},
    )
    with claim.scope():
        hold_target(merge)
        version = commit_version(replace(new, contributors=resolvers_of(merge)))
        if version is None:
            return False
        keep_packs(merge.pk)
        flag_returns_of(merge.pk, version.dataset, cause=version.kind)
        _end(merge, claim, version, MergeOutcome.MERGED, facts)
    return True


def hold_target(merge: Merge) -> Dataset:
    """The dataset, locked and open, with a target that may move: by a request that is still open, or without one.

    Raises DatasetNotFound, DatasetArchived, BranchProtected, MergeRequestEnded.
    """
    dataset = hold_open(merge.dataset_id)
    if merge.request_id is None:
        require_writable(dataset, merge.target)
    else:
        state = MergeRequest.objects.values_list("state", flat=True).get(pk=merge.request_id)
        if state != RequestState.OPEN:
            raise MergeRequestEnded(state=state)
    return dataset


def move_forward(merge: Merge, claim: Claim, ours: Version | None, theirs: Version) -> bool:
    """Point the target, which the source comes from, at the source; False when the target moved."""
    with claim.scope():
        dataset = hold_target(merge)
        branch = get_branch(dataset, merge.target)
        if branch.head_id != (ours.pk if ours else None):
            return False
        branch.head, branch.moved_at = theirs, timezone.now()
        branch.save()
        Dataset.objects.filter(pk=dataset.pk).update(updated_at=timezone.now())
        _end(merge, claim, theirs, MergeOutcome.FAST_FORWARD, {})
    return True


def leave_unchanged(merge: Merge, claim: Claim, ours: Version) -> None:
    """The target has everything of the source already."""
    with claim.scope():
        _end(merge, claim, ours, MergeOutcome.UNCHANGED, {})


def _end(merge: Merge, claim: Claim, version: Version, outcome: MergeOutcome, facts: dict[str, Any]) -> None:
    """Finish the job in the open scope; nothing sealed for it stays."""
    dataset = Dataset.objects.get(pk=merge.dataset_id)
    end_temporaries(merge)
    MergeConflict.objects.filter(merge=merge).update(record=None, secret=None)
    stage = {"stage": "done", "records": facts.get("merged", 0)}
    claim.finish(version=version, outcome=outcome, seed=None, checkpoint={}, result=facts, progress=stage)
    told = {"outcome": str(outcome)} | {name: value for name, value in facts.items() if name != "erased_ids"}
    emit(merge_event(EventType.MERGED, merge, dataset, version, **told))
    if merge.request_id is not None:
        request = MergeRequest.objects.filter(pk=merge.request_id)
        request.update(state=RequestState.MERGED, version=version, ended_by=merge.requested_by, ended_at=Now())


def end_conflicted(merge: Merge, claim: Claim, progress: Progress) -> None:
    """Wait for somebody to resolve the conflicts: the sealed seed stays, everything else is made again."""
    with claim.scope():
        discard_packs(merge.pk)
        end_temporaries(merge)
        told = {"stage": "conflicts", "records": progress.records, "conflicts": progress.conflicts}
        claim.finish(outcome=MergeOutcome.CONFLICTED, checkpoint={}, progress=told)
        dataset = Dataset.objects.get(pk=merge.dataset_id)
        emit(merge_event(EventType.MERGE_CONFLICTED, merge, dataset, severity="warning", conflicts=progress.conflicts))


def fail_merge(merge: Merge, claim: Claim, error: VaultError) -> None:
    """End the merge with ``error``; nothing of it stays but its row."""
    with claim.scope():
        discard_merge(merge)
        claim.fail(error, seed=None, checkpoint={})
        dataset, code = Dataset.objects.get(pk=merge.dataset_id), error.code
        emit(
            merge_event(
                EventType.MERGE_FAILED, merge, dataset, status="failure", severity="warning", failure_reason=code
            )
        )


def discard_merge(merge: Merge) -> None:
    """Inside a scope: remove every row that an ended merge left, and mark its objects dead."""
    discard_packs(merge.pk)
    end_temporaries(merge)
    MergeConflict.objects.filter(merge=merge).delete()


def end_temporaries(merge: Merge) -> None:
    Blob.objects.filter(job=merge.pk, kind=BlobKind.RUN).update(state=BlobState.DEAD)


def result_of(built: Built, progress: Progress) -> dict[str, Any]:
    """What a merge did: counts, and the ids of records that stayed away because they were erased."""
    result, tree = built.result, built.result.tree
    return {
        "taken": result.taken,
        "merged": result.merged,
        "collisions": result.collisions,
        "added": tree.added,
        "replaced": tree.replaced,
        "removed": tree.removed,
        "erased": progress.erased,
        "erased_ids": progress.erased_ids,
        "new_chunks": len(tree.new_chunks),
    }


def merge_event(
    kind: EventType,
    merge: Merge,
    dataset: Dataset,
    version: Version | None = None,
    *,
    status: Outcome = "success",
    severity: Severity = "info",
    failure_reason: str = "",
    **facts: Any,
) -> Event:
    told = {
        "merge": str(merge.pk),
        "source": merge.source_name,
        "target": merge.target,
        "requested_by": str(merge.requested_by),
        **({"merge_request": str(merge.request_id)} if merge.request_id else {}),
    }
    return Event(
        type=kind,
        operation="write",
        status=status,
        severity=severity,
        failure_reason=failure_reason,
        resource=resource_of(dataset, version),
        purpose=merge.purpose,
        metadata=told | facts,
    )
