"""Ask for the erasure of a person, and look at erasures."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from compliance.errors.subjects import (
    MatchesUndecided,
    NothingToErase,
    SearchOfRequest,
    SubjectErasureNotFound,
    SubjectSearchTruncated,
)
from compliance.models import LegalBasis, SubjectErasure, SubjectErasurePart, SubjectMatch, SubjectStore
from compliance.subjects.identifiers import open_known
from compliance.subjects.review import require_open
from compliance.subjects.search import accepted_matches, lock_search, undecided
from datasets.services.erasure.request import MAX_RECORDS
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal

#: Stores whose things are records of a dataset, and go with them.
OF_RECORDS: Final = frozenset(
    {
        SubjectStore.RECORD,
        SubjectStore.DRAFT,
        SubjectStore.QUARANTINE,
        SubjectStore.RESOLUTION,
        SubjectStore.FEEDBACK,
    }
)


def start_subject_erasure(
    principal: Principal, *, search_id: UUID, legal_basis: LegalBasis, request_id: UUID | None = None
) -> SubjectErasure:
    """Queue the erasure of everything that a search found and that is the person's, in the open scope.

    It cannot be undone. ``request_id`` is the request that the search belongs to: only from there is it erased. Raises
    AccessDenied, SubjectSearchNotFound, SearchOfRequest, SubjectSearchUnfinished, SubjectErasureExists,
    SubjectSearchTruncated, IdentifiersForgotten, MatchesUndecided, NothingToErase.
    """
    resource = ResourceRef("subject_search", str(search_id))
    decision = authorize(principal, "subject.erase", resource, facts={"legal_basis": str(legal_basis)})
    search = lock_search(search_id)
    if search.case != request_id:
        raise SearchOfRequest(request=str(search.case))
    require_open(search)
    if search.is_truncated:
        raise SubjectSearchTruncated
    open_known(search)
    if waiting := undecided(search_id):
        raise MatchesUndecided(undecided=waiting)
    matches = accepted_matches(search_id)
    if not matches:
        raise NothingToErase
    erasure = SubjectErasure.objects.create(
        search=search,
        case=request_id,
        legal_basis=legal_basis,
        purpose=decision.purpose or "",
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued"},
    )
    SubjectErasurePart.objects.bulk_create(_parts(erasure, matches))
    enqueue(erasure)
    return erasure


def _parts(erasure: SubjectErasure, matches: Sequence[SubjectMatch]) -> list[SubjectErasurePart]:
    """The records of each dataset, so many at once as one erasure there takes."""
    of: dict[UUID, set[str]] = defaultdict(set)
    for match in matches:
        if match.store in OF_RECORDS and match.record_id and match.dataset_id:
            of[match.dataset_id].add(match.record_id)
    return [
        SubjectErasurePart(erasure=erasure, dataset_id=dataset_id, number=number, record_ids=ids)
        for dataset_id, found in sorted(of.items())
        for number, ids in enumerate(_batches(sorted(found)))
    ]


def _batches(ids: list[str]) -> list[list[str]]:
    return [ids[start : start + MAX_RECORDS] for start in range(0, len(ids), MAX_RECORDS)]


def get_subject_erasure(principal: Principal, erasure_id: UUID, *, action: str = "subject.read") -> SubjectErasure:
    """Raises AccessDenied, SubjectErasureNotFound."""
    authorize(principal, action, ResourceRef("subject_erasure", str(erasure_id)))
    erasure = SubjectErasure.objects.select_related("search").filter(pk=erasure_id).first()
    if erasure is None:
        raise SubjectErasureNotFound
    return erasure


def list_subject_erasures(principal: Principal, *, after: UUID | None, limit: int) -> list[SubjectErasure]:
    """Newest first. Raises AccessDenied."""
    authorize(principal, "subject.read", ResourceRef("subject_erasure"))
    rows = SubjectErasure.objects.select_related("search").order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def parts_of(erasure: SubjectErasure) -> list[SubjectErasurePart]:
    """In the open scope."""
    return list(SubjectErasurePart.objects.filter(erasure=erasure).order_by("dataset_id", "number"))
