"""REST: datasets, uploads, versions and records."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from django.conf import settings
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from access.services.idempotency import begin_attempt, fingerprint_of, store_answer
from access.services.metering import charge
from datasets import selectors
from datasets.api.content_encoding import require_known_encoding
from datasets.api.lifecycle import PurgeOutput, purge_response
from datasets.api.serializers import (
    DatasetInput,
    DatasetOutput,
    IngestOutput,
    RecordOutput,
    UploadInput,
    VersionOutput,
)
from datasets.models import Dataset, Ingest
from datasets.services import datasets as services
from datasets.services import lifecycle
from datasets.services.read import ReadRecord, note_withheld, open_release, read_record, read_records, stream_data
from datasets.services.rejects import open_rejects
from datasets.services.write import begin_ingest, finish_receiving
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.uploads import read_body
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import FINAL, JobStatus
from vaultsite.kernel.tenancy.middleware import facts_of

_POLL_SECONDS: Final = 0.1
NDJSON: Final = "application/x-ndjson"

#: A page of records ends here even when fewer than asked for are in it.
PAGE_BYTES: Final = 16 * 1024 * 1024

PURPOSE = OpenApiParameter("X-Vault-Purpose", OpenApiTypes.STR, OpenApiParameter.HEADER)
PAGING = [OpenApiParameter("limit", OpenApiTypes.INT), OpenApiParameter("cursor", OpenApiTypes.STR)]


class DatasetListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(
        parameters=[
            *PAGING,
            OpenApiParameter("tag", many=True),
            OpenApiParameter("name_prefix"),
            OpenApiParameter("deleted", OpenApiTypes.STR, enum=["1"]),
        ],
        responses=DatasetOutput(many=True),
    )
    def get(self, request: Request) -> Response:
        """Datasets, newest first; with ``deleted=1`` those that can be restored, the first to be purged first."""
        if request.query_params.get("deleted") == "1":
            deleted = DatasetOutput(lifecycle.list_deleted(self.principal), many=True).data
            return Response(page(list(deleted), limit=lifecycle.LISTED, next_cursor=None))
        authorize(self.principal, "dataset.list", ResourceRef(type="dataset"))
        wanted = read_page(request, members=1)
        rows = selectors.list_datasets(
            self.principal,
            tags=request.query_params.getlist("tag"),
            prefix=request.query_params.get("name_prefix", ""),
            after=wanted.after,
            limit=wanted.limit + 1,
        )
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(DatasetOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    @extend_schema(request=DatasetInput, responses={201: DatasetOutput})
    def post(self, request: Request) -> Response:
        """Create a dataset."""
        body = DatasetInput(data=request.data)
        body.is_valid(raise_exception=True)

        def create() -> dict[str, Any]:
            return dict(DatasetOutput(services.create_dataset(self.principal, facts=body.facts())).data)

        key = idempotency_key(request)
        answer = self._create_once(key, request, create) if key else create()
        response = Response(answer, status=201)
        response["Location"] = f"/api/v1/datasets/{answer['id']}"
        return response

    def _create_once(self, key: str, request: Request, create: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        attempt = begin_attempt(self.principal, route="POST datasets", key=key)
        fingerprint = fingerprint_of(orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS))
        attempt.require_same(fingerprint)
        if attempt.answer is not None:
            authorize(self.principal, "dataset.create", ResourceRef(type="dataset", id=attempt.answer["id"]))
            return attempt.answer
        answer = create()
        store_answer(attempt, fingerprint=fingerprint, answer=answer)
        return answer


class DatasetView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=DatasetOutput)
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """One dataset."""
        dataset = selectors.get_dataset(self.principal, dataset_id, action="dataset.read", with_deleted=True)
        authorize(self.principal, "dataset.read", selectors.resource_of(dataset))
        return Response(DatasetOutput(dataset).data)

    @extend_schema(request=DatasetInput, responses=DatasetOutput)
    def put(self, request: Request, dataset_id: UUID) -> Response:
        """Replace what the dataset says of itself."""
        return self._update(request, dataset_id, partial=False)

    @extend_schema(request=DatasetInput, responses=DatasetOutput)
    def patch(self, request: Request, dataset_id: UUID) -> Response:
        """Change some of what the dataset says of itself."""
        return self._update(request, dataset_id, partial=True)

    @extend_schema(
        parameters=[OpenApiParameter("purge", OpenApiTypes.STR, enum=["now"])], responses={204: None, 202: PurgeOutput}
    )
    def delete(self, request: Request, dataset_id: UUID) -> Response:
        """Delete the dataset. It can be restored for some days, unless ``purge=now`` destroys its keys at once."""
        purge = request.query_params.get("purge", "")
        if purge not in ("", "now"):
            raise InvalidInput(errors=[FieldProblem("purge", "now, or left out")])
        if purge:
            return purge_response(lifecycle.purge_dataset(self.principal, dataset_id=dataset_id))
        lifecycle.delete_dataset(self.principal, dataset_id=dataset_id)
        return Response(status=204)

    def _update(self, request: Request, dataset_id: UUID, *, partial: bool) -> Response:
        body = DatasetInput(data=request.data, partial=partial)
        body.is_valid(raise_exception=True)
        dataset = services.update_dataset(self.principal, dataset_id=dataset_id, facts=body.facts())
        return Response(DatasetOutput(dataset).data)


class DataView(VaultAPIView):
    """A dataset's records as one file, in and out. Opens its scopes itself: bytes flow outside of them."""

    resource_type = "dataset"
    scope_per_request = False

    @extend_schema(
        parameters=[UploadInput],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: IngestOutput, 202: IngestOutput},
    )
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Upload a file of records; the body is the file, whatever its Content-Type. gzip and zstd are recognized."""
        with self.open_scope():
            query = UploadInput(data=request.query_params)
            query.is_valid(raise_exception=True)
            require_known_encoding(request)
            upload = begin_ingest(
                self.principal, dataset_id=dataset_id, options=query.options(), key=idempotency_key(request)
            )
        body = read_body(self.django_request, limit=settings.MAX_UPLOAD_BYTES)
        ingest = finish_receiving(self.principal, upload, body)
        self._wait(ingest.pk, seconds=query.validated_data["wait"])
        with self.silent_scope():
            ingest = Ingest.objects.select_related("version").get(pk=ingest.pk)
        return _ingest_response(ingest, trace_id=facts_of(self.django_request).request_id)

    def _wait(self, ingest_id: UUID, *, seconds: int) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.silent_scope():
                if selectors.ingest_status(ingest_id) in FINAL:
                    return
            time.sleep(_POLL_SECONDS)

    @extend_schema(
        parameters=[PURPOSE, OpenApiParameter("version", OpenApiTypes.STR)],
        responses={(200, NDJSON): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, dataset_id: UUID) -> StreamingHttpResponse:
        """Download a version as JSON lines in order of record id, as this reader may see it."""
        with self.open_scope():
            version = request.query_params.get("version", "main")
            release = open_release(self.principal, dataset_id=dataset_id, version=version, counts_rows=True)
        body = stream_data(release, self.principal, facts_of(self.django_request))
        response = streamed(request, body)
        response["X-Vault-Version"] = release.version.label
        if release.withholds:
            # How many is not known before the end: the audit is told.
            response["X-Vault-Withholds"] = ", ".join(release.withholds)
        return response


def streamed(request: Request, body: Iterator[bytes]) -> StreamingHttpResponse:
    """JSON lines that no cache keeps; to HEAD the same without them."""
    response = StreamingHttpResponse(iter(()) if request.method == "HEAD" else _Started(body), content_type=NDJSON)
    response["Cache-Control"] = "no-store"
    return response


class _Started(Iterator[bytes]):
    """A body with its first line already made, so that an unmet obligation is an error and not a cut-off file.

    Closing it closes the body even when nobody has read from it.
    """

    def __init__(self, body: Iterator[bytes]) -> None:
        self._body = body
        self._first = next(body, None)

    def __next__(self) -> bytes:
        if self._first is None:
            return next(self._body)
        first, self._first = self._first, None
        return first

    def close(self) -> None:
        if isinstance(self._body, Generator):
            self._body.close()


class IngestView(VaultAPIView):
    resource_type = "ingest"

    @extend_schema(responses=IngestOutput)
    def get(self, _: Request, ingest_id: UUID) -> Response:
        """Status, progress and outcome of an upload."""
        ingest = selectors.get_ingest(self.principal, ingest_id)
        authorize(self.principal, "ingest.read", selectors.resource_of(ingest.dataset))
        return Response(IngestOutput(ingest).data)


class RejectsView(VaultAPIView):
    resource_type = "ingest"
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE], responses={(200, NDJSON): OpenApiTypes.BINARY})
    def get(self, request: Request, ingest_id: UUID) -> StreamingHttpResponse:
        """The lines that an upload rejected, with line numbers and reasons."""
        with self.open_scope():
            lines = open_rejects(self.principal, ingest_id=ingest_id)
        return streamed(request, lines)


class VersionListView(VaultAPIView):
    resource_type = "version"

    @extend_schema(parameters=PAGING, responses=VersionOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Versions of a dataset, newest first."""
        dataset = self._dataset(dataset_id)
        wanted = read_page(request, members=1)
        rows = selectors.list_versions(dataset, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].sequence)]) if len(rows) > wanted.limit else None
        data = list(VersionOutput(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))

    def _dataset(self, dataset_id: UUID) -> Dataset:
        dataset = selectors.get_dataset(self.principal, dataset_id, action="version.read")
        authorize(self.principal, "version.read", selectors.resource_of(dataset))
        return dataset


