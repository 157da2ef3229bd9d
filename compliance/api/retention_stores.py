"""REST: terms of the organization over its stores, what they would do, and what runs did about them."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from compliance.api.retention_stores_serializers import (
    RetentionStoreListOutput,
    RetentionStoreOutput,
    RetentionStoreStepListOutput,
    RetentionStoreStepOutput,
    StorePreviewInput,
    StorePreviewOutput,
    StoreTermInput,
)
from compliance.retention.selectors import find_run, list_store_steps
from compliance.retention.store_terms import Terms, end_term, find_store, list_stores, preview_term, set_term
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import ResourceRef


class RetentionStoreListView(VaultAPIView):
    resource_type = "retention_store"

    @extend_schema(operation_id="listRetentionStores", responses=RetentionStoreListOutput)
    def get(self, _: Request) -> Response:
        """Every store that ends by a term: what stands in it, and what the organization asks for."""
        return Response({"data": [RetentionStoreOutput(one).data for one in list_stores(self.principal)]})


class RetentionStoreView(VaultAPIView):
    resource_type = "retention_store"

    @extend_schema(operation_id="getRetentionStore", responses=RetentionStoreOutput)
    def get(self, _: Request, store: str) -> Response:
        """One store."""
        return Response(RetentionStoreOutput(find_store(self.principal, store)).data)

    @extend_schema(operation_id="setRetentionStoreTerm", request=StoreTermInput, responses=RetentionStoreOutput)
    def put(self, request: Request, store: str) -> Response:
        """Keep what it holds for fewer days than is usual; what stands gets its new end by the next run."""
        body = StoreTermInput(data=request.data)
        body.is_valid(raise_exception=True)
        set_term(self.principal, name=store, terms=Terms(**body.validated_data))
        return Response(RetentionStoreOutput(find_store(self.principal, store)).data)

    @extend_schema(operation_id="endRetentionStoreTerm", responses={204: None})
    def delete(self, _: Request, store: str) -> Response:
        """What comes now ends as is usual; what was shortened stays so."""
        end_term(self.principal, name=store)
        return Response(status=204)


class RetentionStorePreviewView(VaultAPIView):
    resource_type = "retention_store"

    @extend_schema(operation_id="previewRetentionStoreTerm", request=StorePreviewInput, responses=StorePreviewOutput)
    def post(self, request: Request, store: str) -> Response:
        """How many of what stands would end earlier, and how many of them within so many days."""
        body = StorePreviewInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        ahead = given.pop("ahead_days")
        found = preview_term(self.principal, name=store, terms=Terms(**given), ahead_days=ahead)
        return Response(StorePreviewOutput(found).data)


class RetentionStoreStepListView(VaultAPIView):
    resource_type = "retention_run"

    @extend_schema(operation_id="listRetentionStoreSteps", responses=RetentionStoreStepListOutput)
    def get(self, _: Request, retention_run_id: UUID) -> Response:
        """What a run did about each store that has a term."""
        authorize(self.principal, "retention.read", ResourceRef("retention_run", str(retention_run_id)))
        steps = list_store_steps(find_run(retention_run_id))
        return Response({"data": RetentionStoreStepOutput(steps, many=True).data})
