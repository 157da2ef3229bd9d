"""What of a subject is still to be erased, and what is kept: over all searches and erasures of their request."""

from collections import Counter
from typing import Final
from uuid import UUID

from compliance.models import (
    MatchState,
    PartState,
    SubjectErasure,
    SubjectErasurePart,
    SubjectMatch,
    SubjectRequest,
    SubjectSearch,
)
from compliance.requests.matches import entered_of
from compliance.requests.searches import search_of, whole_searches_of
from compliance.subjects.conflicts import conflicts_of, found_again
from compliance.subjects.erase import OF_RECORDS
from compliance.subjects.review import erasure_of
from vaultsite.kernel.jobs import FINAL, JobStatus

#: A dataset and the id of a record in it.
Record = tuple[UUID | None, str]
#: What tells one place from another, whichever search found it.
_PLACE: Final = ("store", "object_id", "place", "record_id")


def under_way(request: SubjectRequest) -> SubjectErasure | None:
    """An erasure of the request that has not ended, in the open scope."""
    return SubjectErasure.objects.filter(case=request.pk).exclude(status__in=FINAL).first()


def left_of(request: SubjectRequest) -> set[UUID]:
    """Searches with an accepted place that no erasure with a receipt has dealt with, in the open scope.

    What the newest search that found a place was told of it holds: rejected there, it is nobody's to erase.
    """
    rows = SubjectMatch.objects.filter(search_id__in=[one.pk for one in whole_searches_of(request)])
    decided = rows.exclude(state=MatchState.PENDING).order_by("search_id", "id")
    newest = {row[:4]: row for row in decided.values_list(*_PLACE, "state", "search_id", "dataset_id")}
    done = _done(request)
    erased = {one.search_id for one in done}
    asked = [(one.pk, _parts(one)) for one in done]
    left = set()
    for store, _, _, record_id, state, search_id, dataset_id in newest.values():
        if state == MatchState.REJECTED or search_id in erased:
            continue
        later = (parts for pk, parts in asked if pk > search_id)
        if store not in OF_RECORDS or not any((dataset_id, record_id) in parts for parts in later):
            left.add(search_id)
    return left


def entered_left(request: SubjectRequest) -> set[Record]:
    """Records entered by hand that were part of no erasure with a receipt, in the open scope."""
    entered: set[Record] = {(one.dataset_id, record_id) for one in entered_of(request) for record_id in one.record_ids}
    return entered - _last_states(request).keys()


def search_to_erase(request: SubjectRequest) -> SubjectSearch | None:
    """The newest search of which something is left and that can be erased; where none is, the newest of all."""
    left, has_entered = left_of(request), bool(entered_left(request))
    for search in whole_searches_of(request):
        if (has_entered or search.pk in left) and erasure_of(search.pk) is None:
            return search
    return search_of(request)


def kept_of(request: SubjectRequest) -> int:
    """Records that were refused and never erased since, and places where the subject was found again."""
    refused = sum(state == PartState.REFUSED for state in _last_states(request).values())
    done = _done(request)
    return refused + sum(found_again(one) for at, one in enumerate(done) if not _is_outdone(one, done[at + 1 :]))


def grounds_of(request: SubjectRequest) -> list[str]:
    """On what grounds datasets keep something of the subject, each once, in the open scope."""
    states, grounds = _last_states(request), set()
    for part in (part for one in _done(request) for part in conflicts_of(one)):
        if any(states[part.dataset_id, record_id] == PartState.REFUSED for record_id in part.record_ids):
            grounds.add(part.basis)
    return sorted(grounds)


def _is_outdone(erasure: SubjectErasure, later: list[SubjectErasure]) -> bool:
    """Whether a later erasure looked again for the same kinds of identifiers, and as many of each."""
    kinds = Counter(erasure.search.identifier_types)
    return any(kinds <= Counter(one.search.identifier_types) for one in later)


def _done(request: SubjectRequest) -> list[SubjectErasure]:
    """Those with a receipt, oldest first."""
    rows = SubjectErasure.objects.filter(case=request.pk, status=JobStatus.SUCCEEDED, receipt__isnull=False)
    return list(rows.select_related("search").order_by("id"))


def _parts(erasure: SubjectErasure) -> dict[Record, str]:
    """How each record of an erasure ended."""
    rows = SubjectErasurePart.objects.filter(erasure=erasure).values_list("dataset_id", "record_ids", "state")
    return {(dataset_id, record_id): state for dataset_id, ids, state in rows for record_id in ids}


def _last_states(request: SubjectRequest) -> dict[Record, str]:
    """How each record ended in the last of the request's erasures that it was part of."""
    return {record: state for one in _done(request) for record, state in _parts(one).items()}
