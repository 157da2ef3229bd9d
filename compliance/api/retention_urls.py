"""Paths of retention below /api/v1/."""

from django.urls import path

from compliance.api.retention import (
    RetentionCalendarView,
    RetentionClockConfirmationView,
    RetentionClockView,
    RetentionEventView,
    RetentionPolicyListView,
    RetentionPolicyView,
    RetentionPreviewView,
    RetentionRunListView,
    RetentionRunView,
    RetentionStepListView,
)
from compliance.api.retention_stores import (
    RetentionStoreListView,
    RetentionStorePreviewView,
    RetentionStoreStepListView,
    RetentionStoreView,
)

urlpatterns = [
    path("retention/calendar", RetentionCalendarView.as_view(), name="retention-calendar"),
    path("retention/clock", RetentionClockView.as_view(), name="retention-clock"),
    path("retention/clock/confirm", RetentionClockConfirmationView.as_view(), name="retention-clock-confirm"),
    path("retention/events", RetentionEventView.as_view(), name="retention-events"),
    path("retention/policies", RetentionPolicyListView.as_view(), name="retention-policies"),
    path("retention/policies/<uuid:retention_policy_id>", RetentionPolicyView.as_view(), name="retention-policy"),
    path("retention/preview", RetentionPreviewView.as_view(), name="retention-preview"),
    path("retention/stores", RetentionStoreListView.as_view(), name="retention-stores"),
    path("retention/stores/<str:store>", RetentionStoreView.as_view(), name="retention-store"),
    path("retention/stores/<str:store>/preview", RetentionStorePreviewView.as_view(), name="retention-store-preview"),
    path("retention/runs", RetentionRunListView.as_view(), name="retention-runs"),
    path("retention/runs/<uuid:retention_run_id>", RetentionRunView.as_view(), name="retention-run"),
    path("retention/runs/<uuid:retention_run_id>/steps", RetentionStepListView.as_view(), name="retention-steps"),
    path(
        "retention/runs/<uuid:retention_run_id>/stores",
        RetentionStoreStepListView.as_view(),
        name="retention-store-steps",
    ),
]
