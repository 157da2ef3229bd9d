"""What every change of a hold begins and ends with: the decision under the lock, and the event."""

from typing import Any
from uuid import UUID

from access.services.assurance import require_step_up, sign_in_rules
from access.services.authorize import authorize
from compliance.holds.selectors import find_hold
from compliance.models import LegalHold
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def hold_to_decide(principal: Principal, hold_id: UUID, *, action: str) -> LegalHold:
    """The hold, decided on for ``action`` and locked until the open scope ends.

    Raises HoldNotFound, AccessDenied, StepUpRequired.
    """
    found = find_hold(principal, hold_id, action=action)
    authorize(principal, action, ResourceRef("legal_hold", str(found.pk)))
    require_step_up(principal, sign_in_rules().step_up)
    return LegalHold.objects.select_for_update(no_key=True).get(pk=found.pk)


def hold_event(kind: EventType, hold: LegalHold, **facts: Any) -> Event:
    """What happened to a hold: its matter and how much of which datasets, never why or about whom."""
    scopes = list(hold.scopes.all())
    told = {
        "matter": hold.matter,
        "state": hold.state,
        "datasets": sorted({str(scope.dataset_id) for scope in scopes}),
        "kinds": sorted({str(scope.kind) for scope in scopes}),
    }
    return Event(
        kind,
        operation="write" if kind is EventType.HOLD_PLACED else "update",
        resource=ResourceRef("legal_hold", str(hold.pk)),
        severity="warning",
        metadata=told | facts,
    )
