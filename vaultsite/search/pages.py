"""The page of what was found. What is looked for is posted: names and ids of people stay out of addresses and logs."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.services.authorize import authorize
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.search.found import Kind, found_by_id, found_by_name
from vaultsite.search.screens import screens_found

ACTION: Final = "search.use"
LEAST: Final = 2
MOST: Final = 200


def search_page(request: HttpRequest) -> HttpResponse:
    """The box; posted, what it found. One decision, whatever was found in however many kinds."""
    principal = resolve_principal(request)
    authorize(principal, ACTION, ResourceRef("search"))
    text = request.POST.get("text", "").strip()[:MOST]
    is_asked = len(text) >= LEAST
    context: dict[str, Any] = {
        "title": "Search",
        "text": text,
        "kinds": _found(request, principal, text) if is_asked else [],
        "is_asked": is_asked,
        "is_short": bool(text) and not is_asked,
    }
    return TemplateResponse(request, "vault/search.html", admin.site.each_context(request) | context)


def _found(request: HttpRequest, principal: Principal, text: str) -> list[Kind]:
    identifier = _uuid(text)
    if identifier is not None:
        return found_by_id(principal, identifier)
    return [*found_by_name(principal, text), *screens_found(request, text)]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (("", search_page, "find"),)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
