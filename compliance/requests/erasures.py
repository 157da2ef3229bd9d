"""The erasure that a request ends in: started from its reviewed search, followed, and what it keeps."""

from dataclasses import dataclass
from uuid import UUID

from compliance.errors.requests import GroundNeeded, NoMatches, NotOfThisType, RequestErasureNotFound, RequestNotErased
from compliance.models import (
    LegalBasis,
    MatchState,
    RecipientTask,
    SubjectErasure,
    SubjectErasurePart,
    SubjectMatch,
    SubjectRequest,
)
from compliance.models.request import RefusalGround, RequestType
from compliance.requests.intake import MANAGE
from compliance.requests.matches import entered_of
from compliance.requests.searches import require_reviewed, search_of
from compliance.requests.selectors import get_locked, get_request
from compliance.requests.states import State, move, require_state
from compliance.subjects.conflicts import conflicts_of, kept_by
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
    """Queue the erasure of what is the subject's: what the search found, and the records that were entered by hand.

    In the open scope; it cannot be undone. Raises AccessDenied, SubjectRequestNotFound, WrongRequestState,
    NotOfThisType, NoMatches, SearchUnderWay, and what ``start_subject_erasure`` raises.
    """
    request = get_locked(principal, request_id)
    require_state(request, State.REVIEW, State.EXECUTING)
    if request.type != RequestType.ERASURE:
        raise NotOfThisType(asks_for=request.type)
    search = search_of(request)
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
    """The one of the newest search, in the open scope; of several, where one failed, the last."""
    search = search_of(request)
    if search is None:
        return None
    return SubjectErasure.objects.select_related("search").filter(search=search).order_by("-id").first()


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
    """That a request for erasure can be answered: its erasure has a receipt, or nothing was found to erase.

    What is kept has to have a ground. Raises RequestNotErased, GroundNeeded.
    """
    search, erasure = search_of(request), erasure_of_request(request)
    if search is None or search.status != JobStatus.SUCCEEDED:
        raise RequestNotErased(reason="not_searched")
    if erasure is None:
        found = SubjectMatch.objects.filter(search=search, state=MatchState.ACCEPTED).exists()
        if found or entered_of(request):
            raise RequestNotErased(reason="not_erased")
        return
    if erasure.status != JobStatus.SUCCEEDED or erasure.receipt is None:
        raise RequestNotErased(reason=erasure.status)
    if ground == RefusalGround.NONE and (kept := kept_by(erasure)):
        raise GroundNeeded(kept=kept)


def kept_for(request: SubjectRequest) -> list[str]:
    """On what grounds datasets kept something of the subject, each once, in the open scope."""
    erasure = erasure_of_request(request)
    return sorted({part.basis for part in conflicts_of(erasure)}) if erasure else []
