"""Saved searches of the explorer: kept and removed, each by a form."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from access.pages.page import refusal_of
from audit.services.saved_views import remove_view, save_view
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal


@require_POST
def saved_views_page(request: HttpRequest) -> HttpResponse:
    """Keep the posted search, or remove the posted one; back to the explorer."""
    principal, query = resolve_principal(request), request.POST.get("query", "")
    if request.POST.get("do") == "remove":
        refusal = refusal_of(lambda: remove_view(principal, _uuid(request.POST.get("view", ""))))
        said = "The saved search is removed."
    else:
        name, is_shared = request.POST.get("name", ""), request.POST.get("is_shared") == "on"
        refusal = refusal_of(lambda: save_view(principal, name=name, query=query, is_shared=is_shared) and None)
        said = "The search is saved."
    if refusal is None:
        messages.success(request, said)
    else:
        messages.error(request, " ".join([refusal.title + ".", *(problem.detail for problem in refusal.errors)]))
    address = reverse("admin:audit_auditevent_changelist")
    return HttpResponseRedirect(f"{address}?{query}" if query and refusal is None else address)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None
