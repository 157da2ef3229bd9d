"""Where the endpoints of AuthZEN are: the metadata of a policy decision point (AuthZEN 1.0 section 9)."""

from typing import Final

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.open_view import OpenAPIView

_ENDPOINTS: Final = {
    "access_evaluation_endpoint": "authzen-evaluation",
    "access_evaluations_endpoint": "authzen-evaluations",
    "search_subject_endpoint": "authzen-subjects",
    "search_resource_endpoint": "authzen-resources",
    "search_action_endpoint": "authzen-actions",
}


class ConfigurationView(OpenAPIView):
    resource_type = "policy"

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Absolute addresses at the host that was asked; public, for they tell nothing of any tenant."""
        named = {name: request.build_absolute_uri(reverse(route)) for name, route in _ENDPOINTS.items()}
        return Response({"policy_decision_point": request.build_absolute_uri("/").rstrip("/"), **named})
