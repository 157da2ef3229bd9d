"""What happened: the event types and the facts every event carries."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

Outcome = Literal["success", "failure", "denied"]
Severity = Literal["info", "warning", "critical"]


class EventType(StrEnum):
    """Every type has an emitter and a test that provokes it. Names of data events are the customer's contract."""

    ACCESS_READ = "data.access.read"
    ACCESS_WRITE = "data.access.write"
    ACCESS_DELETE = "data.access.delete"
    ACCESS_DENIED = "data.access.denied"
    ACCESS_COMPLETED = "data.access.completed"
    CREATED = "data.created"
    UPDATED = "data.updated"
    VERSIONED = "data.versioned"
    PURGED = "data.purged"
    INGEST_FAILED = "data.ingest.failed"
    ADMIN_READ = "admin.access.read"
    ADMIN_WRITE = "admin.access.write"
    AUDIT_READ = "audit.access.read"
    LOGIN_SUCCEEDED = "auth.login.succeeded"
    LOGIN_FAILED = "auth.login.failed"
    LOGOUT = "auth.logout"
    CREDENTIAL_REFUSED = "auth.credential.refused"
    KEY_CREATED = "data.key.created"


@dataclass(frozen=True)
class ResourceRef:
    """A resource by type and id, without a foreign key: it may be gone when the event is read."""

    type: str
    id: str = ""
    dataset_id: UUID | None = None
    classification: str = ""
    version: str = ""


@dataclass(frozen=True)
class Event:
    """One fact. Never a data value in it: ids, types, counts, codes."""

    type: EventType
    operation: str
    resource: ResourceRef
    status: Outcome = "success"
    severity: Severity = "info"
    failure_reason: str = ""
    purpose: str = ""
    policies: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=uuid7)
    time: datetime = field(default_factory=lambda: datetime.now(UTC))

    def ended_by(self, exc: BaseException) -> "Event":
        """The same event as it is recorded when ``exc`` undid the operation."""
        status: Outcome = "denied" if getattr(exc, "outcome", "failure") == "denied" else "failure"
        return replace(
            self,
            type=EventType.ACCESS_DENIED if status == "denied" and self.type.startswith("data.access") else self.type,
            status=status,
            severity="warning",
            failure_reason=self.failure_reason or getattr(exc, "code", "") or type(exc).__name__,
        )


@dataclass(frozen=True)
class Recorded:
    """An event with who caused it, as a sink receives it."""

    event: Event
    tenant_id: UUID
    principal: Principal
    request: RequestFacts
