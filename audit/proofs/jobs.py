"""Verification as a job: asked for, continued from its checkpoint, remembered."""

import time
from typing import Any, Final
from uuid import UUID

from access.services.authorize import authorize
from audit.alerts.open import raise_alert, resolve_cause
from audit.models import AuditVerification
from audit.proofs.damage import MEANINGS, Damage, Finding
from audit.proofs.errors import VerificationNotFound, VerificationUnderWay
from audit.proofs.heads import Trust
from audit.proofs.verification import LogVerification
from audit.proofs.witnessed import ask_witnesses
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef, Severity
from vaultsite.kernel.jobs import FINAL, Claim, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.turn import take_turn

#: Kind and cause of the alert that a damaged log raises.
ALERT: Final = "verification.failed"
_CAUSE: Final = "log"
#: How long one turn of a worker lasts; the next one goes on from the checkpoint.
TURN_SECONDS: Final = 300.0
#: Runs shown.
HISTORY: Final = 20
_READ: Final = "audit.verify"


def start_verification(principal: Principal) -> AuditVerification:
    """Queue a verification of the caller's organization. Raises AccessDenied, VerificationUnderWay."""
    authorize(principal, _READ, _log(), facts={"verification": "start"})
    if AuditVerification.objects.exclude(status__in=FINAL).exists():
        raise VerificationUnderWay
    job = AuditVerification.objects.create(requested_by=principal.id, lease_until=new_lease())
    enqueue(job)
    return job


def get_verification(principal: Principal, *, verification_id: UUID) -> AuditVerification:
    """Raises AccessDenied, VerificationNotFound."""
    authorize(principal, _READ, _log(), facts={"verification": str(verification_id)})
    found = AuditVerification.objects.filter(pk=verification_id).first()
    if found is None:
        raise VerificationNotFound
    return found


def list_verifications(principal: Principal) -> list[AuditVerification]:
    """The latest runs, the newest first. Raises AccessDenied."""
    authorize(principal, _READ, _log())
    return list(AuditVerification.objects.order_by("-created_at", "-pk")[:HISTORY])


def run_verification(tenant_id: UUID, verification_id: UUID) -> None:
    """Continue a verification from its checkpoint until it ends or is taken over by another worker."""
    take_turn(AuditVerification, tenant_id, verification_id, _run, fail=_fail)


def _run(job: AuditVerification, held: Claim) -> None:
    trust = Trust.of(held.tenant_id)
    answers = ask_witnesses(held.tenant_id) if not job.checkpoint else []
    with held.scope():
        verification = (
            LogVerification.resume(held.tenant_id, trust, job.checkpoint, job.findings)
            if job.checkpoint
            else LogVerification.begin(held.tenant_id, trust, answers)
        )
        held.save(target=verification.target, **_state(verification))
    until = time.monotonic() + TURN_SECONDS
    while not verification.is_walked:
        if time.monotonic() > until:
            held.give_turn_back(job)
            return
        with held.scope():
            verification.step()
            held.save(**_state(verification))
    with held.scope():
        verification.conclude()
        tell(verification)
        held.finish(**_outcome(verification))


def _state(verification: LogVerification) -> dict[str, Any]:
    walk, target = verification.walk, verification.target
    return {
        "checkpoint": verification.as_json(),
        "progress": _progress(verification, min(99, 100 * walk.next_seq // (target or 1))),
        "verified": walk.next_seq,
        "checkpoints": walk.compared,
        "witnesses": verification.as_json()["witnesses"],
        "findings": [found.as_json() for found in verification.findings],
    }


def _progress(verification: LogVerification, percent: int) -> dict[str, Any]:
    """How far it is, how many events came from the archive, and how many are gone under retention, up to which."""
    walk = verification.walk
    return {
        "percent": percent,
        "verified": walk.next_seq,
        "target": verification.target,
        "archived": walk.archived,
        "removed": walk.removed,
        "removed_to": walk.removed_to,
    }


def _outcome(verification: LogVerification) -> dict[str, Any]:
    first: Finding | None = next(iter(verification.findings), None)
    return _state(verification) | {
        "checkpoint": {},
        "progress": _progress(verification, 100),
        "first_bad_seq": first.seq if first else None,
        "damage": first.kind if first else "",
    }


def tell(verification: LogVerification) -> None:
    """Let the audit know what was found, and raise or end the alert. Inside a scope.

    Only what a witness confirmed ends it: the database alone cannot clear itself.
    """
    first = next(iter(verification.findings), None)
    facts: dict[str, Any] = {
        "leaves": verification.walk.next_seq,
        "checkpoints": verification.walk.compared,
        "witnesses": len(verification.witnesses),
        "is_witnessed": verification.is_witnessed,
    }
    if first is None:
        severity: Severity = "info" if verification.is_witnessed else "warning"
        emit(Event(EventType.AUDIT_VERIFIED, operation="read", resource=_log(), severity=severity, metadata=facts))
        if verification.is_witnessed:
            resolve_cause(ALERT, _CAUSE)
        return
    facts |= {"first_bad_seq": first.seq, "damage": first.kind.value, "findings": len(verification.findings)}
    emit(
        Event(
            EventType.AUDIT_VERIFIED,
            operation="read",
            resource=_log(),
            status="failure",
            severity="critical",
            failure_reason=first.kind.value,
            metadata=facts,
        )
    )
    summary = f"From sequence number {first.seq} on: {first.meaning}"
    raise_alert(kind=ALERT, cause=_CAUSE, severity="critical", facts=facts, summary=summary)


def tell_damage(seq: int, kind: Damage, found_by: str) -> None:
    """Raise the verification's alert for damage that something else came upon. Inside a scope."""
    facts = {"first_bad_seq": seq, "damage": kind.value, "found_by": found_by}
    summary = f"At sequence number {seq}: {MEANINGS[kind]}"
    raise_alert(kind=ALERT, cause=_CAUSE, severity="critical", facts=facts, summary=summary)


def _fail(_job: AuditVerification, held: Claim, error: VaultError) -> None:
    """A log that could not be looked at is no log that is damaged: the row and the audit say so."""
    event = Event(EventType.AUDIT_VERIFIED, operation="read", resource=_log())
    with held.scope():
        emit(event.ended_by(error))
        held.fail(error)


def _log() -> ResourceRef:
    return ResourceRef("audit_log")
