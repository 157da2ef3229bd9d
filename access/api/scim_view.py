"""The base of SCIM's endpoints: its media type, its errors, its versions. Everything else is as at any endpoint."""

from typing import Any, Final

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.response import Response
from scim2_models import Context, Resource

from access.errors import NameTaken
from access.scim.address import base_of
from access.scim.errors import ScimError
from access.scim.queries import read_parameters
from access.scim.versions import Precondition, names
from vaultsite.kernel.api.problem import as_vault_error, render_exception
from vaultsite.kernel.api.renderers import CanonicalJSONRenderer
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.errors import InvalidInput, MalformedJSON, VaultError

CONTENT_TYPE: Final = "application/scim+json"
_ERROR: Final = "urn:ietf:params:scim:api:messages:2.0:Error"
_KEYWORDS: Final[dict[type[VaultError], str]] = {
    NameTaken: "uniqueness",
    InvalidInput: "invalidValue",
    MalformedJSON: "invalidSyntax",
}


class ScimRenderer(CanonicalJSONRenderer):
    media_type = CONTENT_TYPE
    format = "scim"


class OneMediaType(BaseContentNegotiation):
    """Whoever asks gets SCIM: directories state all kinds of things in ``Accept``."""

    def select_parser(self, request: Request, parsers: Any) -> Any:  # noqa: ARG002 - DRF's signature
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:  # noqa: ARG002
        return renderers[0], renderers[0].media_type


class ScimView(VaultAPIView):
    """Describes itself at /Schemas, not in OpenAPI."""

    resource_type = "directory"
    schema = None
    renderer_classes = [ScimRenderer]
    content_negotiation_class = OneMediaType

    def get_exception_handler(self) -> Any:
        return render_error

    @property
    def base(self) -> str:
        return base_of(self.django_request)

    @property
    def precondition(self) -> Precondition:
        return Precondition(self.request.headers.get("If-Match", ""))

    def show(self, resource: Resource[Any], *, status: int = 200) -> Response:
        """One resource as far as ``attributes`` ask for it; 304 for a version that the client has."""
        version, location = (resource.meta.version or "", resource.meta.location or "") if resource.meta else ("", "")
        headers = {"ETag": version, "Location": location} if version else {}
        asks = self.request.method == "GET" and bool(version)
        if asks and names(self.request.headers.get("If-None-Match", ""), version):
            return Response(status=304, headers=headers)
        return Response(self.dump(resource), status=status, headers=headers)

    def dump(self, resource: Resource[Any], asked: Any = None) -> dict[str, Any]:
        """The members of a resource that ``asked`` (None: the URL's parameters) wants."""
        parameters = read_parameters(self.request.query_params if asked is None else asked)
        return resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters)


def render_error(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: the problem that every endpoint makes of it, in the words of RFC 7644 section 3.12."""
    response, error = render_exception(exc, context), as_vault_error(exc)
    told = "; ".join([error.detail, *(f"{one.field}: {one.detail}" for one in error.errors)]).strip("; ")
    keyword = error.scim_type if isinstance(error, ScimError) else _KEYWORDS.get(type(error), "")
    response.data = {
        "schemas": [_ERROR],
        "status": str(error.status),
        "detail": f"{error.title}{f': {told}' if told else ''} ({error.code})",
        **({"scimType": keyword} if keyword else {}),
    }
    response.content_type = CONTENT_TYPE
    return response
