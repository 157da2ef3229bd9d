"""Which records are the subject's: found by the request's search and accepted, or entered by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from compliance.models import RequestMatch, SubjectRequest
from compliance.requests.sealed import open_ids, seal_ids
from compliance.requests.searches import accepted_records
from compliance.requests.selectors import get_locked
from compliance.requests.states import State, require_state, tell
from datasets.models import Dataset
from datasets.selectors import get_dataset
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Records of one request in all, and datasets.
MAX_RECORDS: Final = 10_000
MAX_DATASETS: Final = 200
_LONGEST_ID: Final = 128


@dataclass(frozen=True)
class Match:
    """Records of one dataset that are the subject's, by id, ascending."""

    dataset_id: UUID
    record_ids: tuple[str, ...]


def matches_of(request: SubjectRequest) -> list[Match]:
    """The subject's records, in the open scope: those entered, and those found by the search and accepted."""
    found = {one.dataset_id: set(one.record_ids) for one in entered_of(request)}
    for dataset_id, record_ids in accepted_records(request).items():
        found.setdefault(dataset_id, set()).update(record_ids)
    return [Match(dataset_id, tuple(sorted(record_ids))) for dataset_id, record_ids in sorted(found.items())]


def entered_of(request: SubjectRequest) -> list[Match]:
    """The subject's records as they were entered by hand, in the open scope."""
    rows = RequestMatch.objects.filter(request=request).order_by("dataset_id")
    return [Match(row.dataset_id, tuple(open_ids(row))) for row in rows]


def set_matches(principal: Principal, *, request_id: UUID, found: Mapping[UUID, Sequence[str]]) -> SubjectRequest:
    """Enter the records of every dataset that are the subject's, in place of what was entered before by hand.

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, InvalidInput, DatasetNotFound.
    """
    request = get_locked(principal, request_id)
    require_state(request, State.SEARCHING, State.REVIEW)
    _require_few(found)
    datasets = [get_dataset(principal, dataset_id, action="dataset.read") for dataset_id in sorted(found)]
    RequestMatch.objects.filter(request=request).delete()
    RequestMatch.objects.bulk_create(_row(request, one, found[one.pk], principal) for one in datasets)
    total = sum(len(set(ids)) for ids in found.values())
    tell(EventType.SUBJECT_REQUEST_MATCHED, request, datasets=len(found), records=total)
    return request


def _row(request: SubjectRequest, dataset: Dataset, ids: Sequence[str], principal: Principal) -> RequestMatch:
    wanted = sorted(set(ids))
    row = RequestMatch(id=uuid7(), request=request, dataset=dataset, record_count=len(wanted))
    row.entered_by, row.entered_at = principal.id, timezone.now()
    row.record_ids = seal_ids(row, wanted)
    return row


def _require_few(found: Mapping[UUID, Sequence[str]]) -> None:
    problems = []
    if len(found) > MAX_DATASETS:
        problems.append(FieldProblem("/matches", f"at most {MAX_DATASETS} datasets"))
    if sum(map(len, found.values())) > MAX_RECORDS:
        problems.append(FieldProblem("/matches", f"at most {MAX_RECORDS} records"))
    if any(not 0 < len(one) <= _LONGEST_ID or "\0" in one for ids in found.values() for one in ids):
        problems.append(FieldProblem("/matches", f"ids of 1 to {_LONGEST_ID} characters"))
    if problems:
        raise InvalidInput(errors=problems)
