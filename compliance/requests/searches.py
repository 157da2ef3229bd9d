"""The search for the subject of a request: started with what the request says of them, reviewed, and acted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from compliance.errors.requests import RequestSearchNotFound, SearchUnderWay
from compliance.errors.subjects import MatchesUndecided, SubjectSearchTruncated
from compliance.models import MatchState, SubjectMatch, SubjectRequest, SubjectSearch, SubjectStore
from compliance.requests.intake import MANAGE
from compliance.requests.sealed import SubjectFacts
from compliance.requests.selectors import get_locked, get_request
from compliance.requests.states import State, locked, move, require_state
from compliance.requests.wanted import identifiers_of, too_short
from compliance.subjects.identifiers import Identifier
from compliance.subjects.search import start_subject_search, undecided
from datasets.models import Dataset
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Where a request may be searched for.
_FROM: Final = (State.VERIFIED, State.SEARCHING, State.REVIEW)


@dataclass(frozen=True)
class SearchStanding:
    """How far a request's search is: matches that wait, and how many things given of the subject are too short."""

    search: SubjectSearch
    undecided: int
    skipped: int


def start_search(principal: Principal, *, request_id: UUID, identifiers: Sequence[Identifier] = ()) -> SearchStanding:
    """Queue the search for the subject over everything stored, in the open scope.

    ``identifiers`` stand in place of what the request says of the subject: to look for other spellings, or for less
    where a search found too much. Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, SearchUnderWay,
    InvalidInput.
    """
    request = get_locked(principal, request_id)
    require_state(request, *_FROM)
    earlier = search_of(request)
    if earlier is not None and not earlier.is_final:
        raise SearchUnderWay(search=str(earlier.pk))
    wanted = identifiers or identifiers_of(SubjectFacts.of(request))
    search = start_subject_search(principal, identifiers=wanted, request_id=request.pk)
    if request.state != State.SEARCHING:
        move(request, State.SEARCHING)
    return standing_of(request, search)


def search_of(request: SubjectRequest) -> SubjectSearch | None:
    """The search that was started last, in the open scope."""
    return SubjectSearch.objects.filter(case=request.pk).order_by("-id").first()


def whole_searches_of(request: SubjectRequest) -> list[SubjectSearch]:
    """Those that succeeded and read everything, the newest first, in the open scope."""
    rows = SubjectSearch.objects.filter(case=request.pk, status=JobStatus.SUCCEEDED, is_truncated=False)
    return list(rows.order_by("-id"))


def hold_searches(request: SubjectRequest) -> None:
    """Nobody decides on a match of the request until the open transaction ends; its own row is locked before."""
    rows = SubjectSearch.objects.select_for_update(no_key=True).filter(case=request.pk)
    list(rows.order_by("id").values_list("pk"))


def get_search_of(principal: Principal, *, request_id: UUID) -> SearchStanding:
    """How far the request's search is. Raises AccessDenied, SubjectRequestNotFound, RequestSearchNotFound."""
    request = get_request(principal, request_id, action=MANAGE)
    search = search_of(request)
    if search is None:
        raise RequestSearchNotFound
    return standing_of(request, search)


def standing_of(request: SubjectRequest, search: SubjectSearch) -> SearchStanding:
    """In the open scope."""
    return SearchStanding(search, undecided(search.pk), too_short(SubjectFacts.of(request)))


def require_reviewed(request: SubjectRequest) -> None:
    """That the newest search ended whole, and that nothing it found waits for somebody, in the open scope.

    A search that failed stands in nobody's way: records can be entered by hand. Raises SearchUnderWay,
    SubjectSearchTruncated, MatchesUndecided.
    """
    search = search_of(request)
    if search is None or search.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return
    if not search.is_final:
        raise SearchUnderWay(search=str(search.pk))
    if search.is_truncated:
        raise SubjectSearchTruncated
    if waiting := undecided(search.pk):
        raise MatchesUndecided(undecided=waiting)


def accepted_records(request: SubjectRequest) -> dict[UUID, list[str]]:
    """The ids of the subject's records that the search found, by dataset that is there, in the open scope."""
    found: dict[UUID, list[str]] = {}
    for dataset_id, record_id in (
        _accepted(request).filter(store=SubjectStore.RECORD).values_list("dataset_id", "record_id")
    ):
        if dataset_id is not None:
            found.setdefault(dataset_id, []).append(record_id)
    there = set(Dataset.objects.filter(pk__in=found, deleted_at=None).values_list("pk", flat=True))
    return {dataset_id: ids for dataset_id, ids in found.items() if dataset_id in there}


def accepted_elsewhere(request: SubjectRequest) -> dict[str, int]:
    """How much of the subject lies beside records, by the words of its store, in the open scope."""
    stores = _accepted(request).exclude(store=SubjectStore.RECORD).order_by("store").values_list("store", flat=True)
    counted: dict[str, int] = {}
    for store in stores:
        label = str(SubjectStore(store).label)
        counted[label] = counted.get(label, 0) + 1
    return counted


def _accepted(request: SubjectRequest) -> "QuerySet[SubjectMatch]":
    search = search_of(request)
    if search is None or search.status != JobStatus.SUCCEEDED:
        return SubjectMatch.objects.none()
    return SubjectMatch.objects.filter(search=search, state=MatchState.ACCEPTED)


def note_end(tenant_id: UUID, search_id: UUID) -> None:
    """A request whose search has succeeded is in review. Opens a scope of its own; none may be open."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        search = SubjectSearch.objects.filter(pk=search_id, status=JobStatus.SUCCEEDED, case__isnull=False).first()
        if search is None or search.case is None:
            return
        request = locked(search.case)
        newest = search_of(request)
        if request.state == State.SEARCHING and newest is not None and newest.pk == search.pk:
            move(request, State.REVIEW)


def forget_subject(request: SubjectRequest) -> None:
    """The request is over, and so is the time for which its searches know whom they were for, in the open scope."""
    SubjectSearch.objects.filter(case=request.pk, identifiers__isnull=False).update(forget_at=timezone.now())
