"""Which topics an event is published under: one line for every type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vaultsite.kernel.events.event import EventType

LIFECYCLE: Final = "vault.events.data.lifecycle"
ACCESS: Final = "vault.events.data.access"
COMPLIANCE: Final = "vault.events.compliance"
SYSTEM: Final = "vault.events.system"

#: The feeds of governance dashboards: coarser, and one of everything critical.
FEED_ACCESS: Final = "vault.events.access"
FEED_ADMIN: Final = "vault.events.admin"
FEED_COMPLIANCE: Final = COMPLIANCE
FEED_ALERTS: Final = "vault.events.alerts"

#: Every topic there is, in the order it is shown.
ALL_TOPICS: Final = (LIFECYCLE, ACCESS, COMPLIANCE, SYSTEM, FEED_ACCESS, FEED_ADMIN, FEED_ALERTS)

_FEEDS: Final = MappingProxyType(
    {LIFECYCLE: FEED_ADMIN, ACCESS: FEED_ACCESS, COMPLIANCE: FEED_COMPLIANCE, SYSTEM: FEED_ADMIN}
)

TOPICS: Final[Mapping[EventType, str]] = MappingProxyType(
    {
        EventType.AUDIT_VERIFIED: COMPLIANCE,
        EventType.REPORT_WRITTEN: COMPLIANCE,
        EventType.REPORT_RELEASED: COMPLIANCE,
        EventType.AUDIT_EXPORTED: COMPLIANCE,
        EventType.AUDIT_EXPORT_EXPIRED: COMPLIANCE,
        EventType.AUDIT_KEY_ROTATED: COMPLIANCE,
        EventType.AUDIT_MONTH_DROPPED: COMPLIANCE,
        EventType.AUDIT_MONTH_ARCHIVED: COMPLIANCE,
        EventType.ACCESS_READ: ACCESS,
        EventType.ACCESS_WRITE: ACCESS,
        EventType.ACCESS_DELETE: ACCESS,
        EventType.ACCESS_DENIED: ACCESS,
        EventType.ACCESS_REQUESTED: ACCESS,
        EventType.ACCESS_GRANTED: ACCESS,
        EventType.ACCESS_REFUSED: ACCESS,
        EventType.ACCESS_EXTENDED: ACCESS,
        EventType.ACCESS_REVOKED: ACCESS,
        EventType.ACCESS_SUSPENDED: ACCESS,
        EventType.ACCESS_RESUMED: ACCESS,
        EventType.ACCESS_EXHAUSTED: ACCESS,
        EventType.EMERGENCY_REQUESTED: COMPLIANCE,
        EventType.EMERGENCY_GRANTED: COMPLIANCE,
        EventType.EMERGENCY_REFUSED: COMPLIANCE,
        EventType.EMERGENCY_USED: COMPLIANCE,
        EventType.EMERGENCY_REVIEWED: COMPLIANCE,
        EventType.REVIEW_STARTED: COMPLIANCE,
        EventType.REVIEW_DECIDED: COMPLIANCE,
        EventType.REVIEW_CLOSED: COMPLIANCE,
        EventType.ACCESS_COMPLETED: ACCESS,
        EventType.CREATED: LIFECYCLE,
        EventType.UPDATED: LIFECYCLE,
        EventType.VERSIONED: LIFECYCLE,
        EventType.LINEAGE_REPORTED: LIFECYCLE,
        EventType.REF_CHANGED: LIFECYCLE,
        EventType.EXPORTED: COMPLIANCE,
        EventType.EXPORT_FAILED: COMPLIANCE,
        EventType.EXPORT_EXPIRED: COMPLIANCE,
        EventType.MERGE_REQUESTED: LIFECYCLE,
        EventType.MERGE_REVIEWED: LIFECYCLE,
        EventType.MERGE_CLOSED: LIFECYCLE,
        EventType.MERGED: LIFECYCLE,
        EventType.MERGE_CONFLICTED: LIFECYCLE,
        EventType.MERGE_FAILED: LIFECYCLE,
        EventType.ERASED: COMPLIANCE,
        EventType.CONSENT_RECORDED: COMPLIANCE,
        EventType.CONSENT_WITHDRAWN: COMPLIANCE,
        EventType.CONSENT_TASK_DECIDED: COMPLIANCE,
        EventType.PURPOSE_CHANGED: COMPLIANCE,
        EventType.CORRUPTION_DETECTED: COMPLIANCE,
        EventType.POLICY_CHANGED: COMPLIANCE,
        EventType.DEANONYMIZED: COMPLIANCE,
        EventType.SCHEMA_CHANGED: LIFECYCLE,
        EventType.ARCHIVED: LIFECYCLE,
        EventType.DELETED: LIFECYCLE,
        EventType.RESTORED: LIFECYCLE,
        EventType.PURGED: LIFECYCLE,
        EventType.RETENTION_ANNOUNCED: COMPLIANCE,
        EventType.RETENTION_APPLIED: COMPLIANCE,
        EventType.RETENTION_CHANGED: COMPLIANCE,
        EventType.DRAFT_OPENED: LIFECYCLE,
        EventType.DRAFT_STAGED: LIFECYCLE,
        EventType.DRAFT_DISCARDED: LIFECYCLE,
        EventType.DRAFT_EXPIRING: LIFECYCLE,
        EventType.DRAFT_EXPIRED: LIFECYCLE,
        EventType.PUBLISH_FAILED: LIFECYCLE,
        EventType.INGEST_FAILED: LIFECYCLE,
        EventType.FAMILY_JOINED: COMPLIANCE,
        EventType.BUDGET_SPENT: COMPLIANCE,
        EventType.BUDGET_CHANGED: COMPLIANCE,
        EventType.RELEASE_ADMITTED: COMPLIANCE,
        EventType.RELEASE_REPORTED: COMPLIANCE,
        EventType.RELEASE_WITHDRAWN: COMPLIANCE,
        EventType.RECIPIENT_ATTESTED: COMPLIANCE,
        EventType.RELEASE_RULES_DECLARED: COMPLIANCE,
        EventType.ADMIN_READ: SYSTEM,
        EventType.ADMIN_WRITE: SYSTEM,
        EventType.AUDIT_READ: SYSTEM,
        EventType.DELIVERY_FAILED: SYSTEM,
        EventType.DELIVERY_REPLAYED: SYSTEM,
        EventType.LOGIN_SUCCEEDED: SYSTEM,
        EventType.LOGIN_FAILED: SYSTEM,
        EventType.LOGOUT: SYSTEM,
        EventType.LOGIN_CONTINUED: SYSTEM,
        EventType.FACTOR_SHOWN: SYSTEM,
        EventType.FACTOR_CHANGED: SYSTEM,
        EventType.SESSION_ENDED: SYSTEM,
        EventType.IDENTITY_CHANGED: SYSTEM,
        EventType.CREDENTIAL_REFUSED: SYSTEM,
        EventType.TOKEN_ISSUED: SYSTEM,
        EventType.TOKEN_REUSED: SYSTEM,
        EventType.TOKEN_REVOKED: SYSTEM,
        EventType.RATE_EXCEEDED: SYSTEM,
        EventType.ROLE_CHANGED: SYSTEM,
        EventType.ROLE_GRANTED: SYSTEM,
        EventType.ROLE_REVOKED: SYSTEM,
        EventType.GROUP_CHANGED: SYSTEM,
        EventType.DELEGATION_CHANGED: SYSTEM,
        EventType.ATTRIBUTES_CHANGED: SYSTEM,
        EventType.DEPROVISIONED: SYSTEM,
        EventType.DIRECTORY_CHANGED: SYSTEM,
        EventType.POLICY_VIOLATED: COMPLIANCE,
        EventType.ALERT_RAISED: COMPLIANCE,
        EventType.ALERT_ACKNOWLEDGED: COMPLIANCE,
        EventType.ALERT_RESOLVED: COMPLIANCE,
        EventType.BREACH_SUSPECTED: COMPLIANCE,
        EventType.INCIDENT_OPENED: COMPLIANCE,
        EventType.INCIDENT_CHANGED: COMPLIANCE,
        EventType.INCIDENT_RECORDED: COMPLIANCE,
        EventType.INCIDENT_NOTIFIED: COMPLIANCE,
        EventType.INCIDENT_DUE: COMPLIANCE,
        EventType.HOLD_PLACED: COMPLIANCE,
        EventType.HOLD_CONFIRMED: COMPLIANCE,
        EventType.HOLD_RELEASE_REQUESTED: COMPLIANCE,
        EventType.HOLD_RELEASE_WITHDRAWN: COMPLIANCE,
        EventType.HOLD_RELEASED: COMPLIANCE,
        EventType.HOLD_NOTICE_SENT: COMPLIANCE,
        EventType.HOLD_NOTICE_REMINDED: COMPLIANCE,
        EventType.HOLD_NOTICE_ACKNOWLEDGED: COMPLIANCE,
        EventType.SUBSCRIPTION_CHANGED: SYSTEM,
        EventType.CAPACITY_WARNING: SYSTEM,
        EventType.SERVICE_DEGRADED: SYSTEM,
        EventType.SERVICE_RECOVERED: SYSTEM,
        EventType.BACKUP_COMPLETED: SYSTEM,
        EventType.RECOVERY_INITIATED: SYSTEM,
        EventType.EXPORTED_ANALYTICS: COMPLIANCE,
        EventType.TRANSFER_MADE: COMPLIANCE,
        EventType.TRANSFER_REFUSED: COMPLIANCE,
        EventType.POLICY_EVALUATED: SYSTEM,
        EventType.ACCESS_POLICY_CHANGED: SYSTEM,
        EventType.POLICY_REPLAYED: SYSTEM,
        EventType.TOKENS_ISSUED: SYSTEM,
        EventType.TOKENS_REVEALED: COMPLIANCE,
        EventType.TOKENS_REFUSED: SYSTEM,
        EventType.TOKENS_ROTATED: SYSTEM,
        EventType.TOKENS_REMOVED: SYSTEM,
        EventType.TOKENS_CHANGED: SYSTEM,
        EventType.RESCANNED: COMPLIANCE,
        EventType.QUARANTINED: COMPLIANCE,
        EventType.QUARANTINE_RELEASED: COMPLIANCE,
        EventType.KEY_CREATED: SYSTEM,
        EventType.KEY_ROTATED: SYSTEM,
        EventType.KEY_DESTROYED: SYSTEM,
        EventType.SUBJECT_REQUEST_RECEIVED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_MOVED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_CHANGED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_ASSIGNED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_EXTENDED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_MATCHED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_CORRESPONDED: COMPLIANCE,
        EventType.SUBJECT_REQUEST_DUE: COMPLIANCE,
        EventType.SUBJECT_PACKAGE_REQUESTED: COMPLIANCE,
        EventType.SUBJECT_PACKAGE_WRITTEN: COMPLIANCE,
        EventType.SUBJECT_PACKAGE_FAILED: COMPLIANCE,
        EventType.SUBJECT_PACKAGE_SENT: COMPLIANCE,
        EventType.SUBJECT_PACKAGE_DOWNLOADED: COMPLIANCE,
        EventType.SUBJECT_PACKAGE_EXPIRED: COMPLIANCE,
        EventType.SUBJECT_CORRECTION_PROPOSED: COMPLIANCE,
        EventType.SUBJECT_CORRECTION_APPLIED: COMPLIANCE,
        EventType.SUBJECT_RESTRICTED: COMPLIANCE,
        EventType.SUBJECT_RESTRICTION_LIFTED: COMPLIANCE,
        EventType.SUBJECT_SEARCHED: COMPLIANCE,
        EventType.SUBJECT_MATCHED: COMPLIANCE,
        EventType.SUBJECT_ERASED: COMPLIANCE,
        EventType.RECIPIENT_TOLD: COMPLIANCE,
        EventType.SUBJECT_RETURNED: COMPLIANCE,
        EventType.SUBJECT_RETURN_DISMISSED: COMPLIANCE,
        EventType.WEBHOOK_CHANGED: SYSTEM,
        EventType.WEBHOOK_DISABLED: SYSTEM,
        EventType.PROBES_RUN: COMPLIANCE,
        EventType.CONTROL_FAILED: COMPLIANCE,
        EventType.CONTROL_RECOVERED: COMPLIANCE,
        EventType.EVIDENCE_CHANGED: COMPLIANCE,
    }
)


def topic_of(event_type: str) -> str:
    """The topic of a type; that of the system for one that older releases wrote and this one does not know."""
    return TOPICS.get(EventType(event_type), SYSTEM) if event_type in _KNOWN else SYSTEM


def topics_of(event_type: str, severity: str) -> tuple[str, ...]:
    """Every topic an event is published under, its own first, each once."""
    topic = topic_of(event_type)
    alerts = (FEED_ALERTS,) if severity == "critical" else ()
    return tuple(dict.fromkeys((topic, _FEEDS[topic], *alerts)))


_KNOWN: Final = frozenset(kind.value for kind in EventType)
