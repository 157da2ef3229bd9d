"""Middleware that only reads facts off the request; scopes are opened further in, inside exception conversion."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from vaultsite.kernel.tenancy.principal import RequestFacts

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_USER_AGENT_LIMIT: Final = 256

Handler = Callable[[HttpRequest], HttpResponse]


class RequestFactsMiddleware:
    """Gives each request its facts, and each response its ``X-Request-ID``."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.vault_facts = read_facts(request)  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = facts_of(request).request_id
        return response


def read_facts(request: HttpRequest) -> RequestFacts:
    """The facts of a request; a given request id is kept when it has the shape of one."""
    given = request.headers.get("X-Request-ID", "")
    return RequestFacts(
        request_id=given if _REQUEST_ID.fullmatch(given) else str(uuid4()),
        ip_address=request.META.get("REMOTE_ADDR", ""),
        user_agent=request.headers.get("User-Agent", "")[:_USER_AGENT_LIMIT],
        purpose=request.headers.get("X-Vault-Purpose") or None,
        method=request.method or "",
        path=request.path,
        started_at=datetime.now(UTC),
    )


def facts_of(request: HttpRequest) -> RequestFacts:
    facts: RequestFacts | None = getattr(request, "vault_facts", None)
    return facts if facts is not None else read_facts(request)
