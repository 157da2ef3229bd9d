"""One renderer of errors for every surface: RFC 9457 problem details."""

import logging
import re
from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import DisallowedHost, PermissionDenied, SuspiciousOperation
from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from vaultsite.kernel import errors
from vaultsite.kernel.errors import FieldProblem, VaultError
from vaultsite.kernel.tenancy.middleware import facts_of

CONTENT_TYPE: Final = "application/problem+json"
#: Some of DRF's messages begin with the refused value in quotes; a problem never carries one.
_QUOTED: Final = re.compile(r'^["“].*["”]', re.DOTALL)
logger = logging.getLogger("vault.problem")


def render_exception(exc: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: whatever was raised becomes a problem; nothing else of it reaches the client."""
    error = as_vault_error(exc)
    if error.status >= 500:  # noqa: PLR2004 - the server's own faults
        logger.error("%s %s", error.code, type(exc).__name__, exc_info=(type(exc), exc, exc.__traceback__))
    request: HttpRequest = context["request"]._request  # noqa: SLF001 - DRF's handle on Django's request
    response = Response(error.as_problem(trace_id=facts_of(request).request_id), status=error.status)
    response.content_type = CONTENT_TYPE
    _add_headers(response, error)
    return response


def problem_response(request: HttpRequest, error: VaultError) -> JsonResponse:
    """The same problem outside DRF (unknown paths, failures in middleware)."""
    problem = error.as_problem(trace_id=facts_of(request).request_id)
    response = JsonResponse(problem, status=error.status, content_type=CONTENT_TYPE)
    _add_headers(response, error)
    return response


def _add_headers(response: Any, error: VaultError) -> None:
    response["Cache-Control"] = "no-store"
    if error.retry_after is not None:
        response["Retry-After"] = str(error.retry_after)
    if error.status == 401:  # noqa: PLR2004
        response["WWW-Authenticate"] = 'Bearer realm="vault"'


def as_vault_error(exc: BaseException) -> VaultError:
    """The catalogue's error for any exception; unknown ones are internal faults."""
    if isinstance(exc, VaultError):
        return exc
    if isinstance(exc, drf.ValidationError):
        return errors.InvalidInput(errors=list(_field_problems(exc.detail)))
    for kinds, error in _TRANSLATIONS:
        if isinstance(exc, kinds):
            return error()
    return errors.InternalFault()


def _field_problems(detail: Any, pointer: str = "") -> Iterator[FieldProblem]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = pointer if name == "non_field_errors" else f"{pointer}/{_escape(str(name))}"
            yield from _field_problems(inner, own)
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _field_problems(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield FieldProblem(field=pointer or "/", detail=_QUOTED.sub("The value", str(detail)))


def _escape(name: str) -> str:
    """A member's name as a reference token of a JSON pointer (RFC 6901 section 3)."""
    return name.replace("~", "~0").replace("/", "~1")


_TRANSLATIONS: Final[tuple[tuple[tuple[type[BaseException], ...], type[VaultError]], ...]] = (
    ((drf.ParseError,), errors.MalformedJSON),
    ((drf.MethodNotAllowed,), errors.UnsupportedMethod),
    ((drf.NotAcceptable,), errors.NotAcceptable),
    ((drf.UnsupportedMediaType,), errors.UnsupportedMediaType),
    ((Http404, drf.NotFound), errors.UnknownPath),
    ((DisallowedHost, SuspiciousOperation), errors.InvalidInput),
    ((PermissionDenied, drf.PermissionDenied), errors.RefusedByFramework),
    ((OperationalError, InterfaceError), errors.DatabaseUnavailable),
    ((DatabaseError,), errors.InternalFault),
)
