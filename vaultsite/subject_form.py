"""The public form of data subjects: counted by address before anything is parsed, and never an error but as a page."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from access.limits.gate import admit_form, admit_unknown, levels_of
from access.limits.headers import add_headers
from compliance.pages.subject_form import PATHS
from vaultsite.pages import error_page


def form_patterns() -> list[URLPattern]:
    """The paths below ``/request/``. No scope is open in their views, and whatever they raise becomes a page."""
    return [path(route, _as_page(view), name=name) for route, view, name in PATHS]


def _as_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase
        try:
            (admit_form if request.method == "POST" else admit_unknown)(request)
            response = view(request, *args, **kwargs)
        except Exception as exc:  # noqa: BLE001 - the edge: everything becomes a page
            response = error_page(request, exc)
        add_headers(response, levels_of(request))
        # The address holds the token of a link, for nobody elsewhere. Without any referrer a browser would send a form
        # with the origin "null", which the check against forged requests refuses.
        response["Referrer-Policy"] = "same-origin"
        return response

    return update_wrapper(never_cache(inner), view)
