"""REST: archive, restore, purges and quotas."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from datasets.api.serializers import DatasetOutput
from datasets.models import Purge
from datasets.services import lifecycle, quotas
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.views import VaultAPIView

_LARGEST = 2**63 - 1


class PurgeOutput(serializers.ModelSerializer[Purge]):
    class Meta:
        model = Purge
        fields = [
            "id",
            "dataset_id",
            "status",
            "progress",
            "versions",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        ]


class LimitsInput(StrictInput):
    """All limits; null or left out: none."""

    bytes = serializers.IntegerField(min_value=0, max_value=_LARGEST, allow_null=True, required=False)
    datasets = serializers.IntegerField(min_value=0, max_value=_LARGEST, allow_null=True, required=False)
    records = serializers.IntegerField(min_value=0, max_value=_LARGEST, allow_null=True, required=False)


class MeasureOutput(serializers.Serializer[Any]):
    quota = serializers.CharField(source="kind")
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField()


class QuotasOutput(serializers.Serializer[Any]):
    data = MeasureOutput(many=True)  # type: ignore[assignment]  # the member is called so


def purge_response(purge: Purge) -> Response:
    """202: the keys are gone, the rest goes."""
    response = Response(PurgeOutput(purge).data, status=202)
    response["Location"] = f"/api/v1/purges/{purge.pk}"
    return response


class ArchiveView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(request=None, responses=DatasetOutput)
    def post(self, _: Request, dataset_id: UUID) -> Response:
        """Make the dataset one that is only read."""
        return Response(DatasetOutput(lifecycle.archive_dataset(self.principal, dataset_id=dataset_id)).data)


class RestoreView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(request=None, responses=DatasetOutput)
    def post(self, _: Request, dataset_id: UUID) -> Response:
        """Undo the deletion; of a dataset that is not deleted, undo the archiving."""
        return Response(DatasetOutput(lifecycle.restore_dataset(self.principal, dataset_id=dataset_id)).data)


class PurgeView(VaultAPIView):
    resource_type = "purge"

    @extend_schema(responses=PurgeOutput)
    def get(self, _: Request, purge_id: UUID) -> Response:
        """How far the removal of a purged dataset has come."""
        return Response(PurgeOutput(lifecycle.get_purge(self.principal, purge_id)).data)


class QuotasView(VaultAPIView):
    resource_type = "quota"

    @extend_schema(responses=QuotasOutput)
    def get(self, _: Request) -> Response:
        """The organization's limits, and how much of each is used."""
        return _quotas(quotas.read_quotas(self.principal))

    @extend_schema(request=LimitsInput, responses=QuotasOutput)
    def put(self, request: Request) -> Response:
        """Replace all limits."""
        body = LimitsInput(data=request.data)
        body.is_valid(raise_exception=True)
        return _quotas(quotas.set_quotas(self.principal, limits=body.validated_data))


def _quotas(measures: list[quotas.Measure]) -> Response:
    return Response({"data": MeasureOutput(measures, many=True).data})
