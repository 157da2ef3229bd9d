"""What an officer does with a request: assign, verify, get on, extend, refuse, answer."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import User
from audit.notifications.people import holders_of
from compliance.errors.requests import ExtensionRefused
from compliance.models import SubjectRequest
from compliance.models.request import (
    IdentityMethod,
    LegalBasis,
    RefusalGround,
    RequestOutcome,
    RequestType,
)
from compliance.requests.clocks import last_notice_on
from compliance.requests.erasures import require_erased
from compliance.requests.intake import MANAGE
from compliance.requests.letters import require_text, write_answer
from compliance.requests.links import mail_identity_link
from compliance.requests.restrictions import require_restricted
from compliance.requests.sealed import SubjectFacts
from compliance.requests.searches import forget_subject, hold_searches, require_reviewed
from compliance.requests.selectors import get_locked, today
from compliance.requests.states import (
    BY_HAND,
    DONE,
    MOVES,
    State,
    clock,
    move,
    received_on,
    reckon,
    require_move,
    require_state,
    tell,
)
from compliance.requests.unerased import grounds_of
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal

_OPEN: Final = tuple(state for state in State if state not in DONE)
#: What an officer may say they verified somebody by; a link is followed by the subject alone.
METHODS: Final = tuple(one for one in IdentityMethod if one not in {IdentityMethod.NONE, IdentityMethod.EMAIL_LINK})
GROUNDS: Final = tuple(one for one in RefusalGround if one != RefusalGround.NONE)


def assign(principal: Principal, *, request_id: UUID, assignee: UUID | None) -> SubjectRequest:
    """Give the request to somebody who may work on it; None: to nobody.

    Raises AccessDenied, SubjectRequestNotFound, InvalidInput, WrongRequestState.
    """
    request = get_locked(principal, request_id)
    require_state(request, *_OPEN)
    if assignee is not None and assignee not in assignable():
        raise InvalidInput(errors=[FieldProblem("/assignee", "nobody who may work on requests")])
    request.assignee = assignee
    request.save(update_fields=["assignee"])
    tell(EventType.SUBJECT_REQUEST_ASSIGNED, request, assignee=str(assignee) if assignee else "")
    return request


def assignable() -> dict[UUID, str]:
    """People who may work on requests, in the open scope: ids and names."""
    people = User.objects.filter(pk__in=holders_of(MANAGE), is_active=True).order_by("username")
    return dict(people.values_list("pk", "username"))


def ask_for_identity(principal: Principal, *, request_id: UUID) -> SubjectRequest:
    """Mail the subject a link that proves who has the address; where the law lets it, the clock stands meanwhile.

    Once more while it is waited for: the link before no longer holds. Raises AccessDenied, SubjectRequestNotFound,
    WrongRequestState, NoMailAddress.
    """
    request = get_locked(principal, request_id)
    require_state(request, State.RECEIVED, State.IDENTITY_PENDING)
    mail_identity_link(request)
    if request.state == State.RECEIVED:
        move(request, State.IDENTITY_PENDING)
    return request


def verify(principal: Principal, *, request_id: UUID, method: IdentityMethod) -> SubjectRequest:
    """Say that the subject is who they say, and how that was made sure.

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, InvalidInput.
    """
    request = get_locked(principal, request_id)
    if method not in METHODS:
        raise InvalidInput(errors=[FieldProblem("/method", f"one of {', '.join(METHODS)}")])
    move(request, State.VERIFIED, identity_method=method, verified_by=principal.id, verified_at=timezone.now())
    return request


def advance(principal: Principal, *, request_id: UUID, to: State) -> SubjectRequest:
    """Get on with the request, or close it. Nothing is executed while a match waits for somebody to decide on it.

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, InvalidInput, SearchUnderWay,
    SubjectSearchTruncated, MatchesUndecided.
    """
    request = get_locked(principal, request_id)
    if to not in BY_HAND:
        raise InvalidInput(errors=[FieldProblem("/to", f"one of {', '.join(BY_HAND)}")])
    require_move(request, to)
    if to == State.EXECUTING:
        require_reviewed(request)
    move(request, to)
    if to == State.CLOSED:
        forget_subject(request)
    return request


def set_basis(principal: Principal, *, request_id: UUID, legal_basis: LegalBasis) -> SubjectRequest:
    """Say on which ground the subject's data are held. Raises AccessDenied, SubjectRequestNotFound,
    WrongRequestState.
    """
    request = get_locked(principal, request_id)
    require_state(request, *_OPEN)
    request.legal_basis = legal_basis
    request.save(update_fields=["legal_basis"])
    tell(EventType.SUBJECT_REQUEST_CHANGED, request, legal_basis=legal_basis.value)
    return request


def extend(principal: Principal, *, request_id: UUID, reason: str) -> SubjectRequest:
    """Take the longer term that the law gives, and tell the subject why, inside the first.

    ``reason`` goes to the subject by e-mail where they have an address, and into the log. Raises AccessDenied,
    SubjectRequestNotFound, WrongRequestState, ExtensionRefused, InvalidInput.
    """
    request = get_locked(principal, request_id)
    require_state(request, *_OPEN)
    require_text("/reason", reason)
    last = last_notice_on(clock(request), received_on(request), paused_days=request.paused_days)
    if last is None:
        raise ExtensionRefused(reason="law")
    if request.extended_at is not None:
        raise ExtensionRefused(reason="extended")
    if request.paused_at is None and today() > last:
        raise ExtensionRefused(reason="late")
    request.extended_at = timezone.now()
    before, request.due_on = request.due_on, reckon(request)
    request.save(update_fields=["extended_at", "due_on"])
    tell(EventType.SUBJECT_REQUEST_EXTENDED, request, due_before=before.isoformat())
    until = f"You will have our answer by {request.due_on:%d %B %Y}."
    write_answer(principal, request, f"Your request {request.reference} takes longer", f"{reason.strip()}\n\n{until}")
    return request


def refuse(principal: Principal, *, request_id: UUID, ground: RefusalGround, explanation: str) -> SubjectRequest:
    """Refuse on a ground of law, and tell the subject why and where they may complain (GDPR, article 12(4)).

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, InvalidInput.
    """
    request = get_locked(principal, request_id)
    if ground not in GROUNDS:
        raise InvalidInput(errors=[FieldProblem("/ground", f"one of {', '.join(GROUNDS)}")])
    require_text("/explanation", explanation)
    facts = replace(SubjectFacts.of(request), explanation=explanation.strip())
    refused = {"refusal_ground": ground, "outcome": RequestOutcome.REFUSED}
    move(request, State.REFUSED, facts=facts.seal_for(request), **refused)
    text = f"{explanation.strip()}\n\nGround: {ground.label}.\n\n{COMPLAINT}"
    write_answer(principal, request, f"Your request {request.reference} is refused", text)
    return request


COMPLAINT: Final = (
    "You may complain to the supervisory authority of the place where you live or work, and you may go to court."
)


def answer(
    principal: Principal, *, request_id: UUID, message: str, ground: RefusalGround = RefusalGround.NONE
) -> SubjectRequest:
    """Say that the subject has what they asked for; ``message`` goes to them and into the log.

    ``ground`` is given where a part was refused: then they are told on what ground, and where they may complain. A
    request for erasure is answered once its erasure has a receipt, one for restriction or an objection once the
    subject's records are left out of reads. Raises AccessDenied, SubjectRequestNotFound, WrongRequestState,
    InvalidInput, SearchUnderWay, SubjectSearchTruncated, MatchesUndecided, RequestNotErased, GroundNeeded,
    NotRestricted.
    """
    request = get_locked(principal, request_id)
    require_text("/message", message)
    require_move(request, State.ANSWERED)
    hold_searches(request)
    require_reviewed(request)
    if request.type == RequestType.ERASURE:
        require_erased(request, ground)
    if request.type in {RequestType.RESTRICTION, RequestType.OBJECTION}:
        require_restricted(request)
    is_whole = ground == RefusalGround.NONE
    outcome = RequestOutcome.FULFILLED if is_whole else RequestOutcome.PARTLY
    move(request, State.ANSWERED, refusal_ground=ground, outcome=outcome)
    text = message.strip() if is_whole else _text_in_part(request, message.strip(), ground)
    write_answer(principal, request, f"Your request {request.reference} is answered", text)
    return request


def _text_in_part(request: SubjectRequest, message: str, ground: RefusalGround) -> str:
    kept = "\n".join(grounds_of(request)) if request.type == RequestType.ERASURE else ""
    parts = (message, f"Not in whole. Ground: {ground.label}.", kept, COMPLAINT)
    return "\n\n".join(part for part in parts if part)


def next_states(request: SubjectRequest) -> list[State]:
    """Where an officer may put the request by hand."""
    return [state for state in BY_HAND if state in MOVES[State(request.state)]]
