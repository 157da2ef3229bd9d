"""Service accounts in the browser: made, given keys and certificates, disabled."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.auth.clients import ClientId
from access.models import AccountKind, ApiKey, CertificateName, Role, ServiceAccount
from access.pages.page import refusal_of, render_page
from access.selectors import may
from access.services.service_accounts import (
    create_service_account,
    disable_service_account,
    enable_service_account,
    enroll_certificate,
    get_service_account,
    list_service_accounts,
    withdraw_certificate,
)
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id


def service_accounts_page(request: HttpRequest) -> HttpResponse:
    """Every account, and the form for a new one."""
    principal = resolve_principal(request)
    refusal, made = None, []
    if request.method == "POST":
        refusal = refusal_of(lambda: made.append(_create(request, principal)))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:service_account", args=[made[0].pk]))
    context = {
        "title": "Service accounts",
        "accounts": list_service_accounts(principal),
        "roles": Role.objects.order_by("name"),
        "kinds": AccountKind.choices,
        "given": request.POST if refusal else {},
        "chosen": request.POST.getlist("roles"),
        "may_manage": may(principal, "serviceaccount.manage"),
    }
    return render_page(request, "vault/service_accounts.html", context, refusal=refusal)


def service_account_page(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """One account: its roles, keys and certificates."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _change(request, principal, account_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:service_account", args=[account_id]))
    account = get_service_account(principal, account_id=account_id)
    context = {
        "title": account.name,
        "account": account,
        "client_id": str(ClientId(current_tenant_id(), account.pk)),
        "bindings": account.bindings.live().select_related("role").order_by("role__name"),
        "keys": ApiKey.objects.filter(service_account=account).order_by("-created_at"),
        "certificates": account.certificates.order_by("-created_at"),
        "kinds": [kind.value for kind in CertificateName],
        "given": request.POST if refusal else {},
        "may_manage": may(principal, "serviceaccount.manage"),
    }
    return render_page(request, "vault/service_account.html", context, refusal=refusal)


def _create(request: HttpRequest, principal: Principal) -> ServiceAccount:
    account = create_service_account(
        principal,
        name=request.POST.get("name", ""),
        description=request.POST.get("description", ""),
        kind=request.POST.get("kind", AccountKind.PROGRAM),
        roles=request.POST.getlist("roles"),
    )
    messages.success(request, "The service account is made. Give it a key or a certificate to be known by.")
    return account


def _change(request: HttpRequest, principal: Principal, account_id: UUID) -> None:
    act = request.POST.get("act", "")
    if act == "disable":
        disable_service_account(principal, account_id=account_id)
        messages.success(request, "The account is disabled: nothing it has opens anything any more.")
    elif act == "enable":
        enable_service_account(principal, account_id=account_id)
        messages.success(request, "The account is enabled.")
    elif act == "enroll":
        kind, value = request.POST.get("kind", ""), request.POST.get("value", "").strip()
        enroll_certificate(principal, account_id=account_id, kind=kind, value=value)
        messages.success(request, "The certificate speaks for this account from now on.")
    elif act == "withdraw":
        certificate_id = _uuid(request.POST.get("certificate", ""))
        withdraw_certificate(principal, account_id=account_id, certificate_id=certificate_id)
        messages.success(request, "The certificate is withdrawn.")
    else:
        raise Http404


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
