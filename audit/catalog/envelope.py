"""The shapes in which an event leaves the vault; sealed members never do."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from audit.catalog.aliases import CANONICAL, alias_of
from audit.models import AuditEvent
from audit.selectors import read_body

CLOUDEVENTS: Final = "cloudevents"
GOVERNANCE: Final = "vault-1.4"
REGISTRY: Final = "registry-1.1"

Shape = Callable[[AuditEvent, Mapping[str, Any], str], dict[str, Any]]


def envelope(
    event: AuditEvent, *, form: str = CLOUDEVENTS, vocabulary: str = CANONICAL, body: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """``event`` in one of FORMATS, its type named as ``vocabulary`` does. Members without a value are absent.

    ``body`` is its body where that was read already. Raises KeyError for a form or vocabulary that there is not.
    """
    body = read_body(event) if body is None else body
    return FORMATS[form](event, body, alias_of(body["event_type"], vocabulary))


def fits(event: AuditEvent, form: str) -> bool:
    """Whether the shape can tell of such an event: that of registries knows datasets alone."""
    return form != REGISTRY or event.dataset_id is not None


def _cloudevents(event: AuditEvent, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """CloudEvents 1.0 in JSON, with the extension "partitioning": what shares a key arrives in order."""
    members = {member: body[member] for member in ("severity", "resource", "action", "context", "metadata")}
    wrapped = {
        "specversion": "1.0",
        "id": body["event_id"],
        "source": f"urn:llm-data-vault:tenant:{event.tenant_id}",
        "type": name,
        "time": body["timestamp"],
        "subject": "/".join(filter(None, (event.resource_type, event.resource_id))),
        "datacontenttype": "application/json",
        "data": {"actor": _actor(body), **members},
    }
    return wrapped | ({"partitionkey": str(event.dataset_id)} if event.dataset_id else {})


def _governance(_: AuditEvent, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The event schema of governance dashboards: one flat object, one policy (the first that decided)."""
    context = dict(body["context"])
    if policies := context.get("policy_evaluated"):
        context |= {"policy_evaluated": policies[0], "policies_evaluated": policies}
    return {
        "event_id": body["event_id"],
        "event_type": name,
        "timestamp": body["timestamp"],
        "severity": body["severity"],
        "tenant_id": body["tenant_id"],
        "actor": _actor(body),
        "resource": body["resource"],
        "action": body["action"],
        "context": context,
        "metadata": body["metadata"],
    }


def _registry(event: AuditEvent, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The event schema of model registries: a dataset, its version and where it came from, as far as the event says."""
    resource, facts = body["resource"], body["metadata"]
    payload = {
        "dataset_id": str(event.dataset_id),
        "name": resource.get("dataset_name"),
        "version": resource.get("version"),
        "schema_hash": facts.get("schema_hash"),
        "metadata": _given(
            classification=resource.get("classification"), compliance_labels=body["context"].get("compliance_tags")
        ),
        "lineage": _given(parent_versions=facts.get("parents")),
    }
    return {
        "event_id": body["event_id"],
        "event_type": name,
        "timestamp": body["timestamp"],
        "source": "llm-data-vault",
        "payload": _given(**payload),
    }


def _actor(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: body["actor"][name] for name in ("type", "id")}


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


#: Shape -> how an event is put into it; a subscription chooses one.
FORMATS: Final[Mapping[str, Shape]] = MappingProxyType(
    {CLOUDEVENTS: _cloudevents, GOVERNANCE: _governance, REGISTRY: _registry}
)
