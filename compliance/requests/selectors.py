"""Reading requests: row-level security shows a tenant its own."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from access.selectors import may
from access.services.authorize import authorize
from access.work_selectors import COUNTED, Waiting
from compliance.errors.requests import SubjectRequestNotFound
from compliance.models import Correspondence, SubjectRequest
from compliance.requests.intake import MANAGE, READ
from compliance.requests.states import DONE, UNDER_WAY, State, locked, resource_of_request
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.tenancy.principal import Principal

#: States of requests that somebody has to get on with.
_WORK: Final = (State.RECEIVED, *UNDER_WAY)


@dataclass(frozen=True)
class RequestFilter:
    """What to look for; empty does not restrict. ``state`` "open": not answered yet.

    ``due_before`` and ``is_overdue`` are about those that are not answered yet.
    """

    state: str = ""
    type: str = ""
    law: str = ""
    assignee: UUID | None = None
    due_before: date | None = None
    is_overdue: bool = False


@dataclass(frozen=True)
class Position:
    """The last request of a page."""

    due_on: date
    id: UUID

    @classmethod
    def of(cls, members: tuple[str, ...] | None) -> "Position | None":
        """Raises InvalidCursor."""
        if members is None:
            return None
        try:
            return cls(date.fromisoformat(members[0]), UUID(members[1]))
        except ValueError as exc:
            raise InvalidCursor from exc


def today() -> date:
    """In UTC, as all dates of requests."""
    return datetime.now(UTC).date()


def list_requests(
    principal: Principal, criteria: RequestFilter, *, limit: int, after: Position | None = None
) -> list[SubjectRequest]:
    """At most ``limit`` requests, those due first first. Raises AccessDenied."""
    authorize(principal, READ, resource_of_request())
    rows = _matching(criteria)
    if after is not None:
        rows = rows.filter(Q(due_on__gt=after.due_on) | Q(due_on=after.due_on, id__gt=after.id))
    return list(rows.order_by("due_on", "id")[:limit])


def _matching(criteria: RequestFilter) -> "QuerySet[SubjectRequest]":
    rows = SubjectRequest.objects.all()
    if criteria.state == "open" or criteria.due_before or criteria.is_overdue:
        rows = rows.exclude(state__in=DONE)
    if criteria.state not in {"", "open"}:
        rows = rows.filter(state=criteria.state)
    if criteria.due_before:
        rows = rows.filter(due_on__lt=criteria.due_before, paused_at=None)
    if criteria.is_overdue:
        rows = rows.filter(due_on__lt=today(), paused_at=None)
    given = {name: value for name in ("type", "law", "assignee") if (value := getattr(criteria, name))}
    return rows.filter(**given)


def get_request(principal: Principal, request_id: UUID, *, action: str = READ) -> SubjectRequest:
    """One request, after a decision on ``action``. Raises AccessDenied, SubjectRequestNotFound."""
    authorize(principal, action, resource_of_request(request_id))
    found = SubjectRequest.objects.filter(pk=request_id).first()
    if found is None:
        raise SubjectRequestNotFound
    return found


def get_locked(principal: Principal, request_id: UUID) -> SubjectRequest:
    """One request to change, its row locked. Raises AccessDenied, SubjectRequestNotFound."""
    authorize(principal, MANAGE, resource_of_request(request_id))
    return locked(request_id)


def may_see_subject(principal: Principal) -> bool:
    """Whether the principal is shown who asks, and what was written."""
    return may(principal, MANAGE)


def letters_of(request: SubjectRequest) -> list[Correspondence]:
    """Everything that was written about a request, oldest first."""
    return list(Correspondence.objects.filter(request=request).order_by("id"))


def days_left(request: SubjectRequest) -> int | None:
    """Days until the last day for an answer, negative once it is over; None when answered or while the clock stands."""
    if request.state in DONE or request.paused_at is not None:
        return None
    return (request.due_on - today()).days


def requests_to_answer(principal: Principal) -> Waiting:
    """Requests that somebody has to get on with: the principal's own, and those of nobody."""
    if not may(principal, MANAGE):
        return Waiting(0)
    mine = SubjectRequest.objects.filter(Q(assignee=principal.id) | Q(assignee=None), state__in=_WORK)
    found = list(mine.order_by("due_on").values_list("due_on", flat=True)[:COUNTED])
    if not found:
        return Waiting(0)
    return Waiting(len(found), datetime.combine(found[0], datetime.max.time().replace(microsecond=0), UTC))
