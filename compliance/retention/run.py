"""A run: what is due is announced to owners, and what was announced and is past its grace period is done.

Every dataset is one transaction, under its lock, judged again there, and leaves a step of the run: a worker killed
anywhere is followed by one that goes on with the datasets that have none.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Now

from access.services.clock import database_now
from compliance.models import (
    NoticeState,
    RetentionAction,
    RetentionNotice,
    RetentionPolicy,
    RetentionRun,
    RetentionStep,
    RetentionStoreStep,
    StepOutcome,
)
from compliance.retention import anonymize
from compliance.retention.clock import trust_clock
from compliance.retention.evaluate import Judgement, judged, judgement_of
from compliance.retention.keeping import promise_all
from compliance.retention.selectors import open_notices, policies_in_force
from compliance.retention.store_pass import StorePass
from datasets.models import Dataset
from datasets.selectors import resource_of
from datasets.services.lifecycle import lock_dataset, put_away, remove_for_good, take_away
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import Claim, JobStatus
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID
from vaultsite.kernel.turn import take_turn

#: How long a run waits before it looks again whether somebody has confirmed the time.
CLOCK_WAIT: Final = timedelta(hours=1)
#: A worker gives its turn back after this long, so that other jobs come to theirs.
TURN_SECONDS: Final = 480.0
#: Datasets looked up at a time.
BATCH: Final = 100
_SERVER_FAULT: Final = 500

_ACTS: Final[Mapping[str, Callable[[Dataset], object]]] = MappingProxyType(
    {
        RetentionAction.ARCHIVE: put_away,
        RetentionAction.DELETE: lambda dataset: take_away(dataset, by=SYSTEM_PRINCIPAL_ID),
        RetentionAction.SHRED: lambda dataset: remove_for_good(dataset, by=SYSTEM_PRINCIPAL_ID),
    }
)


def run_retention(tenant_id: UUID, run_id: UUID) -> None:
    """Continue a run until every dataset that is due has its step, or until somebody has to confirm the time."""

    def work(run: RetentionRun, held: Claim) -> None:
        Pass(run, held).run()

    take_turn(RetentionRun, tenant_id, run_id, work)


@dataclass(frozen=True)
class Settled:
    """What became of one dataset in a run."""

    policy: RetentionPolicy
    action: str
    outcome: StepOutcome
    error_code: str = ""
    masking: UUID | None = None


class Pass:
    """One worker's hold on one run."""

    def __init__(self, run: RetentionRun, held: Claim) -> None:
        self._run = run
        self._claim = held

    def run(self) -> None:
        if not self._may_begin():
            return
        deadline = time.monotonic() + TURN_SECONDS
        while due := self._next_batch():
            for dataset_id in due:
                self._settle(dataset_id)
            if time.monotonic() > deadline:
                self._claim.give_turn_back(self._run)
                return
        stores = StorePass(self._run, self._claim)
        while stores.settle_next():
            if time.monotonic() > deadline:
                self._claim.give_turn_back(self._run)
                return
        self._finish()

    def _may_begin(self) -> bool:
        with self._claim.scope():
            if not trust_clock():
                waits = {"status": JobStatus.QUEUED, "lease_until": Now() + CLOCK_WAIT, "attempt": 0}
                self._claim.save(**waits, progress={"stage": "clock"})
                return False
            promise_all()
            self._claim.save(progress={"stage": "datasets"})
        return True

    def _next_batch(self) -> list[UUID]:
        """Datasets that are due or announced and have no step in this run; also those that are gone."""
        with self._claim.scope():
            policies = policies_in_force()
            steps = RetentionStep.objects.filter(run=self._run)
            known = RetentionNotice.objects.filter(state=NoticeState.ANNOUNCED)
            known = known.exclude(Exists(steps.filter(dataset_id=OuterRef("dataset_id"))))
            found = set(known.order_by("dataset_id").values_list("dataset_id", flat=True)[:BATCH])
            due = judged(policies).filter(acts_at__lte=Now()).exclude(Exists(steps.filter(dataset_id=OuterRef("pk"))))
            found |= set(due.order_by("pk").values_list("pk", flat=True)[:BATCH])
        return sorted(found)[:BATCH]

    def _settle(self, dataset_id: UUID) -> None:
        """One dataset, under its lock: judged again, because everything may have changed since it was found."""
        with self._claim.scope():
            dataset = lock_dataset(dataset_id)
            judgement = _judge(dataset)
            notice = open_notices([dataset_id]).get(dataset_id)
            settled = _begun(dataset, notice) or _settle(dataset, judgement, notice)
            if settled is not None:
                RetentionStep.objects.create(run=self._run, dataset_id=dataset_id, **vars(settled))
            self._claim.save(attempt=0)  # honest progress

    def _finish(self) -> None:
        with self._claim.scope():
            steps = RetentionStep.objects.filter(run=self._run).order_by()
            counts: Counter[str] = Counter()
            for action, outcome, number in steps.values_list("action", "outcome").annotate(Count("id")):
                counts[f"{outcome}:{action}" if outcome == StepOutcome.APPLIED else outcome] += number
            for store in RetentionStoreStep.objects.filter(run=self._run, ended__gt=0):
                counts[f"ended:{store.store}"] = store.ended
            self._claim.finish(counts=dict(counts), progress={"stage": "done"})


