"""Paths of the audit below /api/v1/."""

from django.urls import path

from audit.api.alerts import AlertAcknowledgementView, AlertListView, AlertResolutionView, AlertView
from audit.api.dead_letters import DeadLetterListView, DeadLetterReplayView, DeadLettersReplayView
from audit.api.exports import AuditExportFileView, AuditExportListView, AuditExportView
from audit.api.proofs import (
    CheckpointList,
    ConsistencyView,
    EventProofView,
    LatestCheckpoint,
    LogKeys,
    VerificationDetail,
    VerificationList,
)
from audit.api.subscriptions import SubscriptionListView, SubscriptionTrialView, SubscriptionView
from audit.api.summary import AuditSummaryView
from audit.api.views import AuditEventList, AuditEventView
from audit.api.webhook_deliveries import (
    WebhookDeliveryListView,
    WebhookDeliveryView,
    WebhookRetryView,
    WebhookTestView,
)
from audit.api.webhooks import WebhookListView, WebhookReplayView, WebhookRotationView, WebhookView

urlpatterns = [
    path("alerts", AlertListView.as_view(), name="alerts"),
    path("alerts/<uuid:alert_id>", AlertView.as_view(), name="alert"),
    path("alerts/<uuid:alert_id>/acknowledge", AlertAcknowledgementView.as_view(), name="alert-acknowledge"),
    path("alerts/<uuid:alert_id>/resolve", AlertResolutionView.as_view(), name="alert-resolve"),
    path("audit/dead-letters", DeadLetterListView.as_view(), name="dead-letters"),
    path("audit/dead-letters/replay", DeadLettersReplayView.as_view(), name="dead-letters-replay"),
    path("audit/dead-letters/<uuid:dead_letter_id>/replay", DeadLetterReplayView.as_view(), name="dead-letter-replay"),
    path("audit/events", AuditEventList.as_view(), name="audit-events"),
    path("audit/events/<uuid:event_id>/proof", EventProofView.as_view(), name="audit-event-proof"),
    path("audit/checkpoints", CheckpointList.as_view(), name="audit-checkpoints"),
    path("audit/checkpoints/latest", LatestCheckpoint.as_view(), name="audit-checkpoint-latest"),
    path("audit/consistency", ConsistencyView.as_view(), name="audit-consistency"),
    path("audit/keys", LogKeys.as_view(), name="audit-keys"),
    path("audit/verifications", VerificationList.as_view(), name="audit-verifications"),
    path("audit/verifications/<uuid:verification_id>", VerificationDetail.as_view(), name="audit-verification"),
    path("audit/events/<uuid:event_id>", AuditEventView.as_view(), name="audit-event"),
    path("audit/exports", AuditExportListView.as_view(), name="audit-exports"),
    path("audit/exports/<uuid:audit_export_id>", AuditExportView.as_view(), name="audit-export"),
    path("audit/exports/<uuid:audit_export_id>/file", AuditExportFileView.as_view(), name="audit-export-file"),
    path("audit/summary", AuditSummaryView.as_view(), name="audit-summary"),
    path("subscriptions", SubscriptionListView.as_view(), name="subscriptions"),
    path("subscriptions/try", SubscriptionTrialView.as_view(), name="subscription-try"),
    path("subscriptions/<uuid:subscription_id>", SubscriptionView.as_view(), name="subscription"),
    path("webhooks", WebhookListView.as_view(), name="webhooks"),
    path("webhooks/<uuid:webhook_id>", WebhookView.as_view(), name="webhook"),
    path("webhooks/<uuid:webhook_id>/rotate-secret", WebhookRotationView.as_view(), name="webhook-rotate-secret"),
    path("webhooks/<uuid:webhook_id>/replay", WebhookReplayView.as_view(), name="webhook-replay"),
    path("webhooks/<uuid:webhook_id>/test", WebhookTestView.as_view(), name="webhook-test"),
    path("webhooks/<uuid:webhook_id>/deliveries", WebhookDeliveryListView.as_view(), name="webhook-deliveries"),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>",
        WebhookDeliveryView.as_view(),
        name="webhook-delivery",
    ),
    path(
        "webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/retry",
        WebhookRetryView.as_view(),
        name="webhook-delivery-retry",
    ),
]
