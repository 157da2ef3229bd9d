"""REST: what the vault holds of a person, and the erasure of it."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.bodies import PAGING, paged
from access.services.authorize import authorize
from compliance.api.subjects_serializers import (
    MatchDecisionInput,
    MatchesOutput,
    RecipientProofInput,
    RecipientTaskOutput,
    RecipientTaskPage,
    SubjectErasureDetail,
    SubjectErasureInput,
    SubjectErasureOutput,
    SubjectErasurePage,
    SubjectErasurePartOutput,
    SubjectIndexInput,
    SubjectIndexOutput,
    SubjectMatchOutput,
    SubjectMatchPage,
    SubjectSearchInput,
    SubjectSearchOutput,
    SubjectSearchPage,
)
from compliance.models import LegalBasis, MatchState, RecipientTask, SubjectErasure, SubjectMatch, SubjectSearch
from compliance.subjects import verify_receipt
from compliance.subjects.erase import (
    get_subject_erasure,
    list_subject_erasures,
    parts_of,
    start_subject_erasure,
)
from compliance.subjects.index_search import IndexAnswer, search_index
from compliance.subjects.receipt import open_manifest, open_note
from compliance.subjects.recipients import list_tasks, settle_task
from compliance.subjects.review import decide_matches
from compliance.subjects.search import get_search, list_matches, list_searches, start_subject_search
from vaultsite.kernel.api.pagination import PageRequest, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef


def _after(wanted: PageRequest) -> UUID | None:
    try:
        return UUID(wanted.after[0]) if wanted.after else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _accepted(answer: dict[str, Any], kind: str) -> Response:
    return Response(answer, status=202, headers={"Location": f"/api/v1/{kind}/{answer['id']}"})


class SubjectIndexView(VaultAPIView):
    resource_type = "subject"

    @extend_schema(operation_id="searchSubjectIndex", request=SubjectIndexInput, responses=SubjectIndexOutput)
    def post(self, request: Request) -> Response:
        """Records of a person by the subject index: at once, and without reading any record."""
        body = SubjectIndexInput(data=request.data)
        body.is_valid(raise_exception=True)
        return Response(_index_json(search_index(self.principal, body.given())))


def _index_json(answer: IndexAnswer) -> dict[str, Any]:
    return {
        "data": [
            {"dataset_id": str(hit.dataset_id), "record_id": hit.record_id, "identifiers": list(hit.identifiers)}
            for hit in answer.hits
        ],
        "datasets": [
            {"dataset_id": str(pk), "name": answer.names.get(pk, ""), "records": count}
            for pk, count in sorted(answer.datasets.items())
        ],
        "is_truncated": answer.is_truncated,
        "skipped": list(answer.skipped),
    }


class SubjectSearchListView(VaultAPIView):
    resource_type = "subject_search"

    @extend_schema(operation_id="listSubjectSearches", parameters=PAGING, responses=SubjectSearchPage)
    def get(self, request: Request) -> Response:
        """Searches for people, newest first."""
        wanted = read_page(request, members=1)
        rows = list_searches(self.principal, after=_after(wanted), limit=wanted.limit + 1)
        return paged(rows, wanted, _search_json)

    @extend_schema(operation_id="startSubjectSearch", request=SubjectSearchInput, responses={202: SubjectSearchOutput})
    def post(self, request: Request) -> Response:
        """Look for a person in the index, then in everything stored. The identifiers are sealed, and never shown."""
        body = SubjectSearchInput(data=request.data)
        body.is_valid(raise_exception=True)
        search = start_subject_search(self.principal, identifiers=body.given())
        return _accepted(_search_json(search), "subject-searches")


def _search_json(search: SubjectSearch) -> dict[str, Any]:
    return dict(SubjectSearchOutput(search).data)


class SubjectSearchView(VaultAPIView):
    resource_type = "subject_search"

    @extend_schema(operation_id="getSubjectSearch", responses=SubjectSearchOutput)
    def get(self, _: Request, subject_search_id: UUID) -> Response:
        """How far a search is, and how much it found."""
        return Response(_search_json(get_search(self.principal, subject_search_id)))


class SubjectMatchListView(VaultAPIView):
    resource_type = "subject_search"

    @extend_schema(
        operation_id="listSubjectMatches",
        parameters=[*PAGING, OpenApiParameter("state", OpenApiTypes.STR, enum=MatchState.values)],
        responses=SubjectMatchPage,
    )
    def get(self, request: Request, subject_search_id: UUID) -> Response:
        """What a search found, with the reason of each match."""
        wanted, state = read_page(request, members=1), request.query_params.get("state", "")
        if state not in {"", *MatchState.values}:
            raise InvalidInput(errors=[FieldProblem("state", f"one of {', '.join(MatchState.values)}")])
        after = _after(wanted)
        rows = list_matches(self.principal, subject_search_id, state=state, after=after, limit=wanted.limit + 1)
        return paged(rows, wanted, _match_json)

    @extend_schema(operation_id="decideSubjectMatches", request=MatchDecisionInput, responses=MatchesOutput)
    def post(self, request: Request, subject_search_id: UUID) -> Response:
        """Accept or reject matches. What a name alone speaks for is erased only once somebody accepted it."""
        body = MatchDecisionInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        decision = MatchState(given["decision"])
        rows = decide_matches(
            self.principal, search_id=subject_search_id, match_ids=given["matches"], decision=decision
        )
        return Response({"data": [_match_json(row) for row in rows]})


def _match_json(match: SubjectMatch) -> dict[str, Any]:
    return dict(SubjectMatchOutput(match).data)


class SubjectErasureListView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="listSubjectErasures", parameters=PAGING, responses=SubjectErasurePage)
    def get(self, request: Request) -> Response:
        """Erasures of people, newest first."""
        wanted = read_page(request, members=1)
        rows = list_subject_erasures(self.principal, after=_after(wanted), limit=wanted.limit + 1)
        return paged(rows, wanted, _erasure_json)

    @extend_schema(
        operation_id="startSubjectErasure", request=SubjectErasureInput, responses={202: SubjectErasureOutput}
    )
    def post(self, request: Request) -> Response:
        """Erase what a search found of a person from every store. It cannot be undone."""
        body = SubjectErasureInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data | {"legal_basis": LegalBasis(body.validated_data["legal_basis"])}
        return _accepted(_erasure_json(start_subject_erasure(self.principal, **given)), "subject-erasures")


def _erasure_json(erasure: SubjectErasure) -> dict[str, Any]:
    return dict(SubjectErasureOutput(erasure).data)


class SubjectErasureView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="getSubjectErasure", responses=SubjectErasureDetail)
    def get(self, _: Request, subject_erasure_id: UUID) -> Response:
        """How far an erasure is, in each dataset, and what stands against it."""
        erasure = get_subject_erasure(self.principal, subject_erasure_id)
        parts = [dict(SubjectErasurePartOutput(part).data) for part in parts_of(erasure)]
        return Response(_erasure_json(erasure) | {"parts": parts})


class SubjectReceiptView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="getSubjectErasureReceipt", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, _: Request, subject_erasure_id: UUID) -> HttpResponse:
        """The signed receipt: one line of JSON as a signed note, to be checked with the verifier and the log's keys."""
        note = open_note(get_subject_erasure(self.principal, subject_erasure_id))
        return file_answer(note, f"erasure-{subject_erasure_id}.receipt", "text/plain; charset=utf-8")


