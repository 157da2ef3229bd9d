"""The paths of the site and one more: the same SELECT without key, decision and audit, to compare with."""

from uuid import UUID

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from datasets.api.serializers import DatasetOutput
from datasets.models import Dataset
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


class PlainDatasetView(APIView):
    """What a Django developer would write, but inside a scope: without one the database shows nothing."""

    authentication_classes = ()

    def get(self, _: Request, tenant_id: UUID, dataset_id: UUID) -> Response:
        with tenant_scope(tenant_id, Principal.nobody(tenant_id)):
            dataset = Dataset.objects.prefetch_related("tags").get(pk=dataset_id)
            return Response(DatasetOutput(dataset).data)


urlpatterns = [
    path("plain/<uuid:tenant_id>/<uuid:dataset_id>", PlainDatasetView.as_view()),
    path("", include("vaultsite.urls")),
]
