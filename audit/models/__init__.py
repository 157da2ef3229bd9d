"""The tables of the audit."""

from audit.models.activity_watch import ActivityWatch
from audit.models.alert import Alert, AlertSeverity, AlertState, AlertVerdict
from audit.models.archive import AuditArchivePart
from audit.models.delivery import BrokerDelivery, DeadLetter
from audit.models.event import AuditEvent
from audit.models.export import AuditExport, AuditExportFormat
from audit.models.log import AuditCheckpoint, AuditLeaf, AuditTile, WitnessReceipt
from audit.models.notification import Notification, NotificationSetting, PendingNotice
from audit.models.outbox import OutboxEntry
from audit.models.rollup import (
    RollupAccessHour,
    RollupActorDay,
    RollupDatasetDay,
    RollupFacet,
    RollupHour,
    RollupPolicyHour,
)
from audit.models.saved_view import SavedView
from audit.models.subscription import EventSubscription
from audit.models.verification import AuditMonthDrop, AuditVerification
from audit.models.webhook import DeliveryStatus, DisabledBy, SignatureKind, WebhookDelivery, WebhookEndpoint

__all__ = [
    "ActivityWatch",
    "Alert",
    "AlertSeverity",
    "AlertState",
    "AlertVerdict",
    "AuditArchivePart",
    "AuditCheckpoint",
    "AuditEvent",
    "AuditExport",
    "AuditExportFormat",
    "AuditLeaf",
    "AuditMonthDrop",
    "AuditTile",
    "AuditVerification",
    "BrokerDelivery",
    "DeadLetter",
    "DeliveryStatus",
    "DisabledBy",
    "EventSubscription",
    "Notification",
    "NotificationSetting",
    "OutboxEntry",
    "PendingNotice",
    "RollupAccessHour",
    "RollupActorDay",
    "RollupDatasetDay",
    "RollupFacet",
    "RollupHour",
    "RollupPolicyHour",
    "SavedView",
    "SignatureKind",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WitnessReceipt",
]
