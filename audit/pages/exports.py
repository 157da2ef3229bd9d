"""Exports of the audit in the browser: asked for, watched, downloaded, taken back."""

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from access.pages.page import refusal_of, render_page
from audit.api.exports import as_download
from audit.exports.request import create_export, list_exports, open_download, withdraw_export
from audit.models import AuditExportFormat
from audit.services.criteria import read_criteria
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_LISTED: Final = 50


def audit_exports_page(request: HttpRequest) -> HttpResponse:
    """The reader's exports of the audit; posted, one is asked for or taken back."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:audit_exports"))
    exports = list_exports(principal, limit=_LISTED)
    context = {
        "title": "Exports of the audit",
        "exports": exports,
        "is_waiting": any(not export.is_final for export in exports),
    }
    return render_page(request, "vault/audit_exports.html", context, refusal=refusal)


def _act(request: HttpRequest, principal: Principal) -> None:
    if request.POST.get("do") == "remove":
        withdraw_export(principal, _uuid(request.POST.get("export", "")))
        messages.success(request, "The export is removed.")
        return
    if request.POST.get("format") not in AuditExportFormat.values:
        raise InvalidInput
    criteria = read_criteria(QueryDict(request.POST.get("query", "")).dict())
    create_export(principal, format=AuditExportFormat(request.POST["format"]), criteria=criteria)
    messages.success(request, "The export is being written.")


@require_GET
def audit_export_file(request: HttpRequest, export_id: UUID) -> StreamingHttpResponse:
    """The file of a finished export."""
    principal = resolve_principal(request)
    return as_download(open_download(principal, export_id), principal, facts_of(request))


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None
