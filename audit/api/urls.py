"""Paths of the audit below /api/v1/."""

from django.urls import path

from audit.api.views import AuditEventList

urlpatterns = [path("audit/events", AuditEventList.as_view(), name="audit-events")]
