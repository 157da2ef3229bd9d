"""The organization's identity providers: which there are, and a new one."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.federation.kinds import federation
from access.federation.providers import create_provider, list_providers
from access.models import IdentityProvider
from access.models.identity_provider import ProviderKind
from access.pages.page import open_page, refusal_of, render_page
from access.services.authorize import may
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def identity_providers_page(request: HttpRequest) -> HttpResponse:
    """Every provider, and where a new one begins."""
    principal = resolve_principal(request)
    context = {
        "title": "Identity providers",
        "providers": list_providers(principal),
        "kinds": ProviderKind.choices,
        "may_manage": may(principal, "identity_provider.manage"),
    }
    return render_page(request, "vault/identity_providers.html", context)


def new_identity_provider_page(request: HttpRequest, kind: str) -> HttpResponse:
    """The form for a provider of one kind."""
    if kind not in ProviderKind.values:
        raise Http404
    principal = resolve_principal(request)
    refusal, made = None, list[IdentityProvider]()
    form = federation(kind).form(request.POST or None)
    if request.method == "POST":
        refusal = refusal_of(lambda: made.append(_create(request, principal, kind)))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:identity_provider", args=[made[0].pk]))
    else:
        open_page(request, "identity_provider.read", ResourceRef("identity_provider"))
    context: dict[str, Any] = {
        "title": f"New provider: {ProviderKind(kind).label}",
        "form": form,
        "given": request.POST,
        "may_manage": may(principal, "identity_provider.manage"),
    }
    return render_page(request, "vault/identity_provider_new.html", context, refusal=refusal)


def _create(request: HttpRequest, principal: Principal, kind: str) -> IdentityProvider:
    given = request.POST.dict() | dict(request.FILES.items())
    return create_provider(
        principal, kind=kind, slug=request.POST.get("slug", ""), name=request.POST.get("name", ""), settings=given
    )