class SubjectManifestView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="getTrainingExclusionManifest", responses=OpenApiTypes.OBJECT)
    def get(self, _: Request, subject_erasure_id: UUID) -> Response:
        """Which records to leave out of training, and which models were trained on data they were in."""
        return Response(open_manifest(get_subject_erasure(self.principal, subject_erasure_id)))


class SubjectVerifierView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="getSubjectReceiptVerifier", responses={(200, "text/x-python"): OpenApiTypes.STR})
    def get(self, _: Request) -> HttpResponse:
        """The script that checks receipts without the vault."""
        authorize(self.principal, "subject.read", ResourceRef("subject_erasure"))
        return file_answer(verifier_source(), "verify_receipt.py", "text/x-python; charset=utf-8")


def verifier_source() -> str:
    return Path(verify_receipt.__file__).read_text("utf-8")


def file_answer(body: str, name: str, media_type: str) -> HttpResponse:
    """A file that the browser saves and does not show."""
    response = HttpResponse(body.encode(), content_type=media_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response


class RecipientTaskListView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="listRecipientTasks", parameters=PAGING, responses=RecipientTaskPage)
    def get(self, request: Request, subject_erasure_id: UUID) -> Response:
        """Who took data of the person out of the vault, and whether they were told."""
        wanted = read_page(request, members=1)
        rows = list_tasks(self.principal, subject_erasure_id, after=_after(wanted), limit=wanted.limit + 1)
        return paged(rows, wanted, _task_json)


def _task_json(task: RecipientTask) -> dict[str, Any]:
    return dict(RecipientTaskOutput(task).data)


class RecipientProofView(VaultAPIView):
    resource_type = "subject_erasure"

    @extend_schema(operation_id="proveRecipientTold", request=RecipientProofInput, responses=RecipientTaskOutput)
    def post(self, request: Request, subject_erasure_id: UUID, recipient_task_id: UUID) -> Response:
        """Say how a recipient was told of the erasure; once."""
        body = RecipientProofInput(data=request.data)
        body.is_valid(raise_exception=True)
        proof = body.validated_data["proof"]
        return Response(
            _task_json(
                settle_task(self.principal, erasure_id=subject_erasure_id, task_id=recipient_task_id, proof=proof)
            )
        )
