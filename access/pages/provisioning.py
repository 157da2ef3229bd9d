"""Provisioning in the browser: what to tell the directory, what it asked for, whom it manages."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import User
from access.pages.page import refusal_of, render_page
from access.policy.scopes import SCIM
from access.scim.address import base_of
from access.selectors import may
from access.services.directory_users import hand_over_user
from access.services.provisioning_overview import provisioning_overview
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.ports import resolve_principal


def provisioning_page(request: HttpRequest) -> HttpResponse:
    """The page; ``failed=1`` shows the requests that failed alone. POST hands somebody over to the directory."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: hand_over_user(principal, user_id=_named(request)))
        if refusal is None:
            messages.success(request, "The directory manages this person from now on.")
            return HttpResponseRedirect(reverse("admin:provisioning"))
    failed_only = request.GET.get("failed") == "1"
    context = {
        "title": "Provisioning",
        "base": base_of(request),
        "scope": SCIM,
        "seen": provisioning_overview(principal, failed_only=failed_only),
        "failed_only": failed_only,
        "may_hand_over": may(principal, "user.manage"),
        "given": request.POST if refusal else {},
    }
    return render_page(request, "vault/provisioning.html", context, refusal=refusal)


def _named(request: HttpRequest) -> UUID:
    """The user of the name that was typed, else nobody's id: what there is, is told after the decision."""
    user = User.objects.filter(username=request.POST.get("username", "")).first()
    return user.pk if user else uuid7()
