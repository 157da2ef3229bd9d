"""The home page and its pieces: each piece is a page of its own, which the home page fetches."""

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.services.authorize import authorize
from datasets.models import Dataset
from vaultsite.dashboard.activity import RESOURCE
from vaultsite.dashboard.figures import operations_by_hour
from vaultsite.dashboard.filters import CUSTOM, LABELS, Filters, read_filters
from vaultsite.dashboard.heatmap import DAYS, HOURS, hours_of
from vaultsite.dashboard.pieces import PIECES, pieces_for
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

#: Sent by the home page's script, which wants a piece without the frame.
FETCHED: Final = "X-Vault-Piece"
_WORK: Final = "work"
_OFFERED: Final = 500


def home_page(request: HttpRequest) -> HttpResponse:
    """What waits for the reader, at once; places for everything else, which follows."""
    principal = resolve_principal(request)
    pieces = pieces_for(principal)
    context: dict[str, Any] = {"title": "Home", "live_port": settings.VAULT["LIVE_PORT"]}
    if _WORK in pieces:
        action = pieces[_WORK].action
        filters = read_filters(request, principal, action=action)
        authorize(principal, action, ResourceRef(RESOURCE, _WORK, dataset_id=filters.dataset_id))
        context |= _choice(principal, filters) | PIECES[_WORK].gather(principal, filters)
        context["later"] = {name: piece for name, piece in pieces.items() if name != _WORK}
    return TemplateResponse(request, "admin/index.html", admin.site.each_context(request) | context)


def piece_page(request: HttpRequest, name: str) -> HttpResponse:
    """One piece: alone where the home page asks for it, as a page of its own for who follows its link."""
    piece = PIECES.get(name)
    if piece is None:
        raise Http404
    principal = resolve_principal(request)
    filters = read_filters(request, principal, action=piece.action)
    authorize(principal, piece.action, ResourceRef(RESOURCE, name, dataset_id=filters.dataset_id))
    context = {"title": piece.title, "piece": piece, "piece_name": name, "filters": filters}
    context |= piece.gather(principal, filters)
    if FETCHED in request.headers:
        return TemplateResponse(request, piece.template, context)
    frame = admin.site.each_context(request) | _choice(principal, filters) | {"live_port": settings.VAULT["LIVE_PORT"]}
    return TemplateResponse(request, "vault/dashboard_piece.html", frame | context)


def hours_page(request: HttpRequest) -> HttpResponse:
    """The hours of the calendar that one cell of the heatmap sums, each with its events."""
    principal = resolve_principal(request)
    filters = read_filters(request, principal, action="audit.read")
    authorize(principal, "audit.read", ResourceRef(RESOURCE, "hours", dataset_id=filters.dataset_id))
    day, hour = _number(request, "weekday", len(DAYS)), _number(request, "hour", len(HOURS))
    context = {
        "title": f"{DAYS[day]}s, {hour:02}:00 to {hour + 1:02}:00 UTC",
        "filters": filters,
        "hours": hours_of(operations_by_hour(filters), filters, day=day, hour=hour),
    }
    return TemplateResponse(request, "vault/dashboard_hours.html", admin.site.each_context(request) | context)


def _number(request: HttpRequest, name: str, end: int) -> int:
    given = request.GET.get(name, "")
    if not (given.isascii() and given.isdigit() and len(given) <= len(str(end)) and int(given) < end):
        raise InvalidInput(errors=[FieldProblem(name, f"a number from 0 to {end - 1}")])
    return int(given)


def _choice(principal: Principal, filters: Filters) -> dict[str, Any]:
    """What the form of the filters offers, and what is chosen."""
    known = Dataset.objects.visible_to(principal).order_by("name").values_list("pk", "name")
    return {"filters": filters, "periods": LABELS, "custom": CUSTOM, "datasets": list(known[:_OFFERED])}


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("hours/", hours_page, "home_hours"),
    ("<slug:name>/", piece_page, "home_piece"),
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
