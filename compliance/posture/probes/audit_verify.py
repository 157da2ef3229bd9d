"""Audit verify: the log is recomputed from its stored bytes and compared with every checkpoint and witness."""

import time
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from audit.models import AuditVerification
from audit.proofs.damage import Damage
from audit.proofs.heads import Trust
from audit.proofs.verification import LogVerification
from audit.proofs.witnessed import ask_witnesses
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import sandbox
from vaultsite.kernel.jobs import FINAL, JobStatus

#: A log that takes longer than this is left to the verification's own job, whose last end is looked at.
MOST_SECONDS: Final = 15.0
#: A verification that ended longer ago says nothing about the log of today.
MOST_AGE: Final = timedelta(hours=36)
#: Clocks differ by so much at most.
AHEAD: Final = timedelta(minutes=10)


def probe(tenant_id: UUID) -> Outcome:
    trust, answers = Trust.of(tenant_id), ask_witnesses(tenant_id)
    with sandbox(tenant_id):
        verification = LogVerification.begin(tenant_id, trust, answers)
        until = time.monotonic() + MOST_SECONDS
        while not verification.is_walked:
            if time.monotonic() > until:
                return _by_job(verification.target)
            verification.step()
        verification.conclude()
        # Events that wait for their seal have a probe of their own.
        found = [one for one in verification.findings if one.kind != Damage.UNSEALED]
    return judged(
        [f"{one.kind.value} at {one.seq}" for one in found],
        events=verification.walk.next_seq,
        checkpoints=verification.walk.compared,
        witnesses=len(verification.witnesses),
    )


def _by_job(events: int) -> Outcome:
    """By the newest verification that has ended: an older one that succeeded does not stand in for it."""
    last = AuditVerification.objects.filter(status__in=FINAL).order_by("-created_at").first()
    if last is None or last.status != JobStatus.SUCCEEDED or not _is_recent(last):
        raise Untried("the log is too long for this probe: start a verification of the audit")
    facts = {"events": events, "verified_by_job": last.verified, "job_ended_at": str(last.finished_at)}
    return judged([last.damage] if last.damage else [], **facts)


def _is_recent(verification: AuditVerification) -> bool:
    ended_at = verification.finished_at
    return ended_at is not None and -AHEAD <= timezone.now() - ended_at <= MOST_AGE
