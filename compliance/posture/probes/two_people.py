"""Two people: who asks for access does not approve it."""

from uuid import UUID

from access.errors import SamePerson
from access.leases.terms import Terms
from access.models import Shown
from access.services.access_requests import approve_request, request_access
from access.services.policies_in_force import policies_in_force
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox


def probe(tenant_id: UUID) -> Outcome:
    steward, breaches = actor(tenant_id, "data_steward"), list[str]()
    with sandbox(tenant_id, steward):
        dataset = probe_dataset(steward)
        terms = Terms(level="read", shown=Shown.RAW, purpose=min(policies_in_force().purposes), seconds=3600)
        asked = request_access(steward, dataset_id=dataset.pk, terms=terms, justification="A probe asks for itself")
        try:
            approve_request(steward, request_id=asked.pk, reason="A probe approves itself")
        except SamePerson:
            pass
        else:
            breaches.append("somebody approved what they had asked for")
    return judged(breaches, attempts=1)
