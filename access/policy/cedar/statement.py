"""One Cedar statement, read once: whom, which actions and what it can be about, and what it obliges to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import cedarpy
import orjson

from access.policy.builtin import RULES
from access.policy.cedar.schema import group_of
from access.policy.decision import Obligation
from access.policy.errors import InvalidAnnotation, InvalidPolicyText
from access.policy.obligations import read_annotations
from vaultsite.kernel.errors import FieldProblem

#: The annotation of a forbid that says what happens to the dataset when somebody tries what it forbids.
ON_VIOLATION: Final = "on_violation"
REACTIONS: Final = frozenset({"quarantine"})


@dataclass(frozen=True)
class Statement:
    """A permit or a forbid with the id that decisions name it by.

    ``actions`` are those its scope admits (None: every one), ``role`` the one its scope asks for (empty: none).
    ``body`` is the statement in Cedar's JSON, without annotations, ``mentions`` the attributes it asks for, as
    ("resource", "tags"). ``on_violation`` is what a forbid does beside denying (see REACTIONS; empty: nothing).
    """

    id: str
    effect: Literal["permit", "forbid"]
    actions: frozenset[str] | None
    role: str
    body: Mapping[str, Any]
    obligations: tuple[Obligation, ...]
    mentions: frozenset[tuple[str, str]]
    on_violation: str = ""

    def admits(self, action: str) -> bool:
        return self.actions is None or action in self.actions

    @property
    def text(self) -> str:
        """The statement in Cedar's notation, without annotations."""
        return cedar_text(self.body)


def read_statement(statement_id: str, text: str) -> Statement:
    """The one statement in ``text``. Raises InvalidPolicyText, InvalidAnnotation."""
    try:
        parsed: dict[str, Any] = orjson.loads(cedarpy.policies_to_json_str(text))
    except ValueError as unreadable:
        raise InvalidPolicyText(errors=[FieldProblem("text", _brief(str(unreadable)))]) from None
    if parsed["templates"] or len(parsed["staticPolicies"]) != 1:
        raise InvalidPolicyText(errors=[FieldProblem("text", "must be exactly one permit or forbid")])
    (body,) = parsed["staticPolicies"].values()
    return of_body(statement_id, body)


def of_body(statement_id: str, body: Mapping[str, Any]) -> Statement:
    """The statement of a body in Cedar's JSON. Raises InvalidAnnotation."""
    plain = {name: value for name, value in body.items() if name != "annotations"}
    annotations = dict(body.get("annotations", {}))
    reaction = annotations.pop(ON_VIOLATION, None)
    if reaction is not None and reaction not in REACTIONS:
        raise InvalidAnnotation(kind=ON_VIOLATION, known=sorted(REACTIONS))
    return Statement(
        id=statement_id,
        effect=body["effect"],
        actions=_actions(body["action"]),
        role=_role(body["principal"]),
        body=plain,
        obligations=read_annotations(annotations),
        mentions=frozenset(_mentions(body["conditions"])),
        on_violation=reaction or "",
    )


def cedar_text(body: Mapping[str, Any]) -> str:
    """A body in Cedar's notation."""
    content = {"staticPolicies": {"statement": body}, "templates": {}, "templateLinks": []}
    return str(cedarpy.policies_from_json_str(orjson.dumps(content).decode())).strip()


def _actions(scope: Mapping[str, Any]) -> frozenset[str] | None:
    if scope["op"] == "All":
        return None
    named = {entity["id"] for entity in scope.get("entities", [scope.get("entity")])}
    return frozenset(
        action for action in RULES if action in named or (scope["op"] == "in" and group_of(action) in named)
    )


def _role(scope: Mapping[str, Any]) -> str:
    held = scope.get("in", scope) if scope["op"] in {"in", "is"} else {}
    entity = held.get("entity") or {}
    return str(entity["id"]) if entity.get("type") == "Role" else ""


def _mentions(node: Any) -> Iterator[tuple[str, str]]:
    """Every attribute of principal, resource or context that an expression asks for; ("context", "*") for all of it."""
    if isinstance(node, list):
        for one in node:
            yield from _mentions(one)
    elif isinstance(node, dict):
        access = node.get(".") or node.get("has")
        if isinstance(access, dict) and "Var" in access.get("left", {}):
            yield access["left"]["Var"], str(access.get("attr", ""))
            return
        if node.get("Var") == "context":
            yield "context", "*"
        for one in node.values():
            yield from _mentions(one)


def _brief(message: str) -> str:
    return " ".join(message.split())[:300]
