"""What every screen of access shares: the decision, the frame, and what a refused form says."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.services.authorize import authorize
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope


def open_page(request: HttpRequest, action: str, resource: ResourceRef) -> Principal:
    """Who reads the page, decided on for ``action``. A page whose service decides needs no second decision.

    Raises AccessDenied, PurposeRequired, UnknownPurpose.
    """
    principal = resolve_principal(request)
    authorize(principal, action, resource)
    return principal


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, refusal: VaultError | None = None
) -> HttpResponse:
    """A page in the admin's frame; ``refusal`` (see :func:`refusal_of`) is shown by it and gives the status."""
    frame = admin.site.each_context(request) | {"refusal": refusal}
    return TemplateResponse(request, template, frame | context, status=refusal.status if refusal else 200)


def refusal_of(change: Callable[[], object]) -> VaultError | None:
    """Do ``change``, what a form posted to its own page asks for; None when it was done, else why not.

    Nothing of what was refused stays. What is no matter of the form is raised as it is.
    """
    try:
        change()
    except VaultError as refusal:
        if refusal.status >= 500 or refusal.outcome == "denied":  # noqa: PLR2004 - not the user's to mend
            raise
        current_scope().fail(refusal)
        return refusal
    return None
