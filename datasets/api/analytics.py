"""REST: tables for analytics, released under a guarantee."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.http import StreamingHttpResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from access.services.idempotency import begin_attempt, fingerprint_of, store_answer
from datasets.api.analytics_shapes import (
    AnalyticsExportInput,
    AnalyticsExportOutput,
    AnalyticsExportsOutput,
    ScheduleInput,
    ScheduleOutput,
    SchedulesOutput,
    SuggestionInput,
    SuggestionOutput,
)
from datasets.api.exports import AddressInput, AddressOutput
from datasets.api.views import PAGING, PURPOSE, idempotency_key
from datasets.selectors import get_dataset, resource_of
from datasets.services.exports.download import Address
from datasets.services.guaranteed.download import GuaranteedDownload, make_address, open_download, stream_download
from datasets.services.guaranteed.request import (
    create_guaranteed_export,
    get_guaranteed_export,
    list_guaranteed_exports,
    report_deletion,
    withdraw_guaranteed_export,
)
from datasets.services.guaranteed.schedules import create_schedule, end_schedule, list_schedules
from datasets.services.guaranteed.suggestions import open_suggestions, suggest_columns
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.tenancy.middleware import facts_of

_DATASET = OpenApiParameter("dataset_id", OpenApiTypes.UUID, required=True)


class _DatasetQuery(serializers.Serializer[Any]):
    dataset_id = serializers.UUIDField()


def _dataset_of(request: Request) -> UUID:
    wanted = _DatasetQuery(data=request.query_params)
    wanted.is_valid(raise_exception=True)
    found: UUID = wanted.validated_data["dataset_id"]
    return found


class AnalyticsExportListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(
        operation_id="analytics_export_list", parameters=[_DATASET, *PAGING], responses=AnalyticsExportsOutput
    )
    def get(self, request: Request) -> Response:
        """The caller's own exports of a dataset under a guarantee, newest first."""
        wanted = read_page(request, members=1)
        rows = list_guaranteed_exports(
            self.principal, dataset_id=_dataset_of(request), after=wanted.after, limit=wanted.limit + 1
        )
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(AnalyticsExportOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(parameters=[PURPOSE], request=AnalyticsExportInput, responses={202: AnalyticsExportOutput})
    def post(self, request: Request) -> Response:
        """Make a table of a version's records that keeps k, l and t per data subject."""
        body = AnalyticsExportInput(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        answer = self._create_once(key, request, body) if key else self._create(body)
        response = Response(answer, status=202)
        response["Location"] = f"/api/v1/analytics/export/{answer['export_id']}"
        return response

    def _create(self, body: AnalyticsExportInput) -> dict[str, Any]:
        given = body.validated_data
        export = create_guaranteed_export(
            self.principal,
            dataset_id=given["dataset_id"],
            version=given["version"],
            options=body.options(),
            purpose=given["purpose"] or None,
        )
        return dict(AnalyticsExportOutput(export).data)

    def _create_once(self, key: str, request: Request, body: AnalyticsExportInput) -> dict[str, Any]:
        attempt = begin_attempt(self.principal, route="POST analytics export", key=key)
        fingerprint = fingerprint_of(orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS))
        attempt.require_same(fingerprint)
        if attempt.answer is not None:
            found = get_guaranteed_export(self.principal, UUID(attempt.answer["export"]))
            return dict(AnalyticsExportOutput(found).data)
        answer = self._create(body)
        store_answer(attempt, fingerprint=fingerprint, answer={"export": str(answer["export_id"])})
        return answer


class AnalyticsExportView(VaultAPIView):
    resource_type = "export"

    @extend_schema(responses=AnalyticsExportOutput)
    def get(self, _: Request, guaranteed_id: UUID) -> Response:
        """Status, guarantee, utility, risk and files of an export."""
        return Response(AnalyticsExportOutput(get_guaranteed_export(self.principal, guaranteed_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, _: Request, guaranteed_id: UUID) -> Response:
        """Cancel an export that is not finished, or remove our files; the recipient's copy stays in the ledger."""
        withdraw_guaranteed_export(self.principal, guaranteed_id)
        return Response(status=204)


class DeletionView(VaultAPIView):
    resource_type = "export"

    @extend_schema(request=None, responses=AnalyticsExportOutput)
    def post(self, _: Request, guaranteed_id: UUID) -> Response:
        """Say that every copy of the files was deleted. The release leaves the ledger once somebody else attests it."""
        return Response(AnalyticsExportOutput(report_deletion(self.principal, guaranteed_id)).data)


class AnalyticsAddressView(VaultAPIView):
    resource_type = "export"

    @extend_schema(request=AddressInput, responses=AddressOutput)
    def post(self, request: Request, guaranteed_id: UUID) -> Response:
        """A signed address of one file, for this caller and ten minutes. It is decided on again when it is used."""
        body = AddressInput(data=request.data)
        body.is_valid(raise_exception=True)
        address = make_address(self.principal, guaranteed_id, name=body.validated_data["file"])
        answer = {"url": analytics_url(address), "file": address.name, "expires_at": address.expires_at}
        return Response(AddressOutput(answer).data)


def analytics_url(address: Address) -> str:
    """The path and query of a download."""
    path = reverse("analytics-file", args=[address.export_id, address.name])
    return f"{path}?{urlencode({'token': address.token})}"


class AnalyticsFileView(VaultAPIView):
    """One file. Opens its scopes itself: bytes flow outside of them."""

    resource_type = "export"
    scope_per_request = False

    @extend_schema(
        parameters=[
            OpenApiParameter("token", OpenApiTypes.STR, required=True),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER),
        ],
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
        },
    )
    def get(self, request: Request, guaranteed_id: UUID, name: str) -> StreamingHttpResponse:
        """Download a file by its signed address; whole, or from a byte on."""
        with self.open_scope():
            download = open_download(
                self.principal,
                guaranteed_id,
                name=name,
                token=request.query_params.get("token", ""),
                wanted=request.headers.get("Range", ""),
            )
        body: Iterator[bytes] = iter(())
        if request.method != "HEAD":
            body = stream_download(download, self.principal, facts_of(self.django_request))
        return _file_response(download, body)


def _file_response(download: GuaranteedDownload, body: Iterator[bytes]) -> StreamingHttpResponse:
    file = download.file
    response = StreamingHttpResponse(body, content_type=file.media_type, status=206 if download.is_partial else 200)
    response["Content-Length"] = str(download.stop - download.start)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = f'"{file.sha256}"'
    response["Cache-Control"] = "no-store"
    if download.is_partial:
        response["Content-Range"] = f"bytes {download.start}-{download.stop - 1}/{file.bytes}"
    return response


class QuasiIdentifierView(VaultAPIView):
    """Looks at records outside of its scope: that may take a while."""

    resource_type = "dataset"
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE], request=SuggestionInput, responses=SuggestionOutput)
    def post(self, request: Request) -> Response:
        """Which columns tell people apart, alone or together, in the records as the caller may see them."""
        body = SuggestionInput(data=request.data)
        with self.open_scope():
            body.is_valid(raise_exception=True)
            given = body.validated_data
            release = open_suggestions(
                self.principal,
                dataset_id=given["dataset_id"],
                version=given["version"],
                purpose=given["purpose"] or None,
            )
        found, records = suggest_columns(release)
        answer = {
            "records": records,
            "identifiers": found.identifiers,
            "quasi_identifiers": found.quasi_identifiers,
            "columns": [one.as_json() for one in found.columns],
            "combinations": [one.as_json() for one in found.combinations],
        }
        return Response(SuggestionOutput(answer).data)


class ScheduleListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=[_DATASET], responses=SchedulesOutput)
    def get(self, request: Request) -> Response:
        """The caller's own schedules of a dataset; with release.manage everybody's."""
        dataset = get_dataset(self.principal, _dataset_of(request), action="dataset.read")
        authorize(self.principal, "dataset.read", resource_of(dataset))
        rows = list_schedules(self.principal, dataset_id=dataset.pk)
        return Response({"data": ScheduleOutput(rows, many=True).data})

    @extend_schema(parameters=[PURPOSE], request=ScheduleInput, responses={201: ScheduleOutput})
    def post(self, request: Request) -> Response:
        """Ask for the same export of main again and again."""
        body = ScheduleInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        schedule = create_schedule(
            self.principal,
            dataset_id=given["dataset_id"],
            options=body.options(),
            interval_hours=given["interval_hours"],
            purpose=given["purpose"] or None,
        )
        response = Response(ScheduleOutput(schedule).data, status=201)
        response["Location"] = f"/api/v1/analytics/schedules/{schedule.pk}"
        return response


class ScheduleView(VaultAPIView):
    resource_type = "schedule"

    @extend_schema(responses={204: None})
    def delete(self, _: Request, schedule_id: UUID) -> Response:
        """Ask no more."""
        end_schedule(self.principal, schedule_id)
        return Response(status=204)
