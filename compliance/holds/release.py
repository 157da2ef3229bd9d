"""Release a hold: one person asks, another agrees, and neither is whom it is about."""

from uuid import UUID

from django.db.models.functions import Now

from access.leases.errors import PersonRequired
from access.services.access_requests import require_other_person
from compliance.errors.holds import CustodianOfHold, HoldStateConflict
from compliance.holds.deciding import hold_event, hold_to_decide
from compliance.holds.selectors import find_hold
from compliance.holds.telling import tell_of_end
from compliance.holds.texts import checked_text, seal_text
from compliance.models import LegalHold
from datasets.services.holds import lift_marks
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal


def request_release(principal: Principal, *, hold_id: UUID, reason: str) -> LegalHold:
    """Ask for the end of a hold; it keeps everything until another person agrees.

    Raises HoldNotFound, AccessDenied, StepUpRequired, PersonRequired, CustodianOfHold, HoldStateConflict, InvalidInput.
    """
    hold = hold_to_decide(principal, hold_id, action="hold.place")
    _require_no_part(principal, hold)
    if hold.state not in {"placed", "confirmed"}:
        raise HoldStateConflict
    sealed = seal_text(hold.pk, "release", checked_text("reason", reason))
    LegalHold.objects.filter(pk=hold.pk).update(
        release_reason=sealed, release_requested_by=principal.id, release_requested_at=Now()
    )
    return _told(principal, hold.pk, EventType.HOLD_RELEASE_REQUESTED)


def withdraw_release(principal: Principal, *, hold_id: UUID) -> LegalHold:
    """Take back that it was asked for, or refuse it: the hold stands as before.

    Raises HoldNotFound, AccessDenied, StepUpRequired, HoldStateConflict.
    """
    hold = hold_to_decide(principal, hold_id, action="hold.confirm")
    if hold.state != "releasing":
        raise HoldStateConflict
    LegalHold.objects.filter(pk=hold.pk).update(
        release_reason=None, release_requested_by=None, release_requested_at=None
    )
    return _told(principal, hold.pk, EventType.HOLD_RELEASE_WITHDRAWN)


def confirm_release(principal: Principal, *, hold_id: UUID) -> LegalHold:
    """Agree as another person: what no other hold keeps can be deleted again.

    Raises HoldNotFound, AccessDenied, StepUpRequired, PersonRequired, SamePerson, CustodianOfHold, HoldStateConflict.
    """
    hold = hold_to_decide(principal, hold_id, action="hold.confirm")
    _require_no_part(principal, hold)
    if hold.release_requested_by is None or hold.released_at is not None:
        raise HoldStateConflict
    require_other_person(principal, hold.release_requested_by)
    freed = lift_marks(hold.pk)
    LegalHold.objects.filter(pk=hold.pk).update(released_by=principal.id, released_at=Now())
    return _told(
        principal,
        hold.pk,
        EventType.HOLD_RELEASED,
        release_requested_by=str(hold.release_requested_by),
        freed=[str(dataset_id) for dataset_id in freed],
        told=tell_of_end(hold.pk),
    )


def _require_no_part(principal: Principal, hold: LegalHold) -> None:
    if principal.kind != "user":
        raise PersonRequired
    if principal.id == hold.custodian:
        raise CustodianOfHold


def _told(principal: Principal, hold_id: UUID, kind: EventType, **facts: object) -> LegalHold:
    hold = find_hold(principal, hold_id)
    emit(hold_event(kind, hold, **facts))
    return hold
