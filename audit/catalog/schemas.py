"""JSON Schemas (2020-12) of every event in each of the shapes it leaves in."""

from collections.abc import Mapping
from typing import Any, Final

from audit.catalog.aliases import VOCABULARIES, alias_of
from audit.catalog.envelope import CLOUDEVENTS, FORMATS, GOVERNANCE, REGISTRY
from audit.catalog.topics import TOPICS
from vaultsite.kernel.events.event import EventType

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_BASE: Final = "urn:llm-data-vault:schema"
_UUID: Final[Schema] = {"type": "string", "format": "uuid"}
_TEXT: Final[Schema] = {"type": "string", "minLength": 1}
_TEXTS: Final[Schema] = {"type": "array", "items": {"type": "string"}}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}


def _object(required: Mapping[str, Any], optional: Mapping[str, Any], *, is_open: bool = False) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": sorted(required),
        "additionalProperties": is_open,
    }


_MEMBERS: Final[dict[str, Schema]] = {
    "severity": {"enum": ["info", "warning", "critical"]},
    "actor": _object({"type": {"enum": ["user", "service", "system"]}, "id": _UUID}, {}),
    "resource": _object(
        {"type": _TEXT},
        {
            "id": _TEXT,
            "dataset_id": _UUID,
            "dataset_name": _TEXT,
            "classification": {"enum": ["public", "internal", "confidential", "pii", "restricted"]},
            "version": _TEXT,
        },
    ),
    "action": _object(
        {"operation": _TEXT, "status": {"enum": ["success", "failure", "denied"]}}, {"failure_reason": _TEXT}
    ),
    "metadata": _object(
        {}, {"bytes_transferred": _COUNT, "records_accessed": _COUNT, "duration_ms": _COUNT}, is_open=True
    ),
}
_CONTEXT: Final[dict[str, Schema]] = {
    "purpose": _TEXT,
    "obligations": _TEXTS,
    "request_id": _TEXT,
    "compliance_tags": _TEXTS,
}


def schemas() -> dict[str, Schema]:
    """File name -> schema: one for each shape, with the names of all types that it can carry."""
    return {f"{form}.schema.json": _SHAPES[form]() for form in FORMATS}


def topics_of_types() -> dict[str, Any]:
    """Type -> topic and other names: what subscribers generate their own tables from."""
    return {
        kind.value: {
            "topic": topic,
            "aliases": sorted({alias_of(kind, name) for name in VOCABULARIES} - {kind.value}),
        }
        for kind, topic in TOPICS.items()
    }


def _types() -> Schema:
    names = {alias_of(kind, vocabulary) for kind in EventType for vocabulary in VOCABULARIES}
    return {"enum": sorted(names)}


def _schema(form: str, title: str, body: Schema) -> Schema:
    return {"$schema": DIALECT, "$id": f"{_BASE}:{form}", "title": title, **body}


def _cloudevents() -> Schema:
    members = _MEMBERS | {"context": _object({}, _CONTEXT | {"policy_evaluated": _TEXTS})}
    required = {
        "specversion": {"const": "1.0"},
        "id": _UUID,
        "source": {"type": "string", "pattern": "^urn:llm-data-vault:tenant:"},
        "type": _types(),
        "time": {"type": "string", "format": "date-time"},
        "subject": _TEXT,
        "datacontenttype": {"const": "application/json"},
        "data": _object(members, {}),
    }
    return _schema(CLOUDEVENTS, "An event as CloudEvents 1.0", _object(required, {"partitionkey": _UUID}))


def _flat() -> dict[str, Schema]:
    return {"event_id": _UUID, "event_type": _types(), "timestamp": {"type": "string", "format": "date-time"}}


def _governance() -> Schema:
    context = _object({}, _CONTEXT | {"policy_evaluated": _TEXT, "policies_evaluated": _TEXTS})
    required = {**_flat(), "tenant_id": _UUID, **_MEMBERS, "context": context}
    return _schema(GOVERNANCE, "An event for governance dashboards", _object(required, {}))


def _registry() -> Schema:
    marks = {"classification": _MEMBERS["resource"]["properties"]["classification"], "compliance_labels": _TEXTS}
    payload = _object(
        {"dataset_id": _UUID},
        {
            "name": _TEXT,
            "version": _TEXT,
            "schema_hash": _TEXT,
            "metadata": _object({}, marks),
            "lineage": _object({}, {"parent_versions": _TEXTS}),
        },
    )
    required = {**_flat(), "source": {"const": "llm-data-vault"}, "payload": payload}
    return _schema(REGISTRY, "An event about a dataset for model registries", _object(required, {}))


_SHAPES: Final = {CLOUDEVENTS: _cloudevents, GOVERNANCE: _governance, REGISTRY: _registry}
