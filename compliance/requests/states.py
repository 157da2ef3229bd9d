"""Where a request may go from where it is, and its clock on the way."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from compliance.errors.requests import SubjectRequestNotFound, WrongRequestState
from compliance.models import SubjectRequest
from compliance.models.request import Law, RequestType, SubjectRequestState
from compliance.requests.clocks import Clock, clock_of, due_on
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef

State = SubjectRequestState

_UNDER_WAY: Final = frozenset({State.VERIFIED, State.SEARCHING, State.REVIEW, State.EXECUTING})
#: From where -> where to. Nothing leaves a closed request.
MOVES: Final[Mapping[State, frozenset[State]]] = MappingProxyType(
    {
        State.RECEIVED: frozenset({State.IDENTITY_PENDING, State.VERIFIED, State.REFUSED, State.CLOSED}),
        State.IDENTITY_PENDING: frozenset({State.VERIFIED, State.REFUSED, State.CLOSED}),
        State.VERIFIED: frozenset({State.SEARCHING, State.REFUSED, State.CLOSED}),
        State.SEARCHING: frozenset({State.REVIEW, State.REFUSED, State.CLOSED}),
        State.REVIEW: frozenset({State.SEARCHING, State.EXECUTING, State.ANSWERED, State.REFUSED, State.CLOSED}),
        State.EXECUTING: frozenset({State.REVIEW, State.ANSWERED, State.REFUSED, State.CLOSED}),
        State.ANSWERED: frozenset({State.CLOSED}),
        State.REFUSED: frozenset({State.CLOSED}),
        State.CLOSED: frozenset(),
    }
)
#: What an officer moves a request to by hand; the others come with what is done.
BY_HAND: Final = (State.SEARCHING, State.REVIEW, State.EXECUTING, State.CLOSED)
#: The subject has their answer.
DONE: Final = (State.ANSWERED, State.REFUSED, State.CLOSED)
#: The subject proved who they are, and is not answered yet.
UNDER_WAY: Final = _UNDER_WAY


def resource_of_request(request_id: UUID | str = "") -> ResourceRef:
    return ResourceRef("subject_request", str(request_id))


def locked(request_id: UUID) -> SubjectRequest:
    """The request, its row locked until the open transaction ends. Raises SubjectRequestNotFound."""
    found = SubjectRequest.objects.select_for_update(no_key=True).filter(pk=request_id).first()
    if found is None:
        raise SubjectRequestNotFound
    return found


def require_state(request: SubjectRequest, *states: State) -> None:
    """Raises WrongRequestState."""
    if request.state not in states:
        raise WrongRequestState(state=request.state, needed=sorted(states))


def require_move(request: SubjectRequest, to: State) -> None:
    """Raises WrongRequestState where no way leads from where the request is to ``to``."""
    if to not in MOVES[State(request.state)]:
        raise WrongRequestState(state=request.state, needed=sorted(one for one, next_ in MOVES.items() if to in next_))


def move(request: SubjectRequest, to: State, **facts: Any) -> None:
    """Put a locked request where ``to`` says, with other columns, and tell of it. Raises WrongRequestState."""
    require_move(request, to)
    came_from = State(request.state)
    now = timezone.now()
    request.state = to
    _run_clock(request, now)
    if to in DONE and request.answered_at is None and to != State.CLOSED:
        request.answered_at = now
    if to == State.CLOSED:
        request.closed_at = now
    for name, value in facts.items():
        setattr(request, name, value)
    request.save()
    tell(EventType.SUBJECT_REQUEST_MOVED, request, **{"from": came_from.value, "to": to.value})


def _run_clock(request: SubjectRequest, now: datetime) -> None:
    """Stand still where the law allows it while identity is waited for; go on with everything else."""
    if request.state == State.IDENTITY_PENDING:
        request.paused_at = now if clock(request).pauses else None
    elif request.paused_at is not None:
        request.paused_days += max(0, (now - request.paused_at).days)
        request.paused_at = None
    request.due_on = reckon(request)


def clock(request: SubjectRequest) -> Clock:
    """The clock that a request runs by."""
    return clock_of(Law(request.law), RequestType(request.type))


def received_on(request: SubjectRequest) -> date:
    """The day of receipt, in UTC."""
    return request.received_at.astimezone(UTC).date()


def reckon(request: SubjectRequest) -> date:
    """The last day on which an answer is in time, by what the row says now."""
    is_extended = request.extended_at is not None
    return due_on(clock(request), received_on(request), is_extended=is_extended, paused_days=request.paused_days)


def tell(kind: EventType, request: SubjectRequest, *, operation: str = "update", **facts: Any) -> None:
    """Emit an event about a request: its type, law, state and dates; nothing of its subject."""
    said = {
        "request_type": request.type,
        "law": request.law,
        "state": request.state,
        "due_on": request.due_on.isoformat(),
    }
    emit(Event(kind, operation=operation, resource=resource_of_request(request.pk), metadata=said | facts))
