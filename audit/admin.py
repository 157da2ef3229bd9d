"""The audit in the browser: searched, read, never written."""

from typing import Any, Final
from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from access.model_admin import ReadOnlyAdmin
from access.services.authorize import authorize
from audit.models import AuditEvent
from audit.pages.explorer import explorer_page
from audit.selectors import EventFilter, list_events, open_actor
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

#: Rows of the short list on other pages.
LATEST: Final = 12


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Newest first, a page at a time, never counted; reading it is itself an event."""

    read_action = "audit.read"
    resource_type = "audit"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("latest/", view(self.latest), name="audit_latest"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return explorer_page(request)

    def latest(self, request: HttpRequest) -> HttpResponse:
        """The last few events, of the organization or of one dataset, as a piece of another page."""
        principal = resolve_principal(request)
        dataset_id = _uuid(request.GET.get("dataset", ""))
        authorize(principal, self.read_action, ResourceRef(self.resource_type, dataset_id=dataset_id))
        events = list_events(tenant_id=principal.tenant_id, criteria=EventFilter(dataset_id=dataset_id), limit=LATEST)
        rows = [(event, open_actor(event)) for event in events]
        return TemplateResponse(request, "vault/audit_rows.html", {"rows": rows})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Not served: an event has a page, and no form."""
        raise Http404


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