class VersionView(VaultAPIView):
    resource_type = "version"

    @extend_schema(responses=VersionOutput)
    def get(self, _: Request, dataset_id: UUID, version: str) -> Response:
        """One version, by label, sequence number, id or branch."""
        dataset = selectors.get_dataset(self.principal, dataset_id, action="version.read")
        authorize(self.principal, "version.read", selectors.resource_of(dataset))
        return Response(VersionOutput(selectors.find_version(dataset, version)).data)


class RecordListView(VaultAPIView):
    resource_type = "record"

    @extend_schema(
        parameters=[PURPOSE, *PAGING, OpenApiParameter("fields", OpenApiTypes.STR)], responses=RecordOutput(many=True)
    )
    def get(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Records of a version in order of id, as this reader may see them. ``fields`` picks members of data."""
        wanted = read_page(request, members=3)
        asked, name, after = wanted.after or (version, version, None)
        if asked != version:
            raise InvalidCursor
        release = open_release(self.principal, dataset_id=dataset_id, version=name, counts_rows=True)
        fields = [name for name in request.query_params.get("fields", "").split(",") if name]
        records = read_records(release, after=after, limit=wanted.limit + 1)
        data, last = page_of(records, limit=wanted.limit, fields=fields)
        allowed = charge(release.decision, len(data))
        if allowed < len(data):
            data, last = data[:allowed], data[allowed - 1]["id"]
        release.note_leaving(one["id"] for one in data)
        more = encode_cursor([version, str(release.version.pk), last]) if last else None
        withheld = note_withheld(release, shown=len(data), until=last)
        return Response(page(data, limit=wanted.limit, next_cursor=more) | withheld)


def page_of(
    records: Iterator[ReadRecord], *, limit: int, fields: Sequence[str]
) -> tuple[list[dict[str, Any]], str | None]:
    """At most ``limit`` records and about PAGE_BYTES, and the last id if there are more."""
    data: list[dict[str, Any]] = []
    size = 0
    for record in records:
        if len(data) >= limit or size >= PAGE_BYTES:
            return data, data[-1]["id"]
        data.append(record.as_json(fields))
        size += len(orjson.dumps(data[-1]))
    return data, None


class RecordView(VaultAPIView):
    resource_type = "record"

    @extend_schema(parameters=[PURPOSE, OpenApiParameter("fields", OpenApiTypes.STR)], responses=RecordOutput)
    def get(self, request: Request, dataset_id: UUID, version: str, record_id: str) -> Response:
        """One record by id."""
        release = open_release(self.principal, dataset_id=dataset_id, version=version, counts_rows=True)
        fields = [name for name in request.query_params.get("fields", "").split(",") if name]
        record = read_record(release, record_id)
        charge(release.decision, 1)
        return Response(record.as_json(fields))


def idempotency_key(request: Request) -> str:
    """The key the client chose for this request, empty when it chose none."""
    return request.headers.get("Idempotency-Key") or request.headers.get("X-Idempotency-Key") or ""


def _ingest_response(ingest: Ingest, *, trace_id: str) -> Response:
    """201 with the finished ingest, 202 while it runs, the problem itself when it failed already."""
    body = IngestOutput(ingest).data
    if ingest.status == JobStatus.FAILED:
        problem = dict(ingest.error or {}) | {"ingest": str(ingest.pk), "trace_id": trace_id}
        return Response(problem, status=problem.get("status", 500), content_type="application/problem+json")
    response = Response(body, status=201 if ingest.is_final else 202)
    response["Location"] = f"/api/v1/ingests/{ingest.pk}"
    return response
