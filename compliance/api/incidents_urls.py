"""Paths of incidents below /api/v1/."""

from django.urls import path

from compliance.api.incidents import (
    BreachLogView,
    IncidentClosureView,
    IncidentConfirmationView,
    IncidentContainmentView,
    IncidentDismissalView,
    IncidentListView,
    IncidentTimelineView,
    IncidentView,
)
from compliance.api.incidents_work import (
    BreachNoticeListView,
    BreachNoticeSentView,
    BreachNoticeView,
    IncidentAssessmentListView,
    IncidentQuarantineView,
    IncidentRevocationView,
    IncidentScopeListView,
    IncidentScopeView,
    IncidentTaskDoneView,
    IncidentTaskListView,
)

_ONE = "incidents/<uuid:incident_id>"

urlpatterns = [
    path("incidents", IncidentListView.as_view(), name="incidents"),
    path("incidents/log/<int:year>", BreachLogView.as_view(), name="breach-log"),
    path(_ONE, IncidentView.as_view(), name="incident"),
    path(f"{_ONE}/confirm", IncidentConfirmationView.as_view(), name="incident-confirm"),
    path(f"{_ONE}/dismiss", IncidentDismissalView.as_view(), name="incident-dismiss"),
    path(f"{_ONE}/contain", IncidentContainmentView.as_view(), name="incident-contain"),
    path(f"{_ONE}/close", IncidentClosureView.as_view(), name="incident-close"),
    path(f"{_ONE}/timeline", IncidentTimelineView.as_view(), name="incident-timeline"),
    path(f"{_ONE}/scopes", IncidentScopeListView.as_view(), name="incident-scopes"),
    path(f"{_ONE}/scopes/<uuid:incident_scope_id>", IncidentScopeView.as_view(), name="incident-scope"),
    path(f"{_ONE}/assessments", IncidentAssessmentListView.as_view(), name="incident-assessments"),
    path(f"{_ONE}/tasks", IncidentTaskListView.as_view(), name="incident-tasks"),
    path(f"{_ONE}/tasks/<uuid:incident_task_id>/done", IncidentTaskDoneView.as_view(), name="incident-task-done"),
    path(f"{_ONE}/notices", BreachNoticeListView.as_view(), name="breach-notices"),
    path(f"{_ONE}/notices/<uuid:notice_id>", BreachNoticeView.as_view(), name="breach-notice"),
    path(f"{_ONE}/notices/<uuid:notice_id>/sent", BreachNoticeSentView.as_view(), name="breach-notice-sent"),
    path(f"{_ONE}/quarantine", IncidentQuarantineView.as_view(), name="incident-quarantine"),
    path(f"{_ONE}/revocation", IncidentRevocationView.as_view(), name="incident-revocation"),
]
