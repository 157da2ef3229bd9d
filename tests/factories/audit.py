"""Events and those who cause them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Recorded, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Of a day of last month, which has a partition whenever the tables were made.
NOON = (datetime.now(UTC).replace(day=1) - timedelta(days=15)).replace(hour=12, minute=0, second=0, microsecond=0)
FACTS = RequestFacts(request_id="req-0123456789", ip_address="192.0.2.77", user_agent="Canary/1.0 (test)")


def make_principal(tenant_id: UUID, **changed: Any) -> Principal:
    facts = {"id": uuid4(), "kind": "user", "tenant_id": tenant_id, "name": "Ada Canary", "credential": "session"}
    return Principal(**(facts | changed))


def make_event(**changed: Any) -> Event:
    facts = {
        "type": EventType.ACCESS_READ,
        "operation": "read",
        "resource": ResourceRef(type="dataset", id=str(uuid4())),
        "purpose": "analytics",
    }
    return Event(**(facts | changed))


def make_recorded(tenant_id: UUID, *, principal: Principal | None = None, **changed: Any) -> Recorded:
    return Recorded(make_event(**changed), tenant_id, principal or make_principal(tenant_id), FACTS)


def dataset_ref(dataset_id: UUID) -> ResourceRef:
    return ResourceRef(type="dataset", id=str(dataset_id), dataset_id=dataset_id, classification="confidential")


def record(tenant_id: UUID, *events: Event, principal: Principal | None = None) -> None:
    """Store events as production does: emitted in one scope, written when it ends."""
    principal = principal or make_principal(tenant_id)
    with tenant_scope(tenant_id, principal, FACTS):
        for event in events:
            emit(event)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
