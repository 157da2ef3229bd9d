"""Letting somebody in again who lost their second factors."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import reverse

from access.services.second_factor import reset_factors
from vaultsite.kernel.tenancy.ports import resolve_principal


def reset_factors_page(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Take every second factor and session from a person; they add a new factor at the next sign-in, where asked."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    reset_factors(resolve_principal(request), user_id=user_id)
    messages.success(request, "The second factors are gone, and every session has ended.")
    return HttpResponseRedirect(reverse("admin:access_user_change", args=[user_id]))
