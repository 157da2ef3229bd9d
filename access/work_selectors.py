"""What of access waits for one person: to be decided by them, or decided for them. Counted inside the open scope."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Min, Q, QuerySet
from django.db.models.functions import Now

from access.lease_selectors import within
from access.models import AccessRequest, AccessReview, BreakGlass, KeyDestruction, Lease, RequestState, ReviewItem
from access.models.access_review import Verdict
from access.selectors import may
from vaultsite.kernel.tenancy.principal import Principal

#: Nothing is counted further than this.
COUNTED: Final = 100
#: A lease that ends sooner is said to end soon.
SOON: Final = timedelta(days=7)


@dataclass(frozen=True)
class Waiting:
    """``count`` of them, COUNTED for as many or more; ``due`` is when the first of them lapses or ends, if any does."""

    count: int
    due: datetime | None = None


_NOTHING: Final = Waiting(0)


def requests_to_decide(principal: Principal) -> Waiting:
    """Requests of others for access that the principal may decide on and has not."""
    if not may(principal, "access.approve"):
        return _NOTHING
    rows = AccessRequest.objects.filter(within(principal), state=RequestState.PENDING, decide_by__gt=Now())
    return _count(rows.exclude(requester=principal.id).exclude(verdicts__approver=principal.id), "decide_by")


def own_requests(principal: Principal) -> Waiting:
    """What the principal asked for and others have not decided on."""
    rows = AccessRequest.objects.filter(requester=principal.id, state=RequestState.PENDING, decide_by__gt=Now())
    return _count(rows, "decide_by")


def emergencies_to_confirm(principal: Principal) -> Waiting:
    """Calls of others that open nothing before a second person confirms them."""
    if not may(principal, "emergency.confirm"):
        return _NOTHING
    rows = BreakGlass.objects.filter(within(principal), lease=None, refused_at=None, confirm_by__gt=Now())
    return _count(rows.exclude(requester=principal.id), "confirm_by")


def emergencies_to_review(principal: Principal) -> Waiting:
    """Emergencies that are due a look by a third person, who the principal may be."""
    if not may(principal, "emergency.confirm"):
        return _NOTHING
    rows = BreakGlass.objects.filter(within(principal), confirmed_at__isnull=False, reviewed_at=None)
    return _count(rows.exclude(requester=principal.id).exclude(confirmed_by=principal.id))


def grants_to_review(principal: Principal) -> Waiting:
    """Grants of open campaigns that the principal is asked about; their own is somebody else's to decide."""
    if not may(principal, "review.decide"):
        return _NOTHING
    asked = AccessReview.objects.filter(
        reviewers__contains=[str(principal.id)], closed_at=None, deadline__gt=Now()
    ).values("pk")
    rows = ReviewItem.objects.filter(review__in=asked, verdict=Verdict.OPEN).exclude(holder=principal.id)
    return _count(rows, "review__deadline")


def destructions_to_confirm(principal: Principal) -> Waiting:
    """Keys that somebody else asked to destroy."""
    if not may(principal, "key.destroy"):
        return _NOTHING
    return _count(KeyDestruction.objects.filter(confirmed_at=None).exclude(requested_by=principal.id))


def leases_ending(principal: Principal) -> Waiting:
    """Leases of the principal that end SOON."""
    rows = Lease.objects.live().filter(holder=principal.id, expires_at__lte=Now() + SOON)
    return _count(rows.exclude(Q(row_quota__isnull=False) & Q(rows_used__gte=F("row_quota"))), "expires_at")


def _count(rows: "QuerySet[Any]", due: str = "") -> Waiting:
    count = rows.order_by()[:COUNTED].count()
    return Waiting(count, rows.aggregate(first=Min(due))["first"] if count and due else None)