def _judge(dataset: Dataset | None) -> Judgement | None:
    """What is due of a locked dataset at this moment, by the database's clock; None: nothing."""
    if dataset is None or dataset.deleted_at is not None:
        return None
    policies = policies_in_force()
    row = judged(policies).filter(Q(pk=dataset.pk), acts_at__lte=Now()).first()
    return judgement_of(row, policies) if row is not None else None


def _settle(dataset: Dataset | None, judgement: Judgement | None, notice: RetentionNotice | None) -> Settled | None:
    """Announce, wait, act or withdraw; None where nothing is due and nothing was announced."""
    policy = judgement.policy if judgement else None
    if dataset is None or policy is None:
        if notice is None:
            return None
        _end(notice, NoticeState.WITHDRAWN)
        return Settled(notice.policy, notice.action, StepOutcome.WITHDRAWN)
    if notice is not None and (notice.policy_id, notice.revision) != (policy.pk, policy.revision):
        _end(notice, NoticeState.WITHDRAWN)
        notice = None
    if notice is None and policy.action == RetentionAction.ANONYMIZE and anonymize.is_needless(dataset):
        return None
    if notice is None:
        _announce(dataset, policy)
        return Settled(policy, policy.action, StepOutcome.ANNOUNCED)
    if notice.acts_after > database_now():
        return Settled(policy, policy.action, StepOutcome.WAITING)
    return _act(dataset, policy, notice)


def _announce(dataset: Dataset, policy: RetentionPolicy) -> None:
    acts_after = database_now() + timedelta(days=policy.grace_days)
    RetentionNotice.objects.create(
        dataset_id=dataset.pk, policy=policy, revision=policy.revision, action=policy.action, acts_after=acts_after
    )
    facts = {"owner": str(dataset.created_by), "acts_after": acts_after.isoformat()}
    emit(_fact(EventType.RETENTION_ANNOUNCED, dataset, policy, facts))


def _act(dataset: Dataset, policy: RetentionPolicy, notice: RetentionNotice) -> Settled:
    """Do it; what a hold or a minimum forbids is said so, and tried again by the next run."""
    if policy.action == RetentionAction.ANONYMIZE:
        return _anonymize(dataset, policy, notice)
    facts = {"announced_at": notice.announced_at.isoformat()}
    applied = _fact(EventType.RETENTION_APPLIED, dataset, policy, facts)
    try:
        _ACTS[policy.action](dataset)
    except VaultError as refusal:
        if refusal.status >= _SERVER_FAULT:
            raise
        return Settled(policy, policy.action, StepOutcome.REFUSED, refusal.code)
    emit(applied)
    _end(notice, NoticeState.APPLIED)
    return Settled(policy, policy.action, StepOutcome.APPLIED)


def _anonymize(dataset: Dataset, policy: RetentionPolicy, notice: RetentionNotice) -> Settled:
    """Begin it; what was refused in the meantime is said so, and tried again with this."""
    try:
        failure = anonymize.begin(dataset, notice)
    except VaultError as refusal:
        if refusal.status >= _SERVER_FAULT:
            raise
        return Settled(policy, policy.action, StepOutcome.REFUSED, refusal.code)
    outcome = StepOutcome.REFUSED if failure else StepOutcome.STARTED
    return Settled(policy, policy.action, outcome, failure, notice.masking)


def _begun(dataset: Dataset | None, notice: RetentionNotice | None) -> Settled | None:
    """What became of an anonymization that was begun: it goes on, whatever is asked for now; None: there is none."""
    masking = anonymize.masking_of(notice) if notice is not None else None
    if dataset is None or notice is None or masking is None:
        return None
    if anonymize.is_under_way(masking):
        return Settled(notice.policy, notice.action, StepOutcome.STARTED, masking=masking.pk)
    if not anonymize.is_done(masking):
        return None
    facts: dict[str, str | int] = {
        "announced_at": notice.announced_at.isoformat(),
        "masked": masking.masked_count,
        "erased": masking.erased_count,
        "versions": masking.version_count,
    }
    emit(_fact(EventType.RETENTION_APPLIED, dataset, notice.policy, facts))
    _end(notice, NoticeState.APPLIED)
    return Settled(notice.policy, notice.action, StepOutcome.APPLIED, masking=masking.pk)


def _end(notice: RetentionNotice, state: NoticeState) -> None:
    RetentionNotice.objects.filter(pk=notice.pk).update(state=state, ended_at=Now())


def _fact(kind: EventType, dataset: Dataset, policy: RetentionPolicy, facts: Mapping[str, str | int]) -> Event:
    named = {"policy_id": str(policy.pk), "revision": policy.revision, "action": policy.action}
    destroys = kind is EventType.RETENTION_APPLIED and policy.action != RetentionAction.ARCHIVE
    return Event(
        kind, operation="delete" if destroys else "update", resource=resource_of(dataset), metadata=named | dict(facts)
    )
