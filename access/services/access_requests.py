"""Asking for access to a dataset, and deciding on it: never alone."""

from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from access.errors import SamePerson
from access.lease_selectors import find_lease, find_request, people_behind
from access.leases.errors import AlreadyDecided, LeaseOver, PersonRequired, RequestClosed
from access.leases.terms import Terms, check_terms, dataset_of, level_of, refuse_problems, text_problem
from access.models import AccessRequest, Lease, LeaseKind, RequestState, RequestVerdict, Shown
from access.ports import dataset_directory
from access.services.authorize import authorize
from access.services.leases import make_lease, prolong, resource_of_lease
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Requests of one principal that may wait at a time.
MAX_WAITING: Final = 50


def request_access(principal: Principal, *, dataset_id: UUID, terms: Terms, justification: str) -> AccessRequest:
    """Ask for a lease, in the open scope.

    Raises the directory's not-found error and its refusal of personal data, AccessDenied, InvalidInput.
    """
    resource = dataset_directory().find(principal, dataset_id, action="access.request")
    authorize(principal, "access.request", resource, facts=terms.facts())
    check_terms(terms)
    return _opened(principal, resource, terms, justification)


def request_extension(
    principal: Principal, *, lease_id: UUID, seconds: int, row_quota: int | None, justification: str
) -> AccessRequest:
    """Ask for a later end of one's own lease, and for ``row_quota`` more records; approved as a lease is.

    Raises LeaseNotFound, AccessDenied, LeaseOver, InvalidInput, and the directory's refusal of personal data.
    """
    lease = find_lease(principal, lease_id)
    resource = resource_of_lease(lease)
    authorize(principal, "access.request", resource, facts={"lease": str(lease.pk), "seconds": seconds})
    refuse_problems({"lease": "" if lease.holder == principal.id else "is somebody else's"})
    if lease.kind != LeaseKind.LEASE or not Lease.objects.filter(pk=lease.pk, revoked_at=None, expires_at__gt=Now()):
        raise LeaseOver
    terms = Terms(level_of(lease.actions), Shown(lease.shown), lease.purpose, seconds, row_quota)
    check_terms(terms)
    refuse_problems({"row_quota": "" if row_quota is None or lease.row_quota is not None else "the lease counts none"})
    return _opened(principal, resource, terms, justification, extends=lease)


def _opened(
    principal: Principal, resource: ResourceRef, terms: Terms, justification: str, extends: Lease | None = None
) -> AccessRequest:
    refuse_problems({"justification": text_problem(justification)})
    dataset_directory().refuse_personal_data(justification=justification)
    waiting = AccessRequest.objects.filter(requester=principal.id, state=RequestState.PENDING, decide_by__gt=Now())
    if waiting.count() >= MAX_WAITING:
        raise InvalidInput(errors=[FieldProblem("/", f"{MAX_WAITING} of your requests wait already")])
    request = AccessRequest.objects.create(
        requester=principal.id,
        requester_kind="user" if principal.kind == "user" else "service",
        dataset_id=dataset_of(resource),
        actions=sorted(terms.actions),
        shown=terms.shown,
        purpose=terms.purpose,
        justification=justification.strip(),
        seconds=terms.seconds,
        row_quota=terms.row_quota,
        epsilon=terms.epsilon,
        approvals_needed=approvals_for(resource),
        extends=extends,
        decide_by=Now() + timedelta(days=settings.ACCESS_REQUEST_DAYS),
    )
    request.refresh_from_db()
    facts = {**terms.facts(), "approvals_needed": request.approvals_needed}
    emit(_event(EventType.ACCESS_REQUESTED, request, resource, facts))
    return request


def approvals_for(resource: ResourceRef) -> int:
    """How many people must approve a lease of the dataset."""
    return 2 if resource.classification in settings.TWO_APPROVER_CLASSIFICATIONS else 1


