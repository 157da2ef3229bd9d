"""REST: erasures with their receipts, garbage collections, scrubs."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from access.services.idempotency import begin_attempt, fingerprint_of, store_answer
from datasets.api.views import PAGING, idempotency_key
from datasets.models import Erasure, GarbageCollection, Scrub
from datasets.selectors import get_dataset, resource_of
from datasets.services.erasure.receipt import open_receipt
from datasets.services.erasure.request import MAX_RECORDS, request_erasure
from datasets.services.upkeep.jobs import start_collection, start_scrub
from datasets.upkeep_selectors import Job, get_collection, get_erasure, get_scrub, list_jobs
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import encode_cursor, page, read_page
from vaultsite.kernel.api.views import VaultAPIView

_ID: Final = r"^[A-Za-z0-9._~:@-]{1,128}\Z"
_JOB: Final = ["id", "dataset_id", "status", "progress", "error"]
_TIMES: Final = ["requested_by", "created_at", "started_at", "finished_at"]


class ErasureInput(StrictInput):
    record_ids = serializers.ListField(child=serializers.RegexField(_ID), min_length=1, max_length=MAX_RECORDS)
    reason = serializers.CharField(max_length=1000)


class ErasureOutput(serializers.ModelSerializer[Erasure]):
    class Meta:
        model = Erasure
        fields = [
            *_JOB,
            "reason",
            "epoch",
            "id_count",
            "record_count",
            "chunk_count",
            "version_count",
            *_TIMES,
        ]


class ErasureWithReceipt(ErasureOutput):
    receipt = serializers.SerializerMethodField()

    class Meta(ErasureOutput.Meta):
        fields = [*ErasureOutput.Meta.fields, "receipt"]

    def get_receipt(self, erasure: Erasure) -> dict[str, Any] | None:
        return open_receipt(erasure)


class CollectionOutput(serializers.ModelSerializer[GarbageCollection]):
    class Meta:
        model = GarbageCollection
        fields = [*_JOB, "swept_count", "dead_pack_count", "moved_bytes", "freed_bytes", *_TIMES]


class ScrubOutput(serializers.ModelSerializer[Scrub]):
    class Meta:
        model = Scrub
        fields = [*_JOB, "object_count", "damaged_count", "healed_count", *_TIMES]


class _JobListView(VaultAPIView):
    """The jobs of one kind of one dataset."""

    resource_type = "dataset"

    def listed(
        self, request: Request, dataset_id: UUID, model: type[Job], shape: Callable[..., Any], *, action: str
    ) -> Response:
        dataset = get_dataset(self.principal, dataset_id, action=action)
        authorize(self.principal, action, resource_of(dataset))
        wanted = read_page(request, members=1)
        rows = list_jobs(model, dataset, after=wanted.after, limit=wanted.limit + 1)
        more = encode_cursor([str(rows[wanted.limit - 1].pk)]) if len(rows) > wanted.limit else None
        data = list(shape(rows[: wanted.limit], many=True).data)
        return Response(page(data, limit=wanted.limit, next_cursor=more))


def _accepted(answer: dict[str, Any], kind: str) -> Response:
    response = Response(answer, status=202)
    response["Location"] = f"/api/v1/{kind}/{answer['id']}"
    return response


class ErasureListView(_JobListView):
    @extend_schema(parameters=PAGING, responses=ErasureOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Erasures from a dataset, newest first, without their receipts."""
        return self.listed(request, dataset_id, Erasure, ErasureOutput, action="erasure.read")

    @extend_schema(request=ErasureInput, responses={202: ErasureOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Erase records by id from every version. It cannot be undone."""
        body = ErasureInput(data=request.data)
        body.is_valid(raise_exception=True)
        key = idempotency_key(request)
        attempt = begin_attempt(self.principal, route=f"POST erasures {dataset_id}", key=key) if key else None
        fingerprint = fingerprint_of(repr(sorted(body.validated_data.items())).encode())
        if attempt is not None:
            attempt.require_same(fingerprint)
            if attempt.answer is not None:
                get_erasure(self.principal, UUID(attempt.answer["id"]))
                dataset = get_dataset(self.principal, dataset_id, action="record.erase")
                authorize(self.principal, "record.erase", resource_of(dataset))
                return _accepted(attempt.answer, "erasures")
        erasure = request_erasure(self.principal, dataset_id=dataset_id, **body.validated_data)
        answer = dict(ErasureOutput(erasure).data)
        if attempt is not None:
            store_answer(attempt, fingerprint=fingerprint, answer=answer)
        return _accepted(answer, "erasures")


class ErasureView(VaultAPIView):
    resource_type = "erasure"

    @extend_schema(responses=ErasureWithReceipt)
    def get(self, _: Request, erasure_id: UUID) -> Response:
        """Status of an erasure and, once it has ended, its receipt."""
        erasure = get_erasure(self.principal, erasure_id)
        authorize(self.principal, "erasure.read", resource_of(erasure.dataset))
        return Response(ErasureWithReceipt(erasure).data)


class CollectionListView(_JobListView):
    @extend_schema(parameters=PAGING, responses=CollectionOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Garbage collections of a dataset, newest first."""
        return self.listed(request, dataset_id, GarbageCollection, CollectionOutput, action="storage.read")

    @extend_schema(request=None, responses={202: CollectionOutput})
    def post(self, _: Request, dataset_id: UUID) -> Response:
        """Collect what no version reaches; while a collection is under way, that one is the answer."""
        collection = start_collection(self.principal, dataset_id=dataset_id)
        return _accepted(dict(CollectionOutput(collection).data), "garbage-collections")


class CollectionView(VaultAPIView):
    resource_type = "garbagecollection"

    @extend_schema(responses=CollectionOutput)
    def get(self, _: Request, collection_id: UUID) -> Response:
        """Status and outcome of a garbage collection."""
        collection = get_collection(self.principal, collection_id)
        authorize(self.principal, "storage.read", resource_of(collection.dataset))
        return Response(CollectionOutput(collection).data)


class ScrubListView(_JobListView):
    @extend_schema(parameters=PAGING, responses=ScrubOutput(many=True))
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Scrubs of a dataset, newest first."""
        return self.listed(request, dataset_id, Scrub, ScrubOutput, action="storage.read")

    @extend_schema(request=None, responses={202: ScrubOutput})
    def post(self, _: Request, dataset_id: UUID) -> Response:
        """Read and verify everything stored; while a scrub is under way, that one is the answer."""
        scrub = start_scrub(self.principal, dataset_id=dataset_id)
        return _accepted(dict(ScrubOutput(scrub).data), "scrubs")


class ScrubView(VaultAPIView):
    resource_type = "scrub"

    @extend_schema(responses=ScrubOutput)
    def get(self, _: Request, scrub_id: UUID) -> Response:
        """Status and outcome of a scrub."""
        scrub = get_scrub(self.principal, scrub_id)
        authorize(self.principal, "storage.read", resource_of(scrub.dataset))
        return Response(ScrubOutput(scrub).data)
