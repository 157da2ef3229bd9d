"""The base of every REST view: one scope, opened inside exception conversion."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.datastructures import MultiValueDict
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from vaultsite.kernel.api.problem import as_vault_error
from vaultsite.kernel.errors import InvalidInput, RefusedByFramework, VaultError
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import named_tenant, resolve_principal, settle_refusal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope


class VaultAPIView(APIView):
    """Authenticates, opens the tenant's scope, runs the method, and turns what it raises into problem details.

    An exception leaves the scope before it is converted, so whatever was written is rolled back and only the primary
    event stays. A request that fails before any decision was made is recorded with the view's ``resource_type``.
    """

    #: What the audit names when a request fails before a decision.
    resource_type: str = "api"
    http_method_names = ["get", "post", "put", "patch", "delete", "head"]
    #: False for views that stream: they open the scope themselves, in pieces, with open_scope and silent_scope.
    scope_per_request: bool = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.args, self.kwargs = args, kwargs
        _keep_body_unparsed(request)
        drf_request = self.initialize_request(request, *args, **kwargs)
        self.request = drf_request
        self.headers = self.default_response_headers
        response: Any
        try:
            response = self._run(drf_request, *args, **kwargs)
        except Exception as exc:  # noqa: BLE001 - the edge: everything becomes a problem document
            response = self.handle_exception(exc)
        self.response = self.finalize_response(drf_request, response, *args, **kwargs)
        return self.response

    def _run(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            with self._named_scope():
                return self._answer(request, *args, **kwargs)
        except VaultError:
            settle_refusal(self.django_request)
            raise

    @contextmanager
    def _named_scope(self) -> Iterator[None]:
        """A scope of the tenant that the credential names, if it does: judged and used in one transaction, not two."""
        tenant_id = named_tenant(self.django_request) if self.scope_per_request else None
        if tenant_id is None:
            yield
            return
        with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(self.django_request)) as scope:
            scope.principal = self.principal
            yield

    def _answer(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self._refuse_malformed()
        method = (request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        with self.open_scope() if self.scope_per_request or handler is None else nullcontext():
            self.initial(request, *args, **kwargs)
            handler = handler or self.http_method_not_allowed
            response: HttpResponseBase = handler(request, *args, **kwargs)
            return response

    def _refuse_malformed(self) -> None:
        """What no view should see is refused as a decision of its own, so that it is recorded."""
        principal = self.principal  # a credential that does not hold is refused, and recorded, by the resolver
        try:
            _refuse_nul(self.django_request)
            if principal.credential.partition(":")[0] == "session":
                self.require_csrf_token()
        except VaultError as refusal:
            with self.open_scope():
                raise refusal from None

    def require_csrf_token(self) -> None:
        """A browser session needs its CSRF token in the X-CSRFToken header; raises RefusedByFramework."""
        _require_csrf_token(self.django_request)

    @contextmanager
    def open_scope(self) -> Iterator[Scope]:
        """The scope of the request's decision: when it fails, that much is recorded."""
        with self.silent_scope() as scope:
            self._expect_decision(self.request, scope)
            try:
                yield scope
            except APIException as exc:  # the audit names our codes, not the framework's classes
                raise as_vault_error(exc) from exc

    @contextmanager
    def silent_scope(self) -> Iterator[Scope]:
        """A further scope of a request whose decision is recorded already."""
        with tenant_scope(self.principal.tenant_id, self.principal, facts_of(self.django_request)) as scope:
            yield scope

    @property
    def django_request(self) -> HttpRequest:
        request: HttpRequest = self.request._request  # noqa: SLF001 - DRF's handle on Django's request
        return request

    @property
    def principal(self) -> Principal:
        return resolve_principal(self.django_request)

    def _expect_decision(self, request: Request, scope: Scope) -> None:
        """Hold a primary event that a decision will replace; alone it is only ever written as a failure."""
        is_read = request.method in {"GET", "HEAD", "OPTIONS"}
        event = Event(
            type=EventType.ACCESS_READ if is_read else EventType.ACCESS_WRITE,
            operation="read" if is_read else "write",
            resource=ResourceRef(type=self.resource_type, id=str(self.kwargs.get("dataset_id", ""))),
            purpose=scope.purpose or "",
        )
        scope.events.expect(event, scope.principal, scope.request, scope.tenant_id)


def _keep_body_unparsed(request: HttpRequest) -> None:
    """Make ``request.POST`` empty before anything can ask for it: parsing a form would spool the upload."""
    request._post = QueryDict()  # type: ignore[attr-defined]  # noqa: SLF001
    request._files = MultiValueDict()  # type: ignore[attr-defined]  # noqa: SLF001


def _refuse_nul(request: HttpRequest) -> None:
    """No text of the database holds a NUL: a path or query with one can name nothing."""
    if "\0" in request.path_info or "\0" in unquote(request.META.get("QUERY_STRING", "")):
        raise InvalidInput("The path and the query hold no NUL")


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:  # noqa: ARG002 - Django's signature
        raise RefusedByFramework(reason)


def _require_csrf_token(request: HttpRequest) -> None:
    """A browser session needs its CSRF token in the X-CSRFToken header; raises RefusedByFramework."""
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    check.process_view(request, lambda _: HttpResponse(), (), {})