def approve_request(principal: Principal, *, request_id: UUID, reason: str) -> AccessRequest:
    """Approve as somebody else than who asked; with the last approval needed the lease begins.

    Raises AccessRequestNotFound, AccessDenied, PersonRequired, SamePerson, RequestClosed, AlreadyDecided, LeaseOver,
    InvalidInput, and the directory's errors.
    """
    request, resource = _say(principal, request_id, reason, is_approval=True)
    approvers = [verdict.approver for verdict in request.verdicts.filter(is_approval=True).order_by("id")]
    if len(approvers) < max(request.approvals_needed, approvals_for(resource)):
        return request
    if request.extends is not None:
        prolong(request.extends, resource, seconds=request.seconds, rows=request.row_quota, granted_by=approvers)
        return _closed(request, RequestState.APPROVED, lease=request.extends)
    lease = make_lease(
        resource,
        terms_of(request),
        holder=request.requester,
        holder_kind=request.requester_kind,
        granted_by=approvers,
    )
    return _closed(request, RequestState.APPROVED, lease=lease)


def refuse_request(principal: Principal, *, request_id: UUID, reason: str) -> AccessRequest:
    """Refuse as somebody else than who asked: one refusal is enough. Raises as ``approve_request``."""
    request, resource = _say(principal, request_id, reason, is_approval=False)
    emit(_event(EventType.ACCESS_REFUSED, request, resource, {"refused_by": str(principal.id)}))
    return _closed(request, RequestState.REFUSED)


def withdraw_request(principal: Principal, *, request_id: UUID) -> AccessRequest:
    """Take one's own request back. Raises AccessRequestNotFound, AccessDenied, RequestClosed."""
    found = find_request(principal, request_id)
    resource = _resource(found)
    authorize(principal, "access.request", resource, facts={"request": str(found.pk), "change": "withdraw"})
    refuse_problems({"request": "" if found.requester == principal.id else "is somebody else's"})
    request = _waiting(found.pk)
    emit(_event(EventType.ACCESS_REFUSED, request, resource, {"withdrawn_by": str(principal.id)}))
    return _closed(request, RequestState.WITHDRAWN)


def terms_of(request: AccessRequest) -> Terms:
    """What was asked for."""
    level, shown = level_of(request.actions), Shown(request.shown)
    return Terms(level, shown, request.purpose, request.seconds, request.row_quota, request.epsilon)


def require_other_person(principal: Principal, first: UUID) -> None:
    """What takes two people is confirmed by a person, and by another one than who began it or made its credential.

    Raises PersonRequired, SamePerson.
    """
    if principal.kind != "user":
        raise PersonRequired
    if principal.id in people_behind([first]):
        raise SamePerson


def _say(
    principal: Principal, request_id: UUID, reason: str, *, is_approval: bool
) -> tuple[AccessRequest, ResourceRef]:
    """Record one verdict, the request's row locked."""
    found = find_request(principal, request_id)
    resource = dataset_directory().find(principal, found.dataset_id, action="access.approve")
    facts = {"request": str(found.pk), "change": "approve" if is_approval else "refuse"}
    authorize(principal, "access.approve", resource, facts=facts)
    require_other_person(principal, found.requester)
    refuse_problems({"reason": text_problem(reason)})
    dataset_directory().refuse_personal_data(reason=reason)
    request = _waiting(found.pk)
    if request.verdicts.filter(approver=principal.id).exists():
        raise AlreadyDecided
    RequestVerdict.objects.create(
        request=request, approver=principal.id, is_approval=is_approval, reason=reason.strip()
    )
    return request, resource


def _waiting(request_id: UUID) -> AccessRequest:
    rows = AccessRequest.objects.select_for_update(no_key=True).filter(pk=request_id, state=RequestState.PENDING)
    request = rows.filter(decide_by__gt=Now()).first()
    if request is None:
        raise RequestClosed
    return request


def _closed(request: AccessRequest, state: RequestState, *, lease: Lease | None = None) -> AccessRequest:
    AccessRequest.objects.filter(pk=request.pk).update(state=state, closed_at=Now(), lease=lease)
    request.refresh_from_db()
    return request


def _resource(request: AccessRequest) -> ResourceRef:
    known = dataset_directory().describe([request.dataset_id]).get(request.dataset_id)
    dataset_id = request.dataset_id
    return known.resource if known else ResourceRef("dataset", str(dataset_id), dataset_id=dataset_id)


def _event(kind: EventType, request: AccessRequest, resource: ResourceRef, facts: dict[str, Any]) -> Event:
    told = {
        "request": str(request.pk),
        "holder": str(request.requester),
        "asked_for": request.purpose,
        "extends": str(request.extends_id) if request.extends_id else None,
    }
    return Event(type=kind, operation="update", resource=resource, metadata={**told, **facts})
