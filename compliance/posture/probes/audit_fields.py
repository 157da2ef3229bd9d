"""Fields of the audit: who did what to which thing, when, from where and with which result, also what was refused."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from access.errors import AccessDenied
from access.services.authorize import authorize
from audit.models import AuditEvent
from audit.selectors import read_body
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.selectors import resource_of
from vaultsite.kernel.events.buffer import EventBuffer
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

#: Of nobody: set aside for documentation (RFC 5737).
_ADDRESS: Final = "203.0.113.77"
_REQUEST: Final = "probe"
_LATE: Final = 5.0


def probe(tenant_id: UUID) -> Outcome:
    steward, nobody = actor(tenant_id, "data_steward"), actor(tenant_id)
    with sandbox(tenant_id, steward) as scope:
        scope.request = RequestFacts(request_id=_REQUEST, ip_address=_ADDRESS)
        dataset = probe_dataset(steward)
        EventBuffer.write(scope.events.surviving())
        made = _row(steward)
        breaches = [f"what was done has no {name}" for name in _missing(made, steward, dataset.pk, "success")]
        try:
            authorize(nobody, "dataset.delete", resource_of(dataset))
        except AccessDenied as refusal:
            recorded = scope.events.primary_after(refusal)
        else:
            raise Untried("somebody without a role was allowed to delete")
        if recorded is None:
            breaches.append("what was refused is not recorded")
        else:
            EventBuffer.write([replace(recorded, principal=nobody)])
            refused = _row(nobody)
            breaches += [f"what was refused has no {name}" for name in _missing(refused, nobody, dataset.pk, "denied")]
    return judged(breaches, events=2)


def _row(principal: Principal) -> AuditEvent | None:
    return AuditEvent.objects.filter(actor_id=principal.id).order_by("-time", "-id").first()


def _missing(row: AuditEvent | None, principal: Principal, dataset_id: UUID, status: str) -> Iterator[str]:
    """What PCI DSS 10.2.2 asks of an entry, of the columns that are searched and of the bytes that are signed."""
    if row is None:
        yield "entry"
        return
    body = read_body(row)
    said: Mapping[str, Any] = {
        "person": row.actor_id == principal.id and str(principal.id) in str(body["actor"]),
        "kind of event": bool(row.type) and body["event_type"] == row.type,
        "time": abs((timezone.now() - row.time).total_seconds()) < _LATE,
        "result": row.status == status,
        "origin": _ADDRESS in str(body) or _REQUEST in str(body["context"]),
        "thing it was done to": row.resource_id == str(dataset_id) and row.resource_id in str(body["resource"]),
    }
    yield from (name for name, is_said in said.items() if not is_said)
