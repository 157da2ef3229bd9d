"""Error pages of the browser side: what the API says as problem details, said as a page."""

import logging
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static

from vaultsite.kernel.api.problem import as_vault_error, problem_response
from vaultsite.kernel.errors import RefusedByFramework, VaultError
from vaultsite.kernel.tenancy.middleware import facts_of

logger = logging.getLogger("vault.browser")

_FRAMED = "admin/base_site.html"
_BARE = "unfold/layouts/unauthenticated.html"


def error_page(request: HttpRequest, exc: Exception) -> HttpResponse:
    """A page for whatever was raised, with the code and status of its problem document and nothing else of it."""
    error = as_vault_error(exc)
    is_ours = error.status >= 500  # noqa: PLR2004 - the server's own faults
    if is_ours:
        logger.error("%s %s", error.code, type(exc).__name__, exc_info=(type(exc), exc, exc.__traceback__))
    is_known = hasattr(request, "vault_principal") and not is_ours
    frame = admin.site.each_context(request) if is_known else {"styles": [static("vault/vault.css")]}
    context = frame | _facts(request, error) | {"layout": _FRAMED if is_known else _BARE}
    page = HttpResponse(render_to_string("admin/error.html", context, request), status=error.status)
    page["Cache-Control"] = "no-store"
    if error.retry_after is not None:
        page["Retry-After"] = str(error.retry_after)
    return page


def _facts(request: HttpRequest, error: VaultError) -> dict[str, Any]:
    return {
        "title": error.title,
        "error": error,
        "problems": error.errors,
        "request_id": facts_of(request).request_id,
    }


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django passes it
    """A form without its token: as a page in the browser, as a problem elsewhere."""
    error = RefusedByFramework("The form is out of date. Open the page again and send it once more.")
    if request.path.startswith(("/admin/", "/request/")):
        return error_page(request, error)
    return problem_response(request, error)
