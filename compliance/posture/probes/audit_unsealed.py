"""Unsealed audit rows: no event waits for its place in the log longer than the sealer takes."""

from uuid import UUID

from django.conf import settings

from audit.proofs.rows import count_unsealed
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox


def probe(tenant_id: UUID) -> Outcome:
    grace = settings.VAULT["AUDIT_LATE_SECONDS"]
    with sandbox(tenant_id):
        waiting = count_unsealed(tenant_id, grace_seconds=grace)
    breaches = [f"{waiting} events are not sealed after {grace} s"] if waiting else []
    return judged(breaches, grace_seconds=grace)
