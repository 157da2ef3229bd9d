"""The Cedar schema: who acts, on what, and which attributes policies may ask for.

Every attribute is declared as required. A request leaves out what is not known; a policy that asks for it then fails,
and a permit that fails permits nothing while a forbid that fails forbids (see engine.py).
"""

from functools import cache
from typing import Any, Final

import cedarpy
import orjson

from access.policy.builtin import RULES

PRINCIPALS: Final = {"user": "User", "service": "Service", "system": "System"}
#: What stands before the dot of actions that are about one dataset.
_ABOUT_DATASETS: Final = frozenset(
    {"dataset", "version", "record", "branch", "merge", "schema", "erasure", "export", "lineage", "ingest"}
    | {"analytics", "statistics", "quarantine"}
)
#: About the set of them, which has none of a dataset's attributes.
_ABOUT_ALL: Final = frozenset({"dataset.list"})
#: Attribute -> its type, in words of the readable form.
PRINCIPAL_ATTRIBUTES: Final = {
    "id": "String",
    "roles": "Set",
    "groups": "Set",
    "department": "String",
    "clearance": "String",
    "credential": "String",
    "mfa": "Boolean",
    "auth_age": "Long",
}
DATASET_ATTRIBUTES: Final = {
    "id": "String",
    "classification": "String",
    "tags": "Set",
    "owner": "String",
    "residency": "String",
    "consent": "String",
}
CONTEXT_ATTRIBUTES: Final = {
    "purpose": "String",
    "time": "datetime",
    "hour": "Long",
    "weekday": "Long",
    "ip": "ipaddr",
    "zone": "String",
}


def is_about_datasets(action: str) -> bool:
    """Whether the resource of ``action`` is a Dataset to policies; else it is a Resource, inside one or not."""
    return action.partition(".")[0] in _ABOUT_DATASETS and action not in _ABOUT_ALL


def group_of(action: str) -> str:
    """The group that ``action`` belongs to: read, write, update, delete or export."""
    return RULES[action].operation


@cache
def schema() -> cedarpy.Schema:
    """The schema, parsed once."""
    return cedarpy.Schema.from_json_str(orjson.dumps({"": _namespace()}).decode())


def schema_text() -> str:
    """The schema in Cedar's own notation."""
    return str(schema())


def _namespace() -> dict[str, Any]:
    holders = ["Role", "Group", "Permission"]
    principals = {name: _entity(PRINCIPAL_ATTRIBUTES, holders) for name in PRINCIPALS.values()}
    resources = {
        "Dataset": _entity(DATASET_ATTRIBUTES, []),
        "Resource": _entity({"id": "String", "kind": "String"}, ["Dataset"]),
    }
    parents: dict[str, Any] = {name: _entity({}, []) for name in holders}
    groups: dict[str, Any] = {group_of(action): {} for action in RULES}
    actions = {action: _action(action) for action in RULES}
    return {"entityTypes": principals | resources | parents, "actions": groups | actions}


def _entity(attributes: dict[str, str], parents: list[str]) -> dict[str, Any]:
    return {"memberOfTypes": parents, "shape": _record(attributes)}


def _action(action: str) -> dict[str, Any]:
    return {
        "memberOf": [{"id": group_of(action)}],
        "appliesTo": {
            "principalTypes": sorted(PRINCIPALS.values()),
            "resourceTypes": ["Dataset" if is_about_datasets(action) else "Resource"],
            "context": _record(CONTEXT_ATTRIBUTES),
        },
    }


def _record(attributes: dict[str, str]) -> dict[str, Any]:
    return {"type": "Record", "attributes": {name: _type(kind) for name, kind in attributes.items()}}


def _type(kind: str) -> dict[str, Any]:
    if kind == "Set":
        return {"type": "Set", "element": {"type": "String"}}
    if kind in {"ipaddr", "datetime"}:
        return {"type": "Extension", "name": kind}
    return {"type": kind}
