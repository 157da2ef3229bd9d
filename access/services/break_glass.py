"""Access in an emergency: called for by one person, opened by a second, looked at by a third."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from access.lease_selectors import hidden, within
from access.leases.errors import EmergencyClosed, EmergencyNotFound, LeaseOver, PersonRequired
from access.leases.terms import Terms, dataset_of, refuse_problems, text_problem
from access.models import BreakGlass, LeaseKind, Shown
from access.policy.decision import Decision
from access.ports import dataset_directory
from access.selectors import is_known_purpose, may
from access.services.access_requests import require_other_person
from access.services.authorize import authorize
from access.services.leases import end_lease, make_lease
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def call_emergency(principal: Principal, *, dataset_id: UUID, purpose: str, reason: str, seconds: int) -> BreakGlass:
    """Call for raw access; it opens nothing before another person confirms it. Only people call.

    Raises the directory's not-found error and its refusal of personal data, AccessDenied, PersonRequired, InvalidInput.
    """
    resource = dataset_directory().find(principal, dataset_id, action="emergency.request")
    authorize(principal, "emergency.request", resource, facts={"seconds": seconds})
    if principal.kind != "user":
        raise PersonRequired
    longest = settings.BREAK_GLASS_MAX_HOURS * 3600
    refuse_problems(
        {
            "purpose": "" if is_known_purpose(purpose) else "not in the registry of purposes",
            "reason": text_problem(reason),
            "seconds": "" if 60 <= seconds <= longest else f"from 60 to {longest} seconds",  # noqa: PLR2004 - a minute
        }
    )
    dataset_directory().refuse_personal_data(reason=reason)
    call = BreakGlass.objects.create(
        requester=principal.id,
        requester_kind="user",
        dataset_id=dataset_of(resource),
        purpose=purpose,
        reason=reason.strip(),
        seconds=seconds,
        confirm_by=Now() + timedelta(minutes=settings.BREAK_GLASS_CONFIRM_MINUTES),
    )
    call.refresh_from_db()
    emit(_loud(EventType.EMERGENCY_REQUESTED, call, resource, {"seconds": seconds}))
    return call


def confirm_emergency(principal: Principal, *, call_id: UUID) -> BreakGlass:
    """Open it as the second person: the lease begins now.

    Raises EmergencyNotFound, AccessDenied, PersonRequired, SamePerson, EmergencyClosed.
    """
    call, resource = _waiting(principal, call_id, change="confirm")
    terms = Terms("read", Shown.RAW, call.purpose, call.seconds)
    lease = make_lease(
        resource,
        terms,
        holder=call.requester,
        holder_kind=call.requester_kind,
        granted_by=[principal.id],
        kind=LeaseKind.BREAK_GLASS,
    )
    BreakGlass.objects.filter(pk=call.pk).update(confirmed_by=principal.id, confirmed_at=Now(), lease=lease)
    call = _reloaded(call)
    facts = {"confirmed_by": str(principal.id), "lease": str(lease.pk), "expires_at": lease.expires_at.isoformat()}
    emit(_loud(EventType.EMERGENCY_GRANTED, call, resource, facts))
    return call


def refuse_emergency(principal: Principal, *, call_id: UUID) -> BreakGlass:
    """Refuse it as the second person. Raises as ``confirm_emergency``."""
    call, resource = _waiting(principal, call_id, change="refuse")
    BreakGlass.objects.filter(pk=call.pk).update(refused_by=principal.id, refused_at=Now())
    call = _reloaded(call)
    emit(_loud(EventType.EMERGENCY_REFUSED, call, resource, {"refused_by": str(principal.id)}))
    return call


def end_emergency(principal: Principal, *, call_id: UUID) -> BreakGlass:
    """Close it before its end: who called, or who may confirm. Raises EmergencyNotFound, AccessDenied, LeaseOver."""
    call = find_emergency(principal, call_id)
    resource = _resource(call)
    action = "emergency.request" if call.requester == principal.id else "emergency.confirm"
    authorize(principal, action, resource, facts={"emergency": str(call.pk), "change": "end"})
    if call.lease is None:
        raise LeaseOver
    end_lease(call.lease, resource, by=principal.id, reason="the emergency is over")
    return find_emergency(principal, call_id)


def review_emergency(principal: Principal, *, call_id: UUID, note: str) -> BreakGlass:
    """Say afterwards, as a third person, what became of it.

    Raises EmergencyNotFound, AccessDenied, PersonRequired, SamePerson, EmergencyClosed, InvalidInput, and the
    directory's refusal of personal data.
    """
    call = find_emergency(principal, call_id)
    resource = _resource(call)
    authorize(principal, "emergency.confirm", resource, facts={"emergency": str(call.pk), "change": "review"})
    for first in (call.requester, call.confirmed_by):
        if first is not None:
            require_other_person(principal, first)
    refuse_problems({"note": text_problem(note)})
    dataset_directory().refuse_personal_data(note=note)
    open_ones = BreakGlass.objects.filter(pk=call.pk, reviewed_at=None).exclude(confirmed_at=None)
    if not open_ones.update(reviewed_by=principal.id, reviewed_at=Now(), review_note=note.strip()):
        raise EmergencyClosed
    call = _reloaded(call)
    emit(_loud(EventType.EMERGENCY_REVIEWED, call, resource, {"reviewed_by": str(principal.id)}))
    return call


def note_emergency_use(decision: Decision, resource: ResourceRef, *, action: str) -> None:
    """Say aloud that data is read under an emergency, in the scope of the decision that rests on it."""
    leases = [UUID(one.removeprefix("break_glass:")) for one in decision.policy_ids if one.startswith("break_glass:")]
    for call in BreakGlass.objects.filter(lease__in=leases) if leases else ():
        emit(_loud(EventType.EMERGENCY_USED, call, resource, {"lease": str(call.lease_id), "action": action}))


def find_emergency(principal: Principal, call_id: UUID) -> BreakGlass:
    """One's own call, or anybody's for who may read them. Raises EmergencyNotFound, recorded as a refusal."""
    call = BreakGlass.objects.select_related("lease").filter(within(principal), pk=call_id).first()
    if call is None or not (call.requester == principal.id or _may_read(principal)):
        raise hidden(EmergencyNotFound(), ResourceRef("emergency", str(call_id)))
    return call


def list_emergencies(principal: Principal, *, limit: int) -> list[BreakGlass]:
    """Newest first; of others only for who may confirm or oversee."""
    rows = BreakGlass.objects.filter(within(principal)).select_related("lease").order_by("-id")
    rows = rows if _may_read(principal) else rows.filter(requester=principal.id)
    return list(rows[:limit])


def _reloaded(call: BreakGlass) -> BreakGlass:
    """With its lease, as it is now."""
    return BreakGlass.objects.select_related("lease").get(pk=call.pk)


def _may_read(principal: Principal) -> bool:
    return may(principal, "emergency.confirm") or may(principal, "access.read")


def _waiting(principal: Principal, call_id: UUID, *, change: str) -> tuple[BreakGlass, ResourceRef]:
    """The call to be decided on by somebody else, its row locked."""
    found = find_emergency(principal, call_id)
    resource = _resource(found)
    authorize(principal, "emergency.confirm", resource, facts={"emergency": str(found.pk), "change": change})
    require_other_person(principal, found.requester)
    rows = BreakGlass.objects.select_for_update(no_key=True).filter(pk=found.pk, confirmed_at=None, refused_at=None)
    call = rows.filter(confirm_by__gt=Now()).first()
    if call is None:
        raise EmergencyClosed
    return call, resource


def _resource(call: BreakGlass) -> ResourceRef:
    known = dataset_directory().describe([call.dataset_id]).get(call.dataset_id)
    return known.resource if known else ResourceRef("dataset", str(call.dataset_id), dataset_id=call.dataset_id)


def _loud(kind: EventType, call: BreakGlass, resource: ResourceRef, facts: dict[str, Any]) -> Event:
    told = {"emergency": str(call.pk), "called_by": str(call.requester), "called_for": call.purpose}
    return Event(type=kind, operation="update", severity="critical", resource=resource, metadata={**told, **facts})
