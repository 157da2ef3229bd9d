"""Paths of posture below /api/v1/."""

from django.urls import path

from compliance.api.posture import (
    ComplianceStatusView,
    ControlEvidenceDocumentView,
    ControlEvidenceListView,
    ControlEvidenceView,
    ControlView,
    ProbeKeysView,
    ProbeResultView,
    ProbeRunListView,
    ProbeRunView,
)

urlpatterns = [
    path("compliance/status", ComplianceStatusView.as_view(), name="compliance-status"),
    path("compliance/controls/<str:control>", ControlView.as_view(), name="control"),
    path("compliance/controls/<str:control>/evidence", ControlEvidenceListView.as_view(), name="control-attestation"),
    path("compliance/evidence/<uuid:evidence_id>", ControlEvidenceView.as_view(), name="control-evidence"),
    path(
        "compliance/evidence/<uuid:evidence_id>/document",
        ControlEvidenceDocumentView.as_view(),
        name="control-evidence-document",
    ),
    path("compliance/probes/runs", ProbeRunListView.as_view(), name="probe-runs"),
    path("compliance/probes/runs/<uuid:probe_run_id>", ProbeRunView.as_view(), name="probe-run"),
    path("compliance/probes/results/<uuid:probe_result_id>", ProbeResultView.as_view(), name="probe-result"),
    path("compliance/probes/keys", ProbeKeysView.as_view(), name="probe-keys"),
]
