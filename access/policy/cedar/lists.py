"""A decision over all datasets at once: statements as a condition on rows, with Cedar's own meaning.

What a statement says of the principal and the request is settled by Cedar itself; what it says of the resource becomes
a condition on columns. An attribute that is not known makes an expression fail, as it does in a single decision: each
expression has the rows for which it is true and those for which it fails.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.evaluation import ask_cedar, context_of, principal_entity
from access.policy.cedar.rows import (
    ALL,
    NONE,
    Columns,
    Rows,
    all_hold,
    both_of,
    constant,
    either_of,
    fails_to_hold,
    none_of,
    one_holds,
)
from access.policy.cedar.statement import Statement, of_body
from access.policy.question import Question, as_uuid

#: Attributes that hold ids.
_IDS: Final = frozenset({"id", "owner"})


class NotListable(Exception):
    """An expression that no condition on rows stands for."""


def rows_permitted(question: Question, policies: CompiledPolicies, columns: Columns) -> Q:
    """The rows that the tenant's own permits admit the question's action to. One that cannot be listed admits none."""
    found = NONE
    for statement in _own(question, policies, "permit"):
        try:
            found = either_of(found, _rows_of(statement, question, policies, columns).true)
        except NotListable:
            continue
    return found


def rows_forbidden(question: Question, policies: CompiledPolicies, columns: Columns) -> Q:
    """The rows that a forbid keeps from the question's action. One that cannot be listed keeps all."""
    found = NONE
    for statement in _own(question, policies, "forbid"):
        try:
            rows = _rows_of(statement, question, policies, columns)
        except NotListable:
            return ALL
        found = either_of(found, either_of(rows.true, rows.failing))
    return found


def check_listable(statement: Statement, question: Question, columns: Columns) -> None:
    """Raises NotListable when lists could not be answered by the statement."""
    _rows_of(statement, question, CompiledPolicies(), columns)


def _own(question: Question, policies: CompiledPolicies, effect: str) -> list[Statement]:
    found = policies.slice_for(question.action, question.subject.roles)
    own = [one for one in found.statements.values() if one.effect == effect and one.id.startswith("policy:")]
    return [one for one in own if _is_meant(one, question, policies)]


def _is_meant(statement: Statement, question: Question, policies: CompiledPolicies) -> bool:
    """Whether the scope admits who asks; Cedar is not bothered where it admits everybody."""
    if statement.body["principal"]["op"] == "All":
        return True
    return _meets({**statement.body, "resource": {"op": "All"}, "conditions": []}, question, policies)


def _rows_of(statement: Statement, question: Question, policies: CompiledPolicies, columns: Columns) -> Rows:
    listing = _Listing(question, policies, columns)
    rows = listing.scope(statement.body["resource"])
    for condition in statement.body["conditions"]:
        one = listing.rows(condition["body"])
        rows = all_hold(rows, one if condition["kind"] == "when" else fails_to_hold(one))
    return rows


def _meets(body: Mapping[str, Any], question: Question, policies: CompiledPolicies) -> bool:
    """Whether a body that asks nothing of the resource is met."""
    statement = of_body("asked", {**body, "effect": "permit", "annotations": {}})
    return bool(ask_cedar(question, policies.part(statement)).allowed)


