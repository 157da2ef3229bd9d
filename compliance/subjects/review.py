"""Decide which matches are the person's."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from compliance.errors.subjects import SubjectErasureExists, SubjectMatchNotFound, SubjectSearchUnfinished
from compliance.models import MatchReason, MatchState, SubjectErasure, SubjectMatch, SubjectSearch, SubjectStore
from compliance.subjects.search import lock_search
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal

DECISIONS: Final = (MatchState.ACCEPTED, MatchState.REJECTED)
#: Matches of one decision.
MAX_DECIDED: Final = 1_000


def decide_matches(
    principal: Principal, *, search_id: UUID, match_ids: Sequence[UUID], decision: MatchState
) -> list[SubjectMatch]:
    """Say that these matches are the person's, or are not; until the erasure of the search it can be said again.

    Raises AccessDenied, SubjectSearchNotFound, SubjectSearchUnfinished, SubjectErasureExists, SubjectMatchNotFound.
    """
    facts = {"decision": str(decision), "matches": len(match_ids)}
    authorize(principal, "subject.review", ResourceRef("subject_search", str(search_id)), facts=facts)
    search = lock_search(search_id)
    require_open(search)
    rows = list(SubjectMatch.objects.select_for_update().filter(search=search, pk__in=match_ids).order_by("pk"))
    if len(rows) != len(set(match_ids)):
        raise SubjectMatchNotFound
    now = timezone.now()
    for row in rows:
        row.state, row.decided_by, row.decided_at = decision, principal.id, now
    SubjectMatch.objects.bulk_update(rows, ["state", "decided_by", "decided_at"], batch_size=MAX_DECIDED)
    resource = ResourceRef("subject_search", str(search_id))
    emit(Event(EventType.SUBJECT_MATCHED, operation="update", resource=resource, metadata=facts))
    return rows


def enter_records(search: SubjectSearch, found: Mapping[UUID, Sequence[str]], *, by: UUID) -> None:
    """In the open scope: records that somebody knows to be the person's, by dataset; beside what the search found."""
    now = timezone.now()
    decided = {"state": MatchState.ACCEPTED, "decided_by": by, "decided_at": now}
    rows = [
        SubjectMatch(
            search=search,
            store=SubjectStore.RECORD,
            dataset_id=dataset_id,
            object_id=dataset_id,
            record_id=record_id,
            reason=MatchReason.ENTERED,
            score=1.0,
            **decided,
        )
        for dataset_id, record_ids in found.items()
        for record_id in record_ids
    ]
    SubjectMatch.objects.bulk_create(rows, batch_size=MAX_DECIDED, ignore_conflicts=True)
    known = SubjectMatch.objects.filter(search=search, store=SubjectStore.RECORD).exclude(state=MatchState.ACCEPTED)
    for dataset_id, record_ids in found.items():
        known.filter(object_id=dataset_id, place="", record_id__in=list(record_ids)).update(**decided)


def require_open(search: SubjectSearch) -> None:
    """Raises SubjectSearchUnfinished, SubjectErasureExists."""
    if search.status != JobStatus.SUCCEEDED:
        raise SubjectSearchUnfinished(status_of_search=search.status)
    erasure = erasure_of(search.pk)
    if erasure is not None:
        raise SubjectErasureExists(erasure=str(erasure.pk))


def erasure_of(search_id: UUID) -> SubjectErasure | None:
    """The erasure of what a search found, unless it failed."""
    rows = SubjectErasure.objects.filter(search_id=search_id)
    return rows.exclude(status__in=(JobStatus.FAILED, JobStatus.CANCELLED)).first()
