"""The PATCH that directories send all day: some people into a group, some out of it. It is done without the others."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from access.scim.documents import MOST_OPERATIONS

_MESSAGE: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_SELECTED: Final = re.compile(r'members\[value eq "([0-9a-f-]{36})"\]', re.IGNORECASE)
#: What names a member, and what else is said of one and means nothing.
_NAMING: Final = frozenset({"value", "$ref", "display", "type"})


def read_member_patch(body: Any) -> Mapping[UUID, bool] | None:
    """Who shall be in the group afterwards and who not, where the body asks for nothing else.

    None for any other PATCH, also one that is wrong: ``documents.patch`` reads those, and would read these alike.
    """
    if not isinstance(body, dict) or body.keys() != {"schemas", "Operations"} or body["schemas"] != [_MESSAGE]:
        return None
    operations = body["Operations"]
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST_OPERATIONS:
        return None
    wanted: dict[UUID, bool] = {}
    for operation in operations:
        named = _named(operation) if isinstance(operation, dict) else None
        if named is None:
            return None
        wanted |= named
    return wanted


def _named(operation: dict[str, Any]) -> dict[UUID, bool] | None:
    kind, path = str(operation.get("op")).lower(), str(operation.get("path"))
    value = operation.get("value")
    selected = _SELECTED.fullmatch(path)
    if kind == "remove" and selected and value is None:
        members: Any = [{"value": selected[1]}]
    elif kind in {"add", "remove"} and path.lower() == "members":
        members = value
    else:
        return None
    if not isinstance(members, list) or not members or not all(map(_is_member, members)):
        return None
    try:
        return dict.fromkeys((UUID(member["value"]) for member in members), kind == "add")
    except ValueError:
        return None


def _is_member(member: Any) -> bool:
    return isinstance(member, dict) and isinstance(member.get("value"), str) and member.keys() <= _NAMING
