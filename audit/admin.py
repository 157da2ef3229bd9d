"""The audit in the browser: searched, read, never written."""

import hashlib
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from access.model_admin import ReadOnlyAdmin
from access.services.authorize import authorize
from audit.models import AuditEvent
from audit.selectors import EventFilter, EventPosition, list_events, open_actor, read_body
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

PAGE_SIZE: Final = 50
#: Rows of the short list on other pages.
LATEST: Final = 12
_ANY: Final = ("", "any")
_OUTCOMES: Final = ("success", "denied", "failure")


class EventFilterForm(forms.Form):
    """What to look for; all must hold."""

    type = forms.ChoiceField(
        choices=[_ANY, *((kind.value, kind.value) for kind in EventType)],
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    status = forms.ChoiceField(
        label="Outcome", choices=[_ANY, *((name, name) for name in _OUTCOMES)], required=False,
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    actor = forms.UUIDField(label="Actor (id)", required=False, widget=UnfoldAdminTextInputWidget())
    dataset = forms.UUIDField(label="Dataset (id)", required=False, widget=UnfoldAdminTextInputWidget())
    request_id = forms.CharField(
        label="Request (id)", max_length=64, required=False, widget=UnfoldAdminTextInputWidget()
    )
    since = forms.DateTimeField(
        label="From (UTC)", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "2026-01-31 14:00"})
    )
    until = forms.DateTimeField(
        label="Until (UTC)", required=False, widget=UnfoldAdminTextInputWidget({"placeholder": "2026-02-01"})
    )

    def criteria(self) -> EventFilter:
        given = {name: value or None for name, value in self.cleaned_data.items()}
        return EventFilter(
            actor_id=given["actor"],
            dataset_id=given["dataset"],
            type=given["type"],
            status=given["status"],
            request_id=given["request_id"],
            since=given["since"],
            until=given["until"],
        )


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Newest first, a page at a time, never counted; reading it is itself an event."""

    read_action = "audit.read"
    resource_type = "audit"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("latest/", view(self.latest), name="audit_latest"),
            path("<uuid:event_id>/", view(self.event_page), name="audit_event_page"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        principal = resolve_principal(request)
        authorize(principal, self.read_action, ResourceRef(self.resource_type))
        form = EventFilterForm(request.GET)
        is_valid = form.is_valid()
        criteria = form.criteria() if is_valid else EventFilter()
        found = (
            list_events(tenant_id=principal.tenant_id, criteria=criteria, limit=PAGE_SIZE + 1, after=_position(request))
            if is_valid
            else []
        )
        shown = found[:PAGE_SIZE]
        context = {
            "title": "Audit",
            "form": form,
            "rows": [(event, open_actor(event)) for event in shown],
            "next_query": _next_query(request, shown[-1]) if len(found) > PAGE_SIZE else None,
            "is_first_page": "before" not in request.GET,
            "is_filtered": any(request.GET.get(name) for name in form.fields),
        }
        return TemplateResponse(
            request,
            "vault/audit.html",
            self.admin_site.each_context(request) | context,
            status=200 if is_valid else 400,
        )

    def latest(self, request: HttpRequest) -> HttpResponse:
        """The last few events, of the organization or of one dataset, as a piece of another page."""
        principal = resolve_principal(request)
        dataset_id = _uuid(request.GET.get("dataset", ""))
        authorize(principal, self.read_action, ResourceRef(self.resource_type, dataset_id=dataset_id))
        events = list_events(tenant_id=principal.tenant_id, criteria=EventFilter(dataset_id=dataset_id), limit=LATEST)
        rows = [(event, open_actor(event)) for event in events]
        return TemplateResponse(request, "vault/audit_rows.html", {"rows": rows})

    def event_page(self, request: HttpRequest, event_id: UUID) -> HttpResponse:
        """One event: its exact bytes laid out, its digest, and who it was."""
        principal = resolve_principal(request)
        authorize(principal, self.read_action, ResourceRef(self.resource_type, str(event_id)))
        event = AuditEvent.objects.filter(tenant_id=principal.tenant_id, pk=event_id).first()
        if event is None:
            raise Http404
        body = bytes(event.body)
        context = {
            "title": event.type,
            "event": event,
            "actor": open_actor(event),
            "json": orjson.dumps(read_body(event), option=orjson.OPT_INDENT_2).decode(),
            "digest": hashlib.sha256(body).hexdigest(),
            "size": len(body),
        }
        return TemplateResponse(request, "vault/audit_event.html", self.admin_site.each_context(request) | context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """Not served: an event has a page, and no form."""
        raise Http404


def _next_query(request: HttpRequest, last: AuditEvent) -> str:
    kept = {name: value for name, value in request.GET.items() if name != "before" and value}
    return urlencode(kept | {"before": f"{last.time.isoformat()}/{last.pk}"})


def _position(request: HttpRequest) -> EventPosition | None:
    time, _, event_id = request.GET.get("before", "").partition("/")
    if not time:
        return None
    try:
        position = EventPosition(time=datetime.fromisoformat(time), id=UUID(event_id))
    except ValueError:
        return None
    return position if position.time.tzinfo else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
