"""REST: drafts among the versions of a dataset, their staged records, and their publication."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from access.services.idempotency import begin_attempt, fingerprint_of, store_answer
from datasets import selectors
from datasets.api import views
from datasets.api.draft_shapes import (
    DraftInput,
    DraftOutput,
    PatchInput,
    PatchOutput,
    PublicationOutput,
    PublishInput,
    StageInput,
    StageOutput,
    UnstageInput,
    VersionListInput,
)
from datasets.api.serializers import RecordOutput, VersionOutput
from datasets.api.views import NDJSON, PAGING, PURPOSE, idempotency_key, page_of
from datasets.errors import RecordNotFound
from datasets.models import Draft, Publication
from datasets.services.drafts.body import MAX_BYTES, Incoming, is_lines, read_document, read_ids, read_incoming
from datasets.services.drafts.find import count_staged, find_draft_or_none, list_drafts
from datasets.services.drafts.open import discard_draft, open_draft
from datasets.services.drafts.patch import apply_patch, begin_patch
from datasets.services.drafts.publication import run_publication
from datasets.services.drafts.publish import get_publication, is_inline, request_publication
from datasets.services.drafts.read import open_draft_release, read_draft_record, read_draft_records
from datasets.services.drafts.scan import Prepared, scan_incoming
from datasets.services.drafts.stage import Staging, begin_staging, stage
from datasets.services.read import note_withheld
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.uploads import read_body
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.middleware import facts_of

KEY = OpenApiParameter("Idempotency-Key", OpenApiTypes.STR, OpenApiParameter.HEADER)
FIELDS = OpenApiParameter("fields", OpenApiTypes.STR)
STATUS = OpenApiParameter("status", OpenApiTypes.STR, enum=["published", "draft"])


def _shown(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    counts = count_staged(drafts[0].dataset_id, drafts) if drafts else {}
    return list(DraftOutput(drafts, many=True, context={"staged": counts}).data)


def _draft_named(dataset_id: UUID, name: str) -> Draft | None:
    """The draft that a name in a path means, if it means no version: versions come first."""
    draft = find_draft_or_none(dataset_id, name)
    is_version = draft is not None and selectors.find_version_or_none(draft.dataset, name) is not None
    return None if is_version else draft


class VersionListView(views.VersionListView):
    @extend_schema(parameters=[*PAGING, STATUS], responses=VersionOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Versions of a dataset, newest first; with ``status=draft`` its drafts."""
        query = VersionListInput(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        if query.validated_data.get("status") != "draft":
            return super().get(request, dataset_id)
        dataset = self._dataset(dataset_id)
        wanted = read_page(request, members=1)
        rows = list_drafts(dataset, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        return Response(page(_shown(rows[: wanted.limit]), limit=wanted.limit, next_cursor=more))

    @extend_schema(parameters=[KEY], request=DraftInput, responses={201: DraftOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Open a draft: a version in the making."""
        body = DraftInput(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        attempt = begin_attempt(self.principal, route=f"POST versions {dataset_id}", key=key) if key else None
        fingerprint = fingerprint_of(orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS))
        if attempt is not None:
            attempt.require_same(fingerprint)
        if attempt is not None and attempt.answer is not None:
            dataset = selectors.get_dataset(self.principal, dataset_id, action="record.write")
            authorize(self.principal, "record.write", selectors.resource_of(dataset))
            answer = attempt.answer
        else:
            draft = open_draft(self.principal, dataset_id=dataset_id, facts=body.draft_facts())
            (answer,) = _shown([Draft.objects.select_related("parent", "version").get(pk=draft.pk)])
            if attempt is not None:
                store_answer(attempt, fingerprint=fingerprint, answer=answer)
        response = Response(answer, status=201)
        response["Location"] = f"/api/v1/datasets/{dataset_id}/versions/{answer['id']}"
        return response


class VersionView(views.VersionView):
    @extend_schema(responses=VersionOutput)
    def get(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """One version, by label, sequence number, id or branch; or a draft, by id or label."""
        draft = _draft_named(dataset_id, version)
        if draft is None:
            return super().get(request, dataset_id, version)
        dataset = selectors.get_dataset(self.principal, dataset_id, action="version.read")
        authorize(self.principal, "version.read", selectors.resource_of(dataset))
        return Response(_shown([draft])[0])

    @extend_schema(responses={204: None})
    def delete(self, _: Request, dataset_id: UUID, version: str) -> Response:
        """Discard a draft with everything staged in it."""
        discard_draft(self.principal, dataset_id=dataset_id, name=version)
        return Response(status=204)


class _Changing(VaultAPIView):
    """A view that changes staged records: what is read and scanned meanwhile holds no transaction open."""

    def changed(
        self, request: Request, dataset_id: UUID, version: str, *, route: str
    ) -> tuple[Staging, list[dict[str, Any]]]:
        with self.open_scope():
            key = idempotency_key(request)
            staging = begin_staging(self.principal, dataset_id=dataset_id, name=version, key=key, route=route)
        body = b"".join(read_body(self.django_request, limit=MAX_BYTES))

        def prepare() -> Sequence[Prepared]:
            if route == "POST records":
                kind = self.django_request.META.get("CONTENT_TYPE", "")
                lines = body if is_lines(kind) else read_document(body).records
                return scan_incoming(staging.keys, staging.rules, read_incoming(lines))
            return _deletions(read_ids(read_document(body, allowed=("ids",)).members.get("ids")))

        return staging, stage(self.principal, staging, body, prepare, facts_of(self.django_request))


class RecordListView(_Changing, views.RecordListView):
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE, *PAGING, FIELDS], responses=RecordOutput(many=True))
    def get(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Records of a version in order of id, as this reader may see them; of a draft, what it changes included.

        ``fields`` picks members of data.
        """
        with self.open_scope():
            wanted = read_page(request, members=3)
            asked, name, after = wanted.after or (version, version, None)
            draft = _draft_named(dataset_id, name)
            if draft is None:
                return super().get(request, dataset_id, version)
            if asked != version:
                raise InvalidCursor
            opened = open_draft_release(self.principal, dataset_id=dataset_id, name=str(draft.pk))
            fields = [name for name in request.query_params.get("fields", "").split(",") if name]
            records = read_draft_records(opened, after=after, limit=wanted.limit + 1)
            data, last = page_of(records, limit=wanted.limit, fields=fields)
            opened.release.note_leaving(one["id"] for one in data)
            more = encode_cursor([version, str(draft.pk), last]) if last else None
            withheld = note_withheld(opened.release, shown=len(data), until=last)
            return Response(page(data, limit=wanted.limit, next_cursor=more) | withheld)

    @extend_schema(
        parameters=[KEY],
        request={"application/json": StageInput, NDJSON: OpenApiTypes.BINARY},
        responses=StageOutput,
    )
    def post(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Stage 1 to 10,000 records in a draft: each is created, updated, unchanged or failed, in order."""
        staging, results = self.changed(request, dataset_id, version, route="POST records")
        return Response({"draft": str(staging.draft.pk), "results": results})

    @extend_schema(
        operation_id="datasets_versions_records_destroy_many",
        parameters=[KEY],
        request=UnstageInput,
        responses=StageOutput,
    )
    def delete(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Leave the records of these ids out of the draft."""
        staging, results = self.changed(request, dataset_id, version, route="DELETE records")
        return Response({"draft": str(staging.draft.pk), "results": results})


class RecordView(views.RecordView):
    scope_per_request = False

    @extend_schema(parameters=[PURPOSE, FIELDS], responses=RecordOutput)
    def get(self, request: Request, dataset_id: UUID, version: str, record_id: str) -> Response:
        """One record by id."""
        with self.open_scope():
            draft = _draft_named(dataset_id, version)
            if draft is None:
                return super().get(request, dataset_id, version, record_id)
            opened = open_draft_release(self.principal, dataset_id=dataset_id, name=str(draft.pk))
            fields = [name for name in request.query_params.get("fields", "").split(",") if name]
            return Response(read_draft_record(opened, record_id).as_json(fields))

    @extend_schema(responses={204: None})
    def delete(self, _: Request, dataset_id: UUID, version: str, record_id: str) -> Response:
        """Leave one record out of a draft."""
        with self.open_scope():
            staging = begin_staging(self.principal, dataset_id=dataset_id, name=version)
        changes = _deletions(read_ids([record_id]))
        (result,) = stage(self.principal, staging, b"", lambda: changes, facts_of(self.django_request))
        if result["status"] == "failed":
            raise RecordNotFound
        return Response(status=204)


def _deletions(ids: Sequence[Incoming]) -> list[Prepared]:
    return [Prepared(item.index, item.id, error=item.error) for item in ids]


class PublishView(VaultAPIView):
    resource_type = "version"
    scope_per_request = False

    @extend_schema(parameters=[KEY], request=PublishInput, responses={201: VersionOutput, 202: PublicationOutput})
    def post(self, request: Request, dataset_id: UUID, version: str) -> Response:
        """Make a draft the next version of its branch; a large one becomes it in the background."""
        with self.open_scope():
            body = PublishInput(data=request.data)
            body.is_valid(raise_exception=True)
            publication = request_publication(
                self.principal,
                dataset_id=dataset_id,
                name=version,
                options=body.options(),
                key=idempotency_key(request),
            )
        if is_inline(publication):
            run_publication(self.principal.tenant_id, publication.pk)
        with self.silent_scope():
            publication = _reloaded(publication.pk)
            return _publication_response(publication, trace_id=facts_of(self.django_request).request_id)


class PublicationView(VaultAPIView):
    resource_type = "version"

    @extend_schema(responses=PublicationOutput)
    def get(self, _: Request, publication_id: UUID) -> Response:
        """Status, progress and outcome of a publication."""
        return Response(PublicationOutput(get_publication(self.principal, publication_id)).data)


class DataView(views.DataView):
    @extend_schema(parameters=[KEY], request=PatchInput, responses={200: PatchOutput, 201: PatchOutput})
    def patch(self, request: Request, dataset_id: UUID) -> Response:
        """Store, merge and leave out records of a branch by id: all together the next version."""
        with self.open_scope():
            patch = begin_patch(self.principal, dataset_id=dataset_id, key=idempotency_key(request))
        body = b"".join(read_body(self.django_request, limit=MAX_BYTES))
        outcome = apply_patch(self.principal, patch, body, facts_of(self.django_request))
        answer: dict[str, Any] = {"version": None, "results": outcome.results, "deleted": outcome.deleted}
        if outcome.publication is None:
            return Response(answer)
        with self.silent_scope():
            publication = _reloaded(outcome.publication)
            if publication.version is None:
                return _publication_response(publication, trace_id=facts_of(self.django_request).request_id)
            response = Response(answer | {"version": publication.version.label}, status=201)
            response["Location"] = f"/api/v1/datasets/{dataset_id}/versions/{publication.version.label}"
            return response


def _reloaded(publication_id: UUID) -> Publication:
    return Publication.objects.select_related("version", "version__parent").get(pk=publication_id)


def _publication_response(publication: Publication, *, trace_id: str) -> Response:
    """201 with the version, 202 while it is being made, the problem itself when there will be none."""
    if publication.status == JobStatus.FAILED:
        problem = dict(publication.error or {}) | {"publication": str(publication.pk), "trace_id": trace_id}
        return Response(problem, status=problem.get("status", 500), content_type="application/problem+json")
    if publication.version is None:
        response = Response(PublicationOutput(publication).data, status=202)
        response["Location"] = f"/api/v1/publications/{publication.pk}"
        return response
    response = Response(VersionOutput(publication.version).data, status=201)
    response["Location"] = f"/api/v1/datasets/{publication.dataset_id}/versions/{publication.version.label}"
    return response
