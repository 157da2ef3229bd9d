"""Reading of leases and requests for them. Every function works inside the open tenant scope."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from access.leases.errors import AccessRequestNotFound, LeaseNotFound
from access.models import AccessRequest, ApiKey, Lease, RequestState, ServiceAccount
from access.selectors import may
from vaultsite.kernel.errors import InvalidCursor, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def live_leases(principal: Principal, *, dataset_id: UUID | None = None, purpose: str | None = None) -> list[Lease]:
    """What ``principal`` holds now, by the database's clock; of one dataset, and for one purpose."""
    rows = Lease.objects.live().filter(holder=principal.id)
    if dataset_id is not None:
        rows = rows.filter(dataset_id=dataset_id)
    if purpose is not None:
        rows = rows.filter(purpose=purpose)
    return list(rows.order_by("id"))


def leased_datasets(principal: Principal, action: str, purpose: str | None) -> QuerySet[Lease, UUID]:
    """The ids of the datasets on which a lease of ``principal`` permits ``action``; for ``purpose``, or for any."""
    rows = Lease.objects.live().filter(holder=principal.id, actions__contains=[action])
    rows = rows if purpose is None else rows.filter(purpose=purpose)
    return rows.values_list("dataset_id", flat=True)


def leases_of(dataset_id: UUID, *, limit: int) -> list[Lease]:
    """The leases of a dataset that have not ended, newest first."""
    rows = Lease.objects.filter(dataset_id=dataset_id, expires_at__gt=Now(), revoked_at=None)
    return list(rows.order_by("-id")[:limit])


def list_leases(principal: Principal, *, is_own: bool, after: tuple[str, ...] | None = None, limit: int) -> list[Lease]:
    """Leases, newest first, ended ones among them: one's own, or everybody's. Raises InvalidCursor."""
    rows = Lease.objects.filter(within(principal)).order_by("-id")
    rows = rows.filter(holder=principal.id) if is_own else rows
    return list(_after(rows, after)[:limit])


def list_requests(
    principal: Principal, *, is_own: bool, state: str = "", after: tuple[str, ...] | None = None, limit: int
) -> list[AccessRequest]:
    """Requests, newest first: one's own, or everybody's; of those that wait, the ones that have not lapsed."""
    rows = AccessRequest.objects.filter(within(principal)).prefetch_related("verdicts").order_by("-id")
    rows = rows.filter(requester=principal.id) if is_own else rows
    if state:
        rows = rows.filter(state=state)
    if state == RequestState.PENDING:
        rows = rows.filter(decide_by__gt=Now())
    return list(_after(rows, after)[:limit])


def find_lease(principal: Principal, lease_id: UUID) -> Lease:
    """One's own lease, or anybody's for who may read them. Raises LeaseNotFound, recorded as a refusal."""
    known = Q() if may(principal, "access.read") else Q(holder=principal.id)
    row = Lease.objects.filter(known, within(principal), pk=lease_id).first()
    if row is None:
        raise hidden(LeaseNotFound(), ResourceRef("lease", str(lease_id)))
    return row


def find_request(principal: Principal, request_id: UUID) -> AccessRequest:
    """One's own request, or anybody's for who may read them. Raises AccessRequestNotFound, recorded as a refusal."""
    known = Q() if may(principal, "access.read") else Q(requester=principal.id)
    row = AccessRequest.objects.prefetch_related("verdicts").filter(known, within(principal), pk=request_id).first()
    if row is None:
        raise hidden(AccessRequestNotFound(), ResourceRef("access_request", str(request_id)))
    return row


def within(principal: Principal) -> Q:
    """The rows of the datasets that the credential is held to; every row where it is held to none."""
    return Q(dataset_id__in=principal.datasets) if principal.datasets else Q()


def hidden(error: VaultError, resource: ResourceRef) -> VaultError:
    """Record that what ``principal`` may not know of, or what never was, was refused; ``error`` again."""
    event = Event(type=EventType.ACCESS_READ, operation="read", resource=resource, metadata={"reason": "not visible"})
    emit(event.ended_by(error), primary=True)
    return error


def people_behind(ids: Collection[UUID]) -> set[UUID]:
    """The ids, and whoever made the credentials among them: a program speaks for its maker."""
    found = set(ids)
    for model in (ApiKey, ServiceAccount):
        found |= set(model.objects.filter(pk__in=ids).values_list("created_by", flat=True))
    return found


def _after(rows: QuerySet, after: tuple[str, ...] | None) -> QuerySet:  # type: ignore[type-arg]
    if after is None:
        return rows
    try:
        return rows.filter(id__lt=UUID(after[0]))
    except ValueError:
        raise InvalidCursor from None
