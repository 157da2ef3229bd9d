"""REST: rescans, and what is in quarantine."""

from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from datasets.api.views import PAGING
from datasets.models import QuarantinedRecord, RecordState, Rescan, VersionQuarantine
from datasets.selectors import get_dataset, resource_of
from datasets.services.quarantine_review import (
    discard_quarantined,
    list_quarantined,
    read_quarantined,
    restore_quarantined,
)
from datasets.services.rescan.start import get_rescan, list_rescans, start_rescan
from datasets.services.version_quarantine import list_quarantines, quarantine_version, release_version
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView

_VERSIONS = 1000


class QuarantineReasonInput(StrictInput):
    reason = serializers.CharField(max_length=1000)


class RescanOutput(serializers.ModelSerializer[Rescan]):
    """``drift``: by entity type, how many findings the detectors of now have that those before had not, and lost."""

    detector = serializers.SerializerMethodField()

    class Meta:
        model = Rescan
        fields = [
            "id",
            "dataset_id",
            "status",
            "progress",
            "error",
            "detector",
            "chunk_count",
            "scanned_count",
            "record_count",
            "changed_count",
            "failed_count",
            "refused_count",
            "drift",
            "requested_by",
            "created_at",
            "started_at",
            "finished_at",
        ]

    def get_detector(self, row: Rescan) -> str:
        return bytes(row.detector).hex()


class VersionQuarantineOutput(serializers.ModelSerializer[VersionQuarantine]):
    version = serializers.CharField(source="version.label")

    class Meta:
        model = VersionQuarantine
        fields = [
            "id",
            "version",
            "cause",
            "reason",
            "placed_by",
            "placed_at",
            "released_by",
            "released_at",
            "release_reason",
        ]


class QuarantinedRecordOutput(serializers.ModelSerializer[QuarantinedRecord]):
    class Meta:
        model = QuarantinedRecord
        fields = [
            "id",
            "ingest",
            "branch",
            "line",
            "record_id",
            "code",
            "detail",
            "state",
            "created_at",
            "decided_by",
            "decided_at",
            "reason",
        ]


class RescanListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=PAGING, responses=RescanOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Rescans of a dataset, newest first."""
        dataset = get_dataset(self.principal, dataset_id, action="detection.read")
        authorize(self.principal, "detection.read", resource_of(dataset))
        wanted = read_page(request, members=1)
        rows = list_rescans(dataset, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(RescanOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(request=None, responses={202: RescanOutput})
    def post(self, _: Request, dataset_id: UUID) -> Response:
        """Scan everything stored of a dataset by the detectors of now; every chunk once."""
        row = start_rescan(self.principal, dataset_id=dataset_id)
        response = Response(RescanOutput(row).data, status=202)
        response["Location"] = f"/api/v1/rescans/{row.pk}"
        return response


class RescanView(VaultAPIView):
    resource_type = "rescan"

    @extend_schema(responses=RescanOutput)
    def get(self, _: Request, rescan_id: UUID) -> Response:
        """How far a rescan is, and what it found."""
        return Response(RescanOutput(get_rescan(self.principal, rescan_id)).data)


class VersionQuarantineListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=VersionQuarantineOutput(many=True))
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """Versions that are or were in quarantine, newest first."""
        dataset = get_dataset(self.principal, dataset_id, action="detection.read")
        authorize(self.principal, "detection.read", resource_of(dataset))
        rows = list_quarantines(dataset, limit=_VERSIONS)
        data = list(VersionQuarantineOutput(rows, many=True).data)
        return Response(page(data, limit=_VERSIONS, next_cursor=None))


class VersionQuarantineView(VaultAPIView):
    resource_type = "version"

    @extend_schema(request=QuarantineReasonInput, responses={201: VersionQuarantineOutput})
    def post(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Put a version out of every reader's reach."""
        reason = _reason(request)
        row = quarantine_version(self.principal, dataset_id=dataset_id, version=version, reason=reason)
        return Response(VersionQuarantineOutput(row).data, status=201)


class VersionReleaseView(VaultAPIView):
    resource_type = "version"

    @extend_schema(request=QuarantineReasonInput, responses=VersionQuarantineOutput)
    def post(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Let readers have a version again."""
        reason = _reason(request)
        row = release_version(self.principal, dataset_id=dataset_id, version=version, reason=reason)
        return Response(VersionQuarantineOutput(row).data)


class StateQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=RecordState.choices, required=False)


class QuarantinedRecordListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=[StateQuery, *PAGING], responses=QuarantinedRecordOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Records of uploads that could not be scanned, newest first; without their content."""
        query = StateQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        dataset = get_dataset(self.principal, dataset_id, action="detection.read")
        authorize(self.principal, "detection.read", resource_of(dataset))
        wanted = read_page(request, members=1)
        state = query.validated_data.get("state", "")
        rows = list_quarantined(dataset, state=state, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(QuarantinedRecordOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))


class QuarantinedRecordView(VaultAPIView):
    resource_type = "quarantined_record"

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, _: Request, record_id: UUID) -> Response:
        """The record as it was sent, for readers of raw data."""
        return Response(read_quarantined(self.principal, record_id))


class QuarantinedRecordRestoreView(VaultAPIView):
    resource_type = "quarantined_record"

    @extend_schema(request=None, responses={201: OpenApiTypes.OBJECT})
    def post(self, _: Request, record_id: UUID) -> Response:
        """Scan the record again and stage it in a draft of its branch."""
        draft = restore_quarantined(self.principal, record_id)
        response = Response({"draft": str(draft.pk), "branch": draft.branch}, status=201)
        response["Location"] = f"/api/v1/datasets/{draft.dataset_id}/versions/{draft.pk}"
        return response


class QuarantinedRecordDiscardView(VaultAPIView):
    resource_type = "quarantined_record"

    @extend_schema(request=QuarantineReasonInput, responses=QuarantinedRecordOutput)
    def post(self, request: Request, record_id: UUID) -> Response:
        """Drop the record for good."""
        return Response(
            QuarantinedRecordOutput(discard_quarantined(self.principal, record_id, reason=_reason(request))).data
        )


def _reason(request: Request) -> str:
    body = QuarantineReasonInput(data=request.data)
    body.is_valid(raise_exception=True)
    reason: str = body.validated_data["reason"]
    return reason
