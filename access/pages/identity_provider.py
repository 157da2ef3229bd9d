"""One identity provider: how it is reached, whom it may bring, what its groups give, and what would come of it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.federation.arrival import Outcome, preview
from access.federation.kinds import federation
from access.federation.linking import MOST, link_identity, map_group, unlink_identity, unmap_group
from access.federation.mapping import DESCRIBED
from access.federation.ports import Arrival
from access.federation.providers import (
    change_arrivals,
    change_settings,
    connection_of,
    find_provider,
    get_provider,
    resource_of,
    switch_provider,
)
from access.federation.renewal import take_trial
from access.models import ExternalIdentity, Group, IdentityProvider, Role
from access.pages.page import refusal_of, render_page
from access.services.authorize import authorize, may
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: What the last test of a connection found, for who ran it.
_TEST_KEY: Final = "vault_connection_test"
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {"username": "User name", "email": "E-mail address", "full_name": "Full name", "groups": "Groups"}
)


def identity_provider_page(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Show the provider, and change it."""
    principal = resolve_principal(request)
    refusal, trial = None, None
    if request.method == "POST":
        act = request.POST.get("act", "")
        if act not in _ACTS:
            raise Http404
        found: list[Any] = []
        refusal = refusal_of(lambda: found.append(_ACTS[act](request, principal, provider_id)))
        if refusal is None and act != "sample":
            return HttpResponseRedirect(reverse("admin:identity_provider", args=[provider_id]))
        trial = found[0] if found else None
    provider = get_provider(principal, provider_id=provider_id)
    if request.method == "GET":
        arrival = take_trial(request, provider_id)
        trial = (arrival, preview(provider, arrival)) if arrival else None
    context = _context(request, provider, refusal) | {"may_manage": may(principal, "identity_provider.manage")}
    if trial:
        context |= {"arrival": trial[0], "outcome": trial[1]}
    return render_page(request, "vault/identity_provider.html", context, refusal=refusal)


def connection_test_page(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Ask the provider whether it is what its settings say. Its answer may take long, so no scope is open meanwhile."""
    if request.method != "POST":
        raise Http404
    principal = resolve_principal(request)
    with tenant_scope(principal.tenant_id, principal, facts_of(request)):
        authorize(principal, "identity_provider.manage", resource_of(provider_id), facts={"act": "test"})
        provider = get_provider(principal, provider_id=provider_id)
        connection = connection_of(provider)
    findings = federation(provider.kind).test(connection)
    request.session[_TEST_KEY] = {"provider": str(provider_id), "findings": [asdict(one) for one in findings]}
    return HttpResponseRedirect(reverse("admin:identity_provider", args=[provider_id]) + "#test")


connection_test_page.opens_own_scope = True  # type: ignore[attr-defined]


def _context(request: HttpRequest, provider: IdentityProvider, refusal: VaultError | None) -> dict[str, Any]:
    kind, connection = federation(provider.kind), connection_of(provider, secret=False)
    begin = kind.sign_in_path(connection)
    # What was refused is shown once more to be mended, and so is a sample that was tried.
    is_shown = refusal is not None or request.POST.get("act") == "sample"
    posted = request.POST if is_shown else None
    is_settings = posted is not None and posted.get("act") == "settings"
    return {
        "title": provider.name,
        "provider": provider,
        "form": _settings_form(kind.form, provider, request.POST if is_settings else None),
        "given": posted or {},
        "copied": kind.copied_values(connection, request.build_absolute_uri("/").rstrip("/")),
        "try_path": f"{begin}?act=try" if begin else "",
        "sample_of": kind.sample,
        "issuer": kind.issuer(connection),
        "findings": _findings(request, provider.pk),
        "attributes": [
            (name, _LABELS[name], provider.attributes.get(name, "")) for name in DESCRIBED if name in kind.attributes
        ],
        "tells_factors": bool(kind.mfa_values),
        "mfa_values": " ".join(provider.mfa_values),
        "mappings": provider.mappings.select_related("role", "group").order_by("external_group")[:MOST],
        "identities": _identities(provider),
        "roles": Role.objects.order_by("name"),
        "groups": Group.objects.order_by("display_name")[:MOST],
    }


def _settings_form(kind: type[forms.Form], provider: IdentityProvider, posted: Any) -> forms.Form:
    return kind(posted, initial=dict(provider.settings))


def _identities(provider: IdentityProvider) -> Any:
    return ExternalIdentity.objects.filter(provider=provider).select_related("user").order_by("subject")[:MOST]


def _findings(request: HttpRequest, provider_id: UUID) -> list[dict[str, Any]]:
    kept = request.session.get(_TEST_KEY)
    if kept is None or kept["provider"] != str(provider_id):
        return []
    del request.session[_TEST_KEY]
    findings: list[dict[str, Any]] = kept["findings"]
    return findings


def _switch(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    is_active = request.POST.get("is_active") == "1"
    switch_provider(principal, provider_id=provider_id, is_active=is_active)
    told = (
        "People can sign in with it."
        if is_active
        else "Nobody signs in with it, and sessions that began there are over."
    )
    messages.success(request, told)


def _settings(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    given = request.POST.dict() | dict(request.FILES.items())
    change_settings(principal, provider_id=provider_id, name=request.POST.get("name", ""), settings=given)
    messages.success(request, "The settings hold from the next sign-in on.")


def _arrivals(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    change_arrivals(
        principal,
        provider_id=provider_id,
        creates_users=request.POST.get("creates_users") == "on",
        attributes={name: request.POST.get(f"attribute_{name}", "") for name in DESCRIBED},
        mfa_values=request.POST.get("mfa_values", "").split(),
    )
    messages.success(request, "That holds from the next sign-in on.")


def _map(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    kind, _, meaning = request.POST.get("meaning", "").partition(":")
    map_group(
        principal,
        provider_id=provider_id,
        external_group=request.POST.get("external_group", ""),
        role=meaning if kind == "role" else "",
        group_id=_uuid(meaning) if kind == "group" else None,
    )
    messages.success(request, "The group gives that from each person's next sign-in on.")


def _unmap(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    unmap_group(principal, provider_id=provider_id, mapping_id=_uuid(request.POST.get("id", "")))
    messages.success(request, "What it gave is taken away at each person's next sign-in.")


def _link(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    given = request.POST
    link_identity(
        principal,
        provider_id=provider_id,
        username=given.get("username", ""),
        issuer=given.get("issuer", ""),
        subject=given.get("subject", ""),
    )
    messages.success(request, "Whoever the provider calls so signs in as that user.")


def _unlink(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    unlink_identity(principal, provider_id=provider_id, identity_id=_uuid(request.POST.get("id", "")))
    messages.success(request, "That identity opens nothing any more.")


def _sample(request: HttpRequest, principal: Principal, provider_id: UUID) -> tuple[Arrival, Outcome]:
    # A directory is asked for the sample, in the name of the vault.
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts={"act": "sample"})
    provider = find_provider(provider_id)
    arrival = federation(provider.kind).read_sample(provider, request.POST.get("sample", ""))
    return arrival, preview(provider, arrival)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


_ACTS: Final[Mapping[str, Callable[[HttpRequest, Principal, UUID], Any]]] = MappingProxyType(
    {
        "switch": _switch,
        "settings": _settings,
        "arrivals": _arrivals,
        "map": _map,
        "unmap": _unmap,
        "link": _link,
        "unlink": _unlink,
        "sample": _sample,
    }
)
