"""Restriction (GDPR, article 18) and objection (article 21): the subject's records are left out of reads."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from access.services.policies_in_force import ALL_PURPOSES, policies_in_force
from compliance.errors.requests import NoMatches, NotOfThisType, NotRestricted
from compliance.models import SubjectRequest
from compliance.models.request import RequestType
from compliance.requests.intake import READ
from compliance.requests.letters import require_text, write_answer
from compliance.requests.matches import matches_of
from compliance.requests.sealed import SubjectFacts
from compliance.requests.searches import require_reviewed, search_of
from compliance.requests.selectors import get_locked, get_request
from compliance.requests.states import State, move, require_state, tell
from compliance.requests.wanted import identifiers_of
from compliance.subjects.identifiers import Identifier, open_known
from compliance.subjects.index_search import index_keys
from datasets.models import ProcessingRestriction
from datasets.services.restrictions import lift_restrictions, restrict_processing, restrictions_of
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal

TYPES: Final = (RequestType.RESTRICTION, RequestType.OBJECTION)


def impose(principal: Principal, *, request_id: UUID, purposes: Sequence[str] = ()) -> list[ProcessingRestriction]:
    """Leave the subject's records out of reads from now on: for all purposes, or those that were objected to.

    They are known by the identifiers of the request's search, in what comes later as well, and by its matches. Raises
    AccessDenied, SubjectRequestNotFound, WrongRequestState, NotOfThisType, InvalidInput, SearchUnderWay,
    SubjectSearchTruncated, MatchesUndecided, NoMatches where nobody would be known.
    """
    request = get_locked(principal, request_id)
    require_state(request, State.REVIEW, State.EXECUTING)
    if request.type not in TYPES:
        raise NotOfThisType(asks_for=request.type)
    codes = _codes(request, purposes)
    require_reviewed(request)
    keys, records = index_keys(_identifiers(request)), {one.dataset_id: one.record_ids for one in matches_of(request)}
    if not keys and not records:
        raise NoMatches
    made = restrict_processing(case=request.pk, purposes=codes, keys=keys, records=records, by=principal.id)
    if request.state == State.REVIEW:
        move(request, State.EXECUTING)
    count = sum(map(len, records.values()))
    tell(EventType.SUBJECT_RESTRICTED, request, purposes=codes, records=count, datasets=len(records))
    return made


def _codes(request: SubjectRequest, purposes: Sequence[str]) -> list[str]:
    """Article 18 knows no purposes; an objection names them, or none where it is against all."""
    if request.type == RequestType.RESTRICTION and purposes:
        raise InvalidInput(errors=[FieldProblem("/purposes", "a restriction is for all purposes")])
    if unknown := set(purposes) - policies_in_force().purposes:
        raise InvalidInput(errors=[FieldProblem("/purposes", f"{len(unknown)} of them are none of the organization")])
    return sorted(set(purposes)) or [ALL_PURPOSES]


def _identifiers(request: SubjectRequest) -> Sequence[Identifier]:
    """Those that were searched for, while they are known; else what the request says of its subject."""
    search = search_of(request)
    found: Sequence[Identifier] = ()
    if search is not None and search.identifiers is not None:
        found = open_known(search).identifiers
    return found or identifiers_of(SubjectFacts.of(request))


def lift(principal: Principal, *, request_id: UUID, message: str) -> SubjectRequest:
    """Let the subject's records be read again, and tell them so with it (GDPR, article 18(3)).

    Raises AccessDenied, SubjectRequestNotFound, NotRestricted, InvalidInput.
    """
    request = get_locked(principal, request_id)
    require_text("/message", message)
    if not lift_restrictions(request.pk, by=principal.id):
        raise NotRestricted
    write_answer(principal, request, f"The restriction of request {request.reference} is lifted", message.strip())
    tell(EventType.SUBJECT_RESTRICTION_LIFTED, request)
    return request


def get_restrictions(principal: Principal, *, request_id: UUID) -> list[ProcessingRestriction]:
    """Those in force. Raises AccessDenied, SubjectRequestNotFound."""
    return restrictions_of(get_request(principal, request_id, action=READ).pk)


def require_restricted(request: SubjectRequest) -> None:
    """Raises NotRestricted."""
    if not restrictions_of(request.pk):
        raise NotRestricted
