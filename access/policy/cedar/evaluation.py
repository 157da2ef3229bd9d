"""The evaluation: a question and a set of policies in, an answer out, and nothing else asked."""

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import UTC
from functools import cache
from typing import Any, Final

import cedarpy
import orjson

from access.policy.cedar.compiled import CompiledPolicies, Slice
from access.policy.cedar.schema import PRINCIPALS, group_of, is_about_datasets
from access.policy.cedar.statement import Statement, of_body
from access.policy.decision import Obligation
from access.policy.obligations import concerning
from access.policy.question import Question, Subject, valid_address
from access.ports import HeldGrant
from vaultsite.kernel.events.event import ResourceRef

#: The longest text that counts as an attribute, in characters.
MAX_VALUE: Final = 1000
_DATASET_TEXTS: Final = ("classification", "owner", "residency", "consent")
_FAILED: Final = re.compile(r"policy `([^`]+)`")
#: How much less than everything each way of showing personal data shows.
_STRICTNESS: Final = {"": 0, "mask": 1, "redact": 3}


@dataclass(frozen=True)
class Answer:
    """``decided_by`` names the statements that decided: of a permission the way taken and the policies beside it.

    ``failed`` names statements that asked for what was not known. ``is_raw``: records are shown without anonymization.
    """

    is_allowed: bool
    decided_by: tuple[str, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    failed: tuple[str, ...] = ()
    is_forbidden: bool = False

    @property
    def is_raw(self) -> bool:
        return not any(obligation.type == "anonymize" for obligation in self.obligations)


def evaluate(question: Question, policies: CompiledPolicies) -> Answer:
    """Decide: a forbid goes before every permit, and without a permit nothing is allowed.

    A statement that fails, because it asks for what is not known or is of another type, permits nothing when it is a
    permit and forbids when it is a forbid.
    """
    return _answer(question, slice_of(question, policies))


def evaluate_permits(question: Question, policies: CompiledPolicies) -> Answer:
    """What the permits alone would answer: whether something is missing or something forbids."""
    found = slice_of(question, policies)
    return _answer(question, Slice.of(one for one in found.statements.values() if one.effect == "permit"))


def slice_of(question: Question, policies: CompiledPolicies) -> Slice:
    """The statements that can matter to the question, those of its grants among them."""
    found = policies.slice_for(question.action, question.subject.roles)
    if not question.grants:
        return found
    return found.with_more(_grant_statement(name, grant, question) for name, grant in _named(question).items())


def _named(question: Question) -> dict[str, HeldGrant]:
    """The question's grants by the ids of their statements; of one lease there may be several."""
    return {f"{one.kind}:{one.id}#{number}": one for number, one in enumerate(question.grants)}


def _answer(question: Question, found: Slice) -> Answer:
    try:
        result = ask_cedar(question, found)
    except orjson.JSONEncodeError:  # something in it has no form that Cedar could read
        return Answer(is_allowed=False, is_forbidden=True)
    failed, is_sound = _failures(result.diagnostics.errors, found)
    forbids = tuple(one for one in failed if found.statements[one].effect == "forbid")
    if forbids or not is_sound:
        return Answer(is_allowed=False, decided_by=forbids, failed=failed, is_forbidden=True)
    reasons = tuple(sorted(result.diagnostics.reasons))
    if not result.allowed:
        return Answer(is_allowed=False, decided_by=reasons, failed=failed, is_forbidden=bool(reasons))
    return replace(_permitted(question, [found.statements[one] for one in reasons]), failed=failed)


def ask_cedar(question: Question, found: Slice) -> cedarpy.AuthzResult:
    """What Cedar itself says to the question under these statements alone, told no more than they ask for."""
    who = principal_entity(question.subject, found.mentions)
    what = resource_entity(question.resource, question.action, found.mentions)
    request = {
        "principal": who["uid"],
        "action": {"type": "Action", "id": question.action},
        "resource": what["uid"],
        "context": orjson.dumps(context_of(question, found.mentions)).decode(),
    }
    return cedarpy.is_authorized(request, found.parsed, orjson.dumps([who, what, _action(question.action)]).decode())


def _failures(errors: Sequence[str], found: Slice) -> tuple[tuple[str, ...], bool]:
    """The statements that failed, and whether that is all that went wrong."""
    named = [_FAILED.search(error) for error in errors]
    known = [match.group(1) for match in named if match and match.group(1) in found.statements]
    return tuple(known), len(known) == len(errors)


def _permitted(question: Question, permits: Sequence[Statement]) -> Answer:
    """Of the role and the grants the way that asks for least; a policy that permits adds what it asks for."""
    grants = _named(question)
    ways = [one for one in permits if one.id.startswith("builtin:") or one.id in grants]
    own = [one for one in permits if one not in ways]
    asked: dict[str, tuple[Obligation, ...]] = {
        one.id: concerning(question.action, grants[one.id].obligations) if one.id in grants else one.obligations
        for one in ways
    }
    taken = min(ways, key=lambda one: _weight(asked[one.id], is_grant=one.id in grants), default=None)
    obligations = list(asked[taken.id]) if taken else []
    obligations += [duty for one in own for duty in one.obligations]
    decided_by = ([_reported(taken.id)] if taken else []) + [one.id for one in own]
    return Answer(is_allowed=True, decided_by=tuple(decided_by), obligations=tuple(dict.fromkeys(obligations)))


def _weight(obligations: Sequence[Obligation], *, is_grant: bool) -> tuple[int, int, bool]:
    shown = max((_STRICTNESS.get(one.operator, 2) for one in obligations if one.type == "anonymize"), default=0)
    return shown, len(obligations), is_grant


def _reported(statement_id: str) -> str:
    return statement_id.partition("#")[0]


def _grant_statement(name: str, grant: HeldGrant, question: Question) -> Statement:
    """A grant as a permit for this one principal and this one resource."""
    who, what = principal_entity(question.subject), resource_entity(question.resource, question.action)
    purpose = {
        "==": {"left": {".": {"left": {"Var": "context"}, "attr": "purpose"}}, "right": {"Value": grant.purpose}}
    }
    body = {
        "effect": "permit",
        "principal": {"op": "==", "entity": who["uid"]},
        "action": {"op": "in", "entities": [{"type": "Action", "id": action} for action in sorted(grant.actions)]},
        "resource": {"op": "==", "entity": what["uid"]},
        "conditions": [{"kind": "when", "body": purpose}] if grant.purpose is not None else [],
    }
    return of_body(name, body)


def context_of(question: Question, wanted: AbstractSet[tuple[str, str]] | None = None) -> dict[str, Any]:
    """The context of the request, as Cedar's JSON; what is not known is left out, and what is not ``wanted``."""
    makers: dict[str, Callable[[Question], Any]] = _CONTEXT
    if wanted is not None and _EVERYTHING not in wanted:
        makers = {name: make for name, make in _CONTEXT.items() if ("context", name) in wanted}
    made = {name: make(question) for name, make in makers.items()}
    return {name: value for name, value in made.items() if value is not None}


def _time(question: Question) -> dict[str, Any]:
    return _extension("datetime", question.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def _address(question: Question) -> dict[str, Any] | None:
    address = valid_address(question.ip_address) if question.ip_address else ""
    return _extension("ip", address) if address else None


_CONTEXT: Final[dict[str, Callable[[Question], Any]]] = {
    "purpose": lambda question: question.purpose,
    "time": _time,
    "hour": lambda question: question.time.astimezone(UTC).hour,
    "weekday": lambda question: question.time.astimezone(UTC).isoweekday(),
    "ip": _address,
    "zone": lambda question: question.zone or None,
    "raw_grant": lambda question: any(_shows_raw(grant, question) for grant in question.grants),
}
_EVERYTHING: Final = ("context", "*")


def _shows_raw(grant: HeldGrant, question: Question) -> bool:
    is_meant = question.action in grant.actions and grant.purpose in {None, question.purpose}
    return is_meant and not any(one.type == "anonymize" for one in concerning(question.action, grant.obligations))


def _extension(name: str, argument: str) -> dict[str, Any]:
    return {"__extn": {"fn": name, "arg": argument}}


@cache
def _action(action: str) -> dict[str, Any]:
    parents = [{"type": "Action", "id": group_of(action)}]
    return {"uid": {"type": "Action", "id": action}, "attrs": {}, "parents": parents}


def principal_entity(subject: Subject, wanted: AbstractSet[tuple[str, str]] | None = None) -> dict[str, Any]:
    """The subject as an entity: roles, groups and permissions are what it lies in; None wants every attribute."""
    parents = [{"type": "Role", "id": name} for name in subject.roles]
    parents += [{"type": "Permission", "id": name} for name in subject.permissions]
    parents += [{"type": "Group", "id": name} for name in subject.groups]
    asked = wanted is None or any(kind == "principal" for kind, _ in wanted)
    attrs = _attributes_of(subject) if asked else {}
    return {"uid": {"type": PRINCIPALS[subject.kind], "id": subject.id}, "attrs": attrs, "parents": parents}


def _attributes_of(subject: Subject) -> dict[str, Any]:
    attrs: dict[str, Any] = {
        "id": subject.id,
        "roles": list(subject.roles),
        "groups": list(subject.groups),
        "credential": subject.credential,
        "mfa": subject.mfa,
        **_known(subject.attributes),
    }
    if subject.auth_age is not None:
        attrs["auth_age"] = subject.auth_age
    return attrs


def resource_entity(
    resource: ResourceRef, action: str, wanted: AbstractSet[tuple[str, str]] | None = None
) -> dict[str, Any]:
    """The resource as an entity: a Dataset to actions about datasets, else a Resource, inside its dataset if any."""
    inside = str(resource.dataset_id) if resource.dataset_id else ""
    asked = wanted is None or any(kind == "resource" for kind, _ in wanted)
    if not is_about_datasets(action):
        parents = [{"type": "Dataset", "id": inside}] if inside else []
        kind: dict[str, Any] = {"id": resource.id, "kind": resource.type}
        uid = {"type": "Resource", "id": f"{resource.type}/{resource.id}"}
        return {"uid": uid, "attrs": kind if asked else {}, "parents": parents}
    dataset = inside or (resource.id if resource.type == "dataset" else "")
    attrs: dict[str, Any] = {}
    if asked:
        attrs = {"id": dataset, **_known({name: getattr(resource, name) for name in _DATASET_TEXTS})}
        if resource.tags is not None:
            attrs["tags"] = list(resource.tags)
    return {"uid": {"type": "Dataset", "id": dataset}, "attrs": attrs, "parents": []}


def _known(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The attributes that are texts; what is empty, of another type or without measure counts as not known."""
    return {name: value for name, value in attributes.items() if isinstance(value, str) and 0 < len(value) <= MAX_VALUE}
