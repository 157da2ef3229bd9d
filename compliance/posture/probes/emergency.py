"""Emergency access: two people open it, everybody concerned is told aloud, and it can be ended."""

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from access.errors import AccessDenied, SamePerson
from access.models import BreakGlass
from access.services.authorize import authorize
from access.services.break_glass import call_emergency, confirm_emergency, end_emergency, note_emergency_use
from access.services.policies_in_force import policies_in_force
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import actor, probe_dataset, sandbox
from datasets.selectors import resource_of
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_READ: Final = "record.read"
_TOLD: Final = (EventType.EMERGENCY_REQUESTED, EventType.EMERGENCY_GRANTED, EventType.EMERGENCY_USED)


def probe(tenant_id: UUID) -> Outcome:
    steward, caller = actor(tenant_id, "data_steward"), actor(tenant_id, "ml_engineer", "tenant_admin")
    second, breaches = actor(tenant_id, "tenant_admin"), list[str]()
    with sandbox(tenant_id, caller) as scope:
        resource = resource_of(probe_dataset(steward))
        assert resource.dataset_id is not None
        purpose = min(policies_in_force().purposes)
        call = call_emergency(
            caller, dataset_id=resource.dataset_id, purpose=purpose, reason="A probe of the vault itself", seconds=60
        )
        if _is_raw(caller, resource, purpose):
            breaches.append("a call opened data before anybody confirmed it")
        if _is_confirmed(caller, call):
            breaches.append("somebody confirmed their own call")
        confirm_emergency(second, call_id=call.pk)
        if not _is_raw(caller, resource, purpose):
            raise Untried("an emergency that was confirmed did not open")
        loud = {one.event.type for one in scope.events.surviving() if one.event.severity == "critical"}
        breaches += [f"{kind.value} was not told aloud" for kind in _TOLD if kind not in loud]
        end_emergency(second, call_id=call.pk)
        if _is_raw(caller, resource, purpose):
            breaches.append("an emergency that was ended went on")
    return judged(breaches, attempts=3, events=len(_TOLD))


def _is_confirmed(caller: Principal, call: BreakGlass) -> bool:
    """Whether the caller can confirm their own call, which is undone."""
    try:
        with transaction.atomic():
            confirm_emergency(caller, call_id=call.pk)
            transaction.set_rollback(True)
    except (SamePerson, IntegrityError):
        return False
    return True


def _is_raw(reader: Principal, resource: ResourceRef, purpose: str) -> bool:
    """Whether the emergency itself lets the reader in: roles of theirs may show the data masked."""
    try:
        decision = authorize(reader, _READ, resource, purpose=purpose)
    except AccessDenied:
        return False
    note_emergency_use(decision, resource, action=_READ)
    return any(one.startswith("break_glass:") for one in decision.policy_ids)
