"""REST: the canaries of a dataset, for those who may know which they are."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.models import CanaryReader
from datasets.services.canaries import (
    MAX_CANARIES,
    PlacedCanary,
    allow_canary_reader,
    list_canaries,
    list_canary_readers,
    place_canaries,
    remove_canary,
    remove_canary_reader,
)
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.pagination import page
from vaultsite.kernel.api.views import VaultAPIView


class CanaryInput(StrictInput):
    """Ids of records of ``main``."""

    record_ids = serializers.ListField(
        child=serializers.CharField(max_length=128), min_length=1, max_length=MAX_CANARIES
    )


class CanaryReaderInput(StrictInput):
    """Who may read the canaries without being told of: a user, a service account or an API key."""

    principal = serializers.UUIDField()


class PlacedCanaryOutput(serializers.Serializer[PlacedCanary]):
    id = serializers.UUIDField()
    record_id = serializers.CharField()
    placed_by = serializers.UUIDField()
    placed_at = serializers.DateTimeField()


class CanaryReaderOutput(serializers.ModelSerializer[CanaryReader]):
    principal = serializers.UUIDField(source="principal_id")

    class Meta:
        model = CanaryReader
        fields = ["principal", "added_by", "added_at"]


class CanaryListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(operation_id="listCanaries", responses=PlacedCanaryOutput(many=True))
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """All canaries of a dataset, in order of placing."""
        return self._all(dataset_id)

    @extend_schema(operation_id="placeCanaries", request=CanaryInput, responses=PlacedCanaryOutput(many=True))
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Make records canaries: from now on whoever is given one raises an alert, and sees nothing of it."""
        body = CanaryInput(data=request.data)
        body.is_valid(raise_exception=True)
        place_canaries(self.principal, dataset_id=dataset_id, record_ids=body.validated_data["record_ids"])
        return self._all(dataset_id)

    def _all(self, dataset_id: UUID) -> Response:
        rows = list_canaries(self.principal, dataset_id=dataset_id)
        shown: list[Any] = [PlacedCanaryOutput(row).data for row in rows]
        return Response(page(shown, limit=MAX_CANARIES, next_cursor=None))


class CanaryView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(operation_id="removeCanary", responses={204: None})
    def delete(self, _: Request, dataset_id: UUID, canary_id: UUID) -> Response:
        """Make a record an ordinary one again."""
        remove_canary(self.principal, dataset_id=dataset_id, canary_id=canary_id)
        return Response(status=204)


class CanaryReaderListView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(operation_id="listCanaryReaders", responses=CanaryReaderOutput(many=True))
    def get(self, _: Request, dataset_id: UUID) -> Response:
        """Who may read the canaries without being told of."""
        return self._all(dataset_id)

    @extend_schema(operation_id="allowCanaryReader", request=CanaryReaderInput, responses=CanaryReaderOutput(many=True))
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Let a backup, or the check of who placed them, read the canaries."""
        body = CanaryReaderInput(data=request.data)
        body.is_valid(raise_exception=True)
        allow_canary_reader(self.principal, dataset_id=dataset_id, reader_id=body.validated_data["principal"])
        return self._all(dataset_id)

    def _all(self, dataset_id: UUID) -> Response:
        rows = list_canary_readers(self.principal, dataset_id=dataset_id)
        return Response(page([CanaryReaderOutput(row).data for row in rows], limit=len(rows), next_cursor=None))


class CanaryReaderView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(operation_id="removeCanaryReader", responses={204: None})
    def delete(self, _: Request, dataset_id: UUID, principal_id: UUID) -> Response:
        """Tell of a principal again."""
        remove_canary_reader(self.principal, dataset_id=dataset_id, reader_id=principal_id)
        return Response(status=204)