class _Listing:
    """Reads expressions for one question."""

    def __init__(self, question: Question, policies: CompiledPolicies, columns: Columns) -> None:
        self._question = question
        self._policies = policies
        self._columns = columns
        self._known = {"principal": principal_entity(question.subject)["attrs"], "context": context_of(question)}

    def scope(self, scope: Mapping[str, Any]) -> Rows:
        """The resource scope: everything, all datasets, or one of them."""
        if scope["op"] in {"==", "in"}:
            return self._is(scope["entity"])
        if scope["op"] == "is":
            inside = self._is(scope["in"]["entity"]) if scope.get("in") else constant(is_true=True)
            return inside if scope["entity_type"] == "Dataset" else constant(is_true=False)
        return constant(is_true=True)

    def rows(self, node: Mapping[str, Any]) -> Rows:
        """Raises NotListable."""
        if not _asks_resource(node):
            return self._settled(node)
        (operator, what), *_ = node.items()
        read = getattr(self, _READERS.get(operator, ""), None)
        if read is None:
            raise NotListable(operator)
        found: Rows = read(what)
        return found

    def _settled(self, node: Mapping[str, Any]) -> Rows:
        """What only the principal and the request decide, asked of Cedar: true, false or failing for all rows."""
        scopes = {name: {"op": "All"} for name in ("principal", "action", "resource")}
        if _meets({**scopes, "conditions": [{"kind": "when", "body": node}]}, self._question, self._policies):
            return constant(is_true=True)
        if _meets({**scopes, "conditions": [{"kind": "unless", "body": node}]}, self._question, self._policies):
            return constant(is_true=False)
        return Rows(NONE, ALL)

    def both(self, what: Mapping[str, Any]) -> Rows:
        return all_hold(self.rows(what["left"]), self.rows(what["right"]))

    def either(self, what: Mapping[str, Any]) -> Rows:
        return one_holds(self.rows(what["left"]), self.rows(what["right"]))

    def negated(self, what: Mapping[str, Any]) -> Rows:
        return fails_to_hold(self.rows(what["arg"]))

    def equal(self, what: Mapping[str, Any]) -> Rows:
        left, right = what["left"], what["right"]
        if _attribute(left) is None and left != {"Var": "resource"}:
            left, right = right, left
        if left == {"Var": "resource"}:
            return self._is(_entity(right))
        return self._one_of(_attribute(left), [self._value(right)])

    def unequal(self, what: Mapping[str, Any]) -> Rows:
        return fails_to_hold(self.equal(what))

    def within(self, what: Mapping[str, Any]) -> Rows:
        if what["left"] != {"Var": "resource"}:
            raise NotListable("in")
        return self._is(_entity(what["right"]))

    def has(self, what: Mapping[str, Any]) -> Rows:
        if what["left"] != {"Var": "resource"}:
            raise NotListable("has")
        return fails_to_hold(Rows(self._lacking(what["attr"])))

    def kind(self, what: Mapping[str, Any]) -> Rows:
        if what["left"] != {"Var": "resource"} or what.get("in"):
            raise NotListable("is")
        return constant(is_true=what["entity_type"] == "Dataset")

    def contains(self, what: Mapping[str, Any]) -> Rows:
        """A tag among the resource's, or an attribute of it among values."""
        left, right = what["left"], what["right"]
        if _attribute(left) == "tags":
            return Rows(self._columns.tagged(self._text(right)))
        if "Set" not in left:
            raise NotListable("contains")
        return self._one_of(_attribute(right), [self._value(one) for one in left["Set"]])

    def contains_any(self, what: Mapping[str, Any]) -> Rows:
        found = NONE
        for tag in self._tags(what):
            found = either_of(found, self._columns.tagged(tag))
        return Rows(found)

    def contains_all(self, what: Mapping[str, Any]) -> Rows:
        found = ALL
        for tag in self._tags(what):
            found = both_of(found, self._columns.tagged(tag))
        return Rows(found)

    def _tags(self, what: Mapping[str, Any]) -> list[str]:
        if _attribute(what["left"]) != "tags" or "Set" not in what["right"]:
            raise NotListable("containsAny")
        return [self._text(one) for one in what["right"]["Set"]]

    def _one_of(self, attribute: str | None, values: list[Any]) -> Rows:
        if attribute is None or attribute == "tags":
            raise NotListable("==")
        failing = self._lacking(attribute)
        if failing is ALL or any(value is None for value in values):
            return Rows(NONE, ALL)
        texts = [value for value in values if isinstance(value, str)]
        if attribute in self._columns.beside:
            return Rows(self._columns.beside[attribute](texts))
        field = self._columns.fields[attribute]
        wanted = [_own_form(value) for value in texts] if attribute in _IDS else texts
        true = Q(**{f"{field}__in": [value for value in wanted if value is not None]})
        return Rows(both_of(true, none_of(failing)), failing)

    def _lacking(self, attribute: str) -> Q:
        """The rows that do not know the attribute."""
        if attribute == "tags" or attribute in self._columns.beside:
            return NONE
        field = self._columns.fields.get(attribute)
        if field is None:
            return ALL
        return Q(**{field: ""}) if attribute in self._columns.may_lack else NONE

    def _is(self, entity: Mapping[str, Any]) -> Rows:
        wanted = as_uuid(entity["id"]) if entity.get("type") == "Dataset" else None
        is_spelled = wanted is not None and str(wanted) == entity["id"]
        return Rows(Q(pk=wanted)) if is_spelled else constant(is_true=False)

    def _value(self, node: Mapping[str, Any]) -> Any:
        """A value that the resource does not decide; None where it is not known. Raises NotListable."""
        if "Value" in node:
            return node["Value"]
        access = node.get(".")
        if access and access["left"].get("Var") in self._known:
            return self._known[access["left"]["Var"]].get(access["attr"])
        raise NotListable("value")

    def _text(self, node: Mapping[str, Any]) -> str:
        value = self._value(node)
        if not isinstance(value, str):
            raise NotListable("text")
        return value


_READERS: Final = {
    "&&": "both",
    "||": "either",
    "!": "negated",
    "==": "equal",
    "!=": "unequal",
    "in": "within",
    "has": "has",
    "is": "kind",
    "contains": "contains",
    "containsAny": "contains_any",
    "containsAll": "contains_all",
}


def _asks_resource(node: Any) -> bool:
    if isinstance(node, Mapping):
        return node.get("Var") == "resource" or any(_asks_resource(one) for one in node.values())
    return isinstance(node, list) and any(_asks_resource(one) for one in node)


def _attribute(node: Mapping[str, Any]) -> str | None:
    access = node.get(".")
    return str(access["attr"]) if access and access["left"] == {"Var": "resource"} else None


def _entity(node: Mapping[str, Any]) -> Mapping[str, Any]:
    entity = node.get("Value")
    if isinstance(entity, Mapping) and "__entity" in entity:
        found: Mapping[str, Any] = entity["__entity"]
        return found
    raise NotListable("entity")


def _own_form(text: str) -> UUID | None:
    """The id that ``text`` spells as the vault does; None for any other text, which equals no id."""
    found = as_uuid(text)
    return found if found is not None and str(found) == text else None
