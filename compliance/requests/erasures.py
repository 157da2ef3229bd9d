"""The erasure that a request ends in: started from its reviewed search, followed, and what it keeps."""

from dataclasses import dataclass
from uuid import UUID

from compliance.errors.requests import GroundNeeded, NoMatches, NotOfThisType, RequestErasureNotFound, RequestNotErased
from compliance.models import (
    LegalBasis,
    RecipientTask,
    SubjectErasure,
    SubjectErasurePart,
    SubjectRequest,
)
from compliance.models.request import RefusalGround, RequestType
from compliance.requests.intake import MANAGE
from compliance.requests.matches import entered_of
from compliance.requests.searches import hold_searches, require_reviewed, search_of
from compliance.requests.selectors import get_locked, get_request
from compliance.requests.states import State, move, require_state
from compliance.requests.unerased import entered_left, kept_of, left_of, search_to_erase, under_way
from compliance.subjects.conflicts import conflicts_of
from compliance.subjects.erase import start_subject_erasure
from compliance.subjects.review import enter_records, require_open
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class ErasureStanding:
    """How far a request's erasure is: what datasets refused, how many recipients there are, and how many wait."""

    erasure: SubjectErasure
    conflicts: tuple[SubjectErasurePart, ...]
    recipients: int
    recipients_to_tell: int

    @property
    def has_receipt(self) -> bool:
        return self.erasure.receipt is not None


def start_erasure(principal: Principal, *, request_id: UUID, legal_basis: LegalBasis) -> ErasureStanding:
    """Queue the erasure of what is the subject's: what a search found, and the records that were entered by hand.

    Of the newest search of which something is left; each search is erased by itself. In the open scope; it cannot be
    undone. Raises AccessDenied, SubjectRequestNotFound, WrongRequestState,
    NotOfThisType, NoMatches, SearchUnderWay, and what ``start_subject_erasure`` raises.
    """
    request = get_locked(principal, request_id)
    require_state(request, State.REVIEW, State.EXECUTING)
    if request.type != RequestType.ERASURE:
        raise NotOfThisType(asks_for=request.type)
    hold_searches(request)
    search = search_to_erase(request)
    if search is None:
        raise NoMatches
    require_reviewed(request)
    require_open(search)
    enter_records(search, {one.dataset_id: one.record_ids for one in entered_of(request)}, by=principal.id)
    erasure = start_subject_erasure(principal, search_id=search.pk, legal_basis=legal_basis, request_id=request.pk)
    if request.state == State.REVIEW:
        move(request, State.EXECUTING)
    return standing_of(erasure)


def erasure_of_request(request: SubjectRequest) -> SubjectErasure | None:
    """The one that was asked for last, in the open scope."""
    return SubjectErasure.objects.select_related("search").filter(case=request.pk).order_by("-id").first()


def get_erasure_of(principal: Principal, *, request_id: UUID) -> ErasureStanding:
    """How far the request's erasure is. Raises AccessDenied, SubjectRequestNotFound, RequestErasureNotFound."""
    erasure = erasure_of_request(get_request(principal, request_id, action=MANAGE))
    if erasure is None:
        raise RequestErasureNotFound
    return standing_of(erasure)


def standing_of(erasure: SubjectErasure) -> ErasureStanding:
    """In the open scope."""
    tasks = RecipientTask.objects.filter(erasure=erasure)
    return ErasureStanding(erasure, tuple(conflicts_of(erasure)), tasks.count(), tasks.filter(told_at=None).count())


def require_erased(request: SubjectRequest, ground: RefusalGround) -> None:
    """That a request for erasure can be answered: whatever any of its searches found, or somebody entered, is settled.

    Each was part of an erasure with a receipt, or was rejected since; what is kept has to have a ground. Raises
    RequestNotErased, GroundNeeded.
    """
    search, running = search_of(request), under_way(request)
    if search is None or search.status != JobStatus.SUCCEEDED:
        raise RequestNotErased(reason="not_searched")
    if running is not None:
        raise RequestNotErased(reason=running.status)
    if left := left_of(request):
        last = SubjectErasure.objects.filter(search_id__in=left).order_by("-id").first()
        raise RequestNotErased(reason=last.status if last else "not_erased")
    if entered_left(request):
        raise RequestNotErased(reason="not_erased")
    if ground == RefusalGround.NONE and (kept := kept_of(request)):
        raise GroundNeeded(kept=kept)
