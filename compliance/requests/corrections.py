"""Rectification: what records are to say is proposed by an officer, and becomes a version by who may write them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models.functions import Now

from access.selectors import may
from access.services.authorize import authorize
from access.work_selectors import COUNTED, Waiting
from compliance.errors.requests import CorrectionApplied, CorrectionNotFound, NotOfThisType, RecordsNotShown
from compliance.models import Correction, SubjectRequest
from compliance.models.request import RequestType
from compliance.requests.intake import MANAGE
from compliance.requests.matches import matches_of
from compliance.requests.sealed import open_patches, seal_patches
from compliance.requests.searches import require_reviewed
from compliance.requests.selectors import get_locked, get_request
from compliance.requests.states import DONE, State, locked, move, require_state, resource_of_request, tell
from datasets.errors import RecordNotFound
from datasets.selectors import get_dataset
from datasets.services.drafts.patch import MERGE, Patch, PatchOutcome, apply_patch, begin_patch, merge_patch
from datasets.services.read import open_release, read_record
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

#: Records of one correction, and bytes of what it says.
MAX_PATCHES: Final = 100
MAX_BYTES: Final = 256 * 1024
_BRANCH: Final = "main"
_MEMBERS: Final = frozenset({"id", "data", "metadata"})


@dataclass(frozen=True)
class Change:
    """A record before and after a correction; ``before`` is None where the branch has no such record."""

    record_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def propose(
    principal: Principal, *, request_id: UUID, dataset_id: UUID, patches: Sequence[Mapping[str, Any]]
) -> Correction:
    """Say what records are to say instead: merge patches (RFC 7396), each ``{"id", "data"}``, sealed until applied.

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, NotOfThisType, DatasetNotFound, InvalidInput.
    """
    request = get_locked(principal, request_id)
    require_state(request, State.REVIEW, State.EXECUTING)
    if request.type != RequestType.RECTIFICATION:
        raise NotOfThisType(asks_for=request.type)
    _require_patches(patches)
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    row = Correction(id=uuid7(), request=request, dataset=dataset, branch=_BRANCH, proposed_by=principal.id)
    row.patch_count, row.patches = len(patches), seal_patches(row, [dict(one) for one in patches])
    row.save(force_insert=True)
    row.refresh_from_db()
    _tell(EventType.SUBJECT_CORRECTION_PROPOSED, row)
    return row


def _require_patches(patches: Sequence[Mapping[str, Any]]) -> None:
    ids = [one.get("id") for one in patches]
    is_shaped = all(
        set(one) <= _MEMBERS and isinstance(one.get("id"), str) and isinstance(one.get("data", {}), dict)
        for one in patches
    )
    if not 0 < len(patches) <= MAX_PATCHES or not is_shaped or len(set(map(str, ids))) != len(ids):
        raise InvalidInput(
            errors=[FieldProblem("/patches", f"1 to {MAX_PATCHES} of different records, each with id and data")]
        )
    if len(orjson.dumps([dict(one) for one in patches])) > MAX_BYTES:
        raise InvalidInput(errors=[FieldProblem("/patches", f"at most {MAX_BYTES} bytes")])


def current_record(
    principal: Principal, *, request_id: UUID, dataset_id: UUID, record_id: str
) -> tuple[SubjectRequest, dict[str, Any]]:
    """What a record of the subject says now, for who may propose what it is to say and is shown it as it is.

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, NotOfThisType, SearchUnderWay,
    SubjectSearchTruncated, MatchesUndecided, RecordNotFound (also of a record that is not the subject's),
    RecordsNotShown, and what ``open_release`` raises.
    """
    request = get_request(principal, request_id, action=MANAGE)
    require_state(request, State.REVIEW, State.EXECUTING)
    if request.type != RequestType.RECTIFICATION:
        raise NotOfThisType(asks_for=request.type)
    require_reviewed(request)
    theirs = {match.dataset_id: match.record_ids for match in matches_of(request)}
    if record_id not in theirs.get(dataset_id, ()):
        raise RecordNotFound
    release = open_release(principal, dataset_id=dataset_id, version=_BRANCH).for_subject()
    if not release.is_whole:
        raise RecordsNotShown
    return request, read_record(release, record_id).data


def waiting_corrections(principal: Principal, *, limit: int) -> list[Correction]:
    """Those that nobody has applied yet, of requests that are not done with, oldest first. Raises AccessDenied."""
    authorize(principal, "subject_request.preview", resource_of_request())
    rows = Correction.objects.filter(applied_at=None).exclude(request__state__in=DONE)
    return list(rows.select_related("dataset", "request").order_by("id")[:limit])


def corrections_to_apply(principal: Principal) -> Waiting:
    """Corrections of subjects' records that wait for somebody who may write them."""
    if not may(principal, "subject_request.correct"):
        return Waiting(0)
    rows = Correction.objects.filter(applied_at=None).exclude(request__state__in=DONE)
    return Waiting(rows[:COUNTED].count())


def get_correction(principal: Principal, *, request_id: UUID, correction_id: UUID) -> Correction:
    """Raises AccessDenied, SubjectRequestNotFound, CorrectionNotFound."""
    return find_correction(get_request(principal, request_id, action="subject_request.preview"), correction_id)


def corrections_of(request: SubjectRequest) -> list[Correction]:
    """In the order they were proposed, in the open scope."""
    return list(Correction.objects.filter(request=request).select_related("dataset").order_by("id"))


def find_correction(request: SubjectRequest, correction_id: UUID) -> Correction:
    """Raises CorrectionNotFound."""
    found = Correction.objects.filter(pk=correction_id, request=request).select_related("dataset").first()
    if found is None:
        raise CorrectionNotFound
    return found


def preview(principal: Principal, *, request_id: UUID, correction_id: UUID) -> list[Change]:
    """What a correction would change, for who is shown the records as they are; reading them is recorded.

    Raises AccessDenied, SubjectRequestNotFound, CorrectionNotFound, RecordsNotShown, and what ``open_release`` raises.
    """
    correction = get_correction(principal, request_id=request_id, correction_id=correction_id)
    opened = open_release(principal, dataset_id=correction.dataset_id, version=correction.branch)
    release = opened.for_subject()
    if not release.is_whole:
        raise RecordsNotShown
    changes = []
    for patch in open_patches(correction):
        record_id = str(patch["id"])
        try:
            before = read_record(release, record_id).data
        except RecordNotFound:
            changes.append(Change(record_id, None, None))
        else:
            changes.append(Change(record_id, before, merge_patch(before, patch.get("data", {}))))
    return changes


@dataclass(frozen=True)
class Application:
    """The right to apply one correction: decided, nothing changed yet."""

    correction: Correction
    patch: Patch
    body: bytes


def begin_application(principal: Principal, *, request_id: UUID, correction_id: UUID) -> Application:
    """Decide whether the principal may write what was proposed, in the open scope.

    Raises AccessDenied, SubjectRequestNotFound, WrongRequestState, CorrectionNotFound, CorrectionApplied, and what
    ``begin_patch`` raises.
    """
    authorize(principal, "subject_request.correct", resource_of_request(request_id))
    request = locked(request_id)
    require_state(request, State.REVIEW, State.EXECUTING)
    correction = find_correction(request, correction_id)
    if correction.applied_at is not None:
        raise CorrectionApplied
    patch = begin_patch(principal, dataset_id=correction.dataset_id)
    message = f"Rectification, request {request.reference}"
    said = {"mode": MERGE, "branch": correction.branch, "message": message, "records": open_patches(correction)}
    return Application(correction, patch, orjson.dumps(said))


def run_application(principal: Principal, begun: Application, facts: RequestFacts) -> PatchOutcome:
    """Make the new version. Opens scopes of its own; none may be open. Raises what ``apply_patch`` raises.

    Whoever is stopped behind it and applies the correction again changes nothing: a merge patch is the same twice.
    """
    return apply_patch(principal, begun.patch, begun.body, facts)


def end_application(principal: Principal, begun: Application, outcome: PatchOutcome) -> Correction:
    """Write down that it was applied, in an open scope. Raises CorrectionApplied where somebody else did meanwhile."""
    request = locked(begun.correction.request_id)
    rows = Correction.objects.filter(pk=begun.correction.pk, applied_at=None)
    if not rows.update(applied_by=principal.id, applied_at=Now(), publication=outcome.publication):
        raise CorrectionApplied
    correction = find_correction(request, begun.correction.pk)
    correction.request = request
    if request.state == State.REVIEW:
        move(request, State.EXECUTING)
    _tell(EventType.SUBJECT_CORRECTION_APPLIED, correction)
    return correction


def _tell(kind: EventType, correction: Correction) -> None:
    tell(
        kind,
        correction.request,
        operation="write",
        correction=str(correction.pk),
        dataset=str(correction.dataset_id),
        records=correction.patch_count,
    )
