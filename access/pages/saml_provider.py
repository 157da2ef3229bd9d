"""The part of an identity provider that only SAML has: its metadata, and the keys of the vault towards it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.federation.providers import connection_of, get_provider, resource_of
from access.federation.saml.documents import MAX_METADATA_BYTES
from access.federation.saml.errors import SamlMetadataRefused
from access.federation.saml.keys import begin_rotation, finish_rotation, list_keys
from access.federation.saml.metadata import describe_certificate
from access.federation.saml.peers import service_path
from access.federation.saml.stored import fetch_metadata, find_metadata, upload_metadata
from access.models import IdentityProvider
from access.models.identity_provider import ProviderKind
from access.pages.page import refusal_of, render_page
from access.services.authorize import authorize, may
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def saml_provider_page(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Show metadata and keys, and change them."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        act = request.POST.get("act", "")
        if act not in _ACTS:
            raise Http404
        refusal = refusal_of(lambda: _ACTS[act](request, principal, provider_id))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:saml_provider", args=[provider_id]))
    provider = get_provider(principal, provider_id=provider_id)
    if provider.kind != ProviderKind.SAML:
        raise Http404
    context = _context(provider) | {"may_manage": may(principal, "identity_provider.manage")}
    return render_page(request, "vault/saml_provider.html", context, refusal=refusal)


def fetch_metadata_page(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Fetch the metadata now. Its address may take long to answer, so no scope is open meanwhile."""
    if request.method != "POST":
        raise Http404
    principal = resolve_principal(request)
    with tenant_scope(principal.tenant_id, principal, facts_of(request)):
        authorize(principal, "identity_provider.manage", resource_of(provider_id), facts={"act": "fetch_metadata"})
        provider = get_provider(principal, provider_id=provider_id)
        connection = connection_of(provider, secret=False)
    if provider.kind != ProviderKind.SAML or not connection.settings.get("metadata_url"):
        raise Http404
    try:
        fetch_metadata(connection)
    except VaultError as refused:
        messages.error(request, f"{refused.title}. {refused.detail}".rstrip())
    else:
        messages.success(request, "The metadata was fetched, and holds from now on.")
    return HttpResponseRedirect(reverse("admin:saml_provider", args=[provider_id]))


fetch_metadata_page.opens_own_scope = True  # type: ignore[attr-defined]


def _context(provider: IdentityProvider) -> dict[str, Any]:
    ended, found = "", None
    try:
        found = find_metadata(provider.pk, provider.settings)
    except SamlMetadataRefused as refused:
        ended = refused.detail
    metadata, row = found or (None, None)
    return {
        "title": f"{provider.name}: SAML",
        "provider": provider,
        "metadata": metadata,
        "row": row,
        "ended": ended,
        "address": provider.settings.get("metadata_url", ""),
        "certificates": [describe_certificate(each) for each in (metadata.certificates if metadata else ())],
        "keys": [(key, describe_certificate(key.certificate)) for key in list_keys(provider.pk)],
        "is_rotating": any(key.state == "next" for key in list_keys(provider.pk)),
        "service_metadata": service_path(connection_of(provider, secret=False), "metadata"),
    }


def _upload(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    file = request.FILES.get("document")
    if not isinstance(file, UploadedFile) or (file.size or 0) > MAX_METADATA_BYTES:
        raise InvalidInput(errors=[FieldProblem("document", "Choose a file of at most 1 MiB")])
    found = upload_metadata(principal, provider_id=provider_id, document=file.read())
    messages.success(request, f"People are sent to {found.entity_id} from now on.")


def _begin(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    begin_rotation(principal, provider_id=provider_id)
    messages.success(
        request, "The next certificate is in the vault's metadata. Have the provider read it, then finish."
    )


def _finish(request: HttpRequest, principal: Principal, provider_id: UUID) -> None:
    finish_rotation(principal, provider_id=provider_id)
    messages.success(request, "The vault signs with the new key. The one before opens what is still on its way.")


_ACTS: Final[Mapping[str, Callable[[HttpRequest, Principal, UUID], None]]] = MappingProxyType(
    {"upload": _upload, "begin": _begin, "finish": _finish}
)
