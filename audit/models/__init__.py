"""The tables of the audit."""

from audit.models.event import AuditEvent
from audit.models.outbox import OutboxEntry

__all__ = ["AuditEvent", "OutboxEntry"]
