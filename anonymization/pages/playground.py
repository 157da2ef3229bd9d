"""The playground: what is found in a text, and what every operator makes of it. Nothing is stored."""

from django.http import HttpRequest, HttpResponse

from anonymization.pages.page import open_page, render_page
from vaultsite.kernel.events.event import ResourceRef


def playground_page(request: HttpRequest) -> HttpResponse:
    """The empty form."""
    open_page(request, "pii.detect", ResourceRef(type="text"))
    return render_page(request, "vault/playground.html", {"title": "Playground"})
