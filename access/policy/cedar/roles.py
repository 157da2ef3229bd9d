"""What roles permit, as permits: one for each permission that an action takes.

A principal lies in Permission::"name" for each permission its live roles add up to, so these statements are the same
for every tenant and follow its roles without being made anew.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from access.policy.builtin import READ_RAW, READ_REDACTED, RESTRICTED, RULES, SHOWING
from access.policy.cedar.statement import Statement, of_body

#: The forbid over whoever is shown records of restricted datasets other than raw.
RESTRICTED_ID = "builtin:restricted-is-raw-or-nothing"


@cache
def role_statements(action: str) -> tuple[Statement, ...]:
    """The statements that say what roles permit of ``action``; none for an action no rule knows."""
    if action not in RULES:
        return ()
    return tuple(_showing(action) if action in SHOWING else _plain(action))


def builtin_id(action: str) -> str:
    """How decisions name the rule of an action."""
    return f"builtin:{action}"


def _plain(action: str) -> Iterator[Statement]:
    for number, permission in enumerate(sorted(RULES[action].permissions)):
        yield _statement(f"{builtin_id(action)}#{number}", "permit", action, [_when(_holds(permission))], {})


def _showing(action: str) -> Iterator[Statement]:
    """Raw, masked or redacted: exactly one of the permits fits each holder, the strictest that a role asks for."""
    allowed = sorted(RULES[action].permissions)
    raw, redacted = _holds(READ_RAW), _holds(READ_REDACTED)
    ways: tuple[tuple[str, list[dict[str, Any]], dict[str, str]], ...] = (
        ("raw", [_when(raw)], {}),
        ("redact", [_when(redacted), _unless(raw)], {"anonymize": "redact"}),
        ("mask", [_unless(raw), _unless(redacted)], {"anonymize": "mask"}),
    )
    for way, conditions, annotations in ways:
        held = [_when(_any([_holds(permission) for permission in allowed]))]
        yield _statement(f"{builtin_id(action)}#{way}", "permit", action, [*held, *conditions], annotations)
    is_restricted = _all([_has("classification"), _equals("classification", RESTRICTED)])
    lifted = _any([raw, {".": {"left": {"Var": "context"}, "attr": "raw_grant"}}])
    yield _statement(RESTRICTED_ID, "forbid", action, [_when(is_restricted), _unless(lifted)], {})


def _statement(
    statement_id: str, effect: str, action: str, conditions: list[Any], annotations: dict[str, str]
) -> Statement:
    body = {
        "effect": effect,
        "principal": {"op": "All"},
        "action": {"op": "==", "entity": {"type": "Action", "id": action}},
        "resource": {"op": "All"},
        "conditions": conditions,
        "annotations": annotations,
    }
    return of_body(statement_id, body)


def _when(body: Any) -> dict[str, Any]:
    return {"kind": "when", "body": body}


def _unless(body: Any) -> dict[str, Any]:
    return {"kind": "unless", "body": body}


def _holds(permission: str) -> dict[str, Any]:
    entity = {"Value": {"__entity": {"type": "Permission", "id": permission}}}
    return {"in": {"left": {"Var": "principal"}, "right": entity}}


def _has(attribute: str) -> dict[str, Any]:
    return {"has": {"left": {"Var": "resource"}, "attr": attribute}}


def _equals(attribute: str, value: str) -> dict[str, Any]:
    return {"==": {"left": {".": {"left": {"Var": "resource"}, "attr": attribute}}, "right": {"Value": value}}}


def _any(bodies: list[Any]) -> Any:
    whole = bodies[0]
    for one in bodies[1:]:
        whole = {"||": {"left": whole, "right": one}}
    return whole


def _all(bodies: list[Any]) -> Any:
    whole = bodies[0]
    for one in bodies[1:]:
        whole = {"&&": {"left": whole, "right": one}}
    return whole
