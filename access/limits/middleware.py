"""Limits on every answer of the API, and on requests that no principal stands behind."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase

from access.limits.errors import TooManyRequests
from access.limits.gate import admit_unknown, levels_of
from access.limits.headers import add_headers
from access.limits.rules import TOKEN_PATHS
from vaultsite.kernel.api.problem import problem_response

_APIS: Final = ("/api/", "/scim/")


class RateLimitMiddleware:
    """A request with a credential is counted where the credential is judged; any other of the API is counted here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(_APIS):
            return self.get_response(request)
        refusal = _refusal(request) if request.path.startswith(TOKEN_PATHS) else None
        response = problem_response(request, refusal) if refusal else self.get_response(request)
        if not levels_of(request):
            refusal = _refusal(request)
            response = problem_response(request, refusal) if refusal else response
        add_headers(response, levels_of(request))
        return response


def _refusal(request: HttpRequest) -> TooManyRequests | None:
    try:
        admit_unknown(request)
    except TooManyRequests as refusal:
        return refusal
    return None
