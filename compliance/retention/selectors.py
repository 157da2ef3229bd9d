"""Reading policies, runs and announcements: row-level security shows a tenant its own."""

from collections.abc import Sequence
from uuid import UUID

from compliance.errors.retention import RetentionPolicyNotFound, RetentionRunNotFound
from compliance.models import (
    NoticeState,
    RetentionClock,
    RetentionNotice,
    RetentionPolicy,
    RetentionRun,
    RetentionStep,
    RetentionStoreStep,
)
from datasets.models import Masking


def policies_in_force() -> list[RetentionPolicy]:
    """Every policy that has not ended, the oldest first."""
    return list(RetentionPolicy.objects.filter(ended_at=None).order_by("id"))


def list_policies(*, limit: int, after: UUID | None = None) -> list[RetentionPolicy]:
    """At most ``limit`` policies in force, the oldest first, following the one of id ``after``."""
    rows = RetentionPolicy.objects.filter(ended_at=None).order_by("id")
    return list((rows.filter(pk__gt=after) if after else rows)[:limit])


def find_policy(policy_id: UUID) -> RetentionPolicy:
    """One in force. Raises RetentionPolicyNotFound."""
    found = RetentionPolicy.objects.filter(pk=policy_id, ended_at=None).first()
    if found is None:
        raise RetentionPolicyNotFound
    return found


def list_runs(*, limit: int, after: UUID | None = None) -> list[RetentionRun]:
    """At most ``limit`` runs, the newest first, following the one of id ``after``."""
    rows = RetentionRun.objects.order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def find_run(run_id: UUID) -> RetentionRun:
    """Raises RetentionRunNotFound."""
    found = RetentionRun.objects.filter(pk=run_id).first()
    if found is None:
        raise RetentionRunNotFound
    return found


def list_steps(run: RetentionRun, *, limit: int, after: UUID | None = None) -> list[RetentionStep]:
    """At most ``limit`` steps of a run in the order they were taken, following the one of id ``after``."""
    rows = RetentionStep.objects.filter(run=run).select_related("policy").order_by("id")
    return list((rows.filter(pk__gt=after) if after else rows)[:limit])


def maskings_of(steps: Sequence[RetentionStep]) -> dict[UUID, Masking]:
    """What anonymized their datasets, by its id; none of a dataset that is gone."""
    return Masking.objects.in_bulk([step.masking for step in steps if step.masking])


def list_store_steps(run: RetentionRun) -> list[RetentionStoreStep]:
    """What a run did about each store that had a term."""
    return list(RetentionStoreStep.objects.filter(run=run).order_by("store"))


def open_notices(dataset_ids: Sequence[UUID]) -> dict[UUID, RetentionNotice]:
    """What stands announced about these datasets, by dataset."""
    rows = RetentionNotice.objects.filter(dataset_id__in=dataset_ids, state=NoticeState.ANNOUNCED)
    rows = rows.select_related("policy")
    return {row.dataset_id: row for row in rows}


def next_notices(*, limit: int) -> list[RetentionNotice]:
    """What stands announced, the first whose grace period ends first."""
    rows = RetentionNotice.objects.filter(state=NoticeState.ANNOUNCED).select_related("policy")
    return list(rows.order_by("acts_after", "id")[:limit])


def count_open_notices() -> int:
    """Of how many datasets owners were told that a policy is about to act."""
    return RetentionNotice.objects.filter(state=NoticeState.ANNOUNCED).count()


def find_clock() -> RetentionClock | None:
    """The tenant's; None before its first policy."""
    return RetentionClock.objects.first()
