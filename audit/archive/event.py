"""An event from its bytes alone, with the columns that the database had for it."""

from datetime import datetime
from typing import Final
from uuid import UUID

import orjson

from audit.models import AuditEvent
from audit.selectors import EventFilter
from audit.services.record import BYTES, DURATION, RECORDS, amount_of, clean_text


def event_of(body: bytes) -> AuditEvent:
    """The event with these bytes, not to be stored. Raises KeyError, TypeError or ValueError for what is none."""
    said = orjson.loads(body)
    actor, resource, action = said["actor"], said["resource"], said["action"]
    context, metadata = said["context"], said["metadata"]
    return AuditEvent(
        id=UUID(said["event_id"]),
        tenant_id=UUID(said["tenant_id"]),
        time=datetime.fromisoformat(said["timestamp"]),
        type=said["event_type"],
        status=action["status"],
        severity=said["severity"],
        operation=action["operation"],
        actor_id=UUID(actor["id"]),
        actor_kind=actor["type"],
        resource_type=resource.get("type", ""),
        resource_id=resource.get("id", ""),
        dataset_id=UUID(resource["dataset_id"]) if resource.get("dataset_id") else None,
        classification=resource.get("classification", ""),
        version=resource.get("version", ""),
        purpose=context.get("purpose", ""),
        policy=clean_text(" ".join(context.get("policy_evaluated", ()))),
        request_id=context.get("request_id", ""),
        failure_reason=action.get("failure_reason", ""),
        records=amount_of(metadata, *RECORDS),
        bytes=amount_of(metadata, *BYTES),
        duration_ms=amount_of(metadata, *DURATION),
        body=body,
    )


#: Members of a filter that name one column and one value of it.
_EQUAL: Final = (
    "actor_id", "dataset_id", "status", "severity", "classification", "operation", "purpose", "request_id",
)  # fmt: skip


def meets(event: AuditEvent, criteria: EventFilter) -> bool:
    """Whether an event is one of those that ``audit.selectors.matching`` would find."""
    wanted = ((getattr(criteria, name), getattr(event, name)) for name in _EQUAL)
    return (
        all(asked is None or asked == said for asked, said in wanted)
        and (criteria.types is None or event.type in criteria.types)
        and (criteria.since is None or event.time >= criteria.since)
        and (criteria.until is None or event.time < criteria.until)
        and (criteria.policy is None or _names_policy(event.policy.split(" "), criteria.policy))
    )


def _names_policy(named: list[str], policy: str) -> bool:
    return policy in named if ":" in policy else any(one.startswith(f"policy:{policy}@") for one in named)
