"""Whether a policy can be used: Cedar, within the schema, obliging to what is enforced, and able to match."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import cedarpy
from django.db.models import Q

from access.policy.builtin import RULES, SHOWING
from access.policy.cedar.compiled import UNGOVERNED
from access.policy.cedar.lists import NotListable, check_listable
from access.policy.cedar.rows import Columns
from access.policy.cedar.schema import DATASET_ATTRIBUTES, is_about_datasets, schema
from access.policy.cedar.statement import Statement, read_statement
from access.policy.errors import InvalidAnnotation, InvalidPolicyText
from access.policy.obligations import unenforced
from access.policy.question import Question, Subject
from vaultsite.kernel.errors import FieldProblem
from vaultsite.kernel.events.event import ResourceRef

#: The longest text of a policy.
MAX_TEXT: Final = 20_000
_VISIBILITY: Final = "dataset.read"
_ANY_COLUMNS: Final = Columns(
    fields={name: name for name in DATASET_ATTRIBUTES if name != "tags"}, may_lack=frozenset(), tagged=lambda _: Q()
)


@dataclass(frozen=True)
class Known:
    """What there is in the tenant; None: not known, so nothing is said about it."""

    roles: frozenset[str] | None = None
    purposes: frozenset[str] | None = None
    classifications: frozenset[str] | None = None


@dataclass(frozen=True)
class Verdict:
    """``problems`` keep a policy from being saved, ``warnings`` are for who reads it."""

    statement: Statement | None
    problems: tuple[FieldProblem, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    @property
    def is_usable(self) -> bool:
        return not self.problems


def validate(statement_id: str, text: str, known: Known, question: Question) -> Verdict:
    """Everything that can be said of ``text``. ``question`` stands for one that could be asked in the tenant."""
    if len(text) > MAX_TEXT:
        return Verdict(None, (FieldProblem("text", f"has at most {MAX_TEXT} characters"),))
    try:
        statement = read_statement(statement_id, text)
    except InvalidPolicyText as unreadable:
        return Verdict(None, unreadable.errors)
    except InvalidAnnotation as unknown:
        return Verdict(None, (_annotation_problem(unknown),))
    problems = [*_misfits(text), *_unenforceable(statement), *_pointless(statement, known)]
    problems += _unknown_consent(statement, known)
    problems += _unlistable(statement, question)
    return Verdict(statement, tuple(problems), tuple(_remarks(statement)))


def sample_question(user_id: UUID, question: Question) -> Question:
    """A question about nothing in particular, by somebody who has everything policies may ask for."""
    subject = Subject("user", str(user_id), attributes={"department": "-", "clearance": "-"}, auth_age=0)
    return Question(
        subject, _VISIBILITY, ResourceRef("dataset"), question.time, purpose="-", ip_address="::1", zone="-"
    )


def _annotation_problem(unknown: InvalidAnnotation) -> FieldProblem:
    kind = unknown.extra["kind"]
    return FieldProblem(
        "text", f"@{kind} asks for nothing that is enforced; there are: {', '.join(unknown.extra['known'])}"
    )


def _misfits(text: str) -> Iterator[FieldProblem]:
    """Where the text does not fit the schema."""
    for error in cedarpy.validate_policies(text, schema()).errors:
        yield FieldProblem("text", " ".join(error.error.replace("for policy `policy0`, ", "").split())[:300])


def _unenforceable(statement: Statement) -> Iterator[FieldProblem]:
    if statement.effect == "forbid" and statement.obligations:
        yield FieldProblem("text", "a forbid releases nothing, so it can oblige to nothing")
        return
    if statement.on_violation:
        yield from _unreactive(statement)
    for kind, actions in unenforced(frozenset(one.type for one in statement.obligations), statement.actions).items():
        shown = ", ".join(actions[:5]) + (f" and {len(actions) - 5} more" if len(actions) > 5 else "")  # noqa: PLR2004
        yield FieldProblem("text", f"nothing enforces @{kind} at: {shown}. Name the actions it is for")


def _unreactive(statement: Statement) -> Iterator[FieldProblem]:
    """Why nothing would come of @on_violation."""
    if statement.effect == "permit":
        yield FieldProblem("text", "@on_violation is for what forbids: nobody violates a permit")
    elif not any(is_about_datasets(action) for action in statement.actions or RULES):
        yield FieldProblem("text", "@on_violation puts a dataset into quarantine, and no action named is about one")


def _pointless(statement: Statement, known: Known) -> Iterator[FieldProblem]:
    """Why the policy could never match."""
    if statement.actions is not None and not statement.actions - UNGOVERNED:
        yield FieldProblem("text", "never matches: it names no action that access policies govern")
    named = set(_named_roles(statement))
    if known.roles is not None and (unknown := sorted(named - known.roles)):
        yield FieldProblem("text", f"never matches: there is no role {unknown[0]!r}")
    seen: dict[str, str] = {}
    for attribute, value in _demanded(statement):
        if seen.setdefault(attribute, value) != value:
            yield FieldProblem("text", f"never matches: {attribute} would have to be two things at once")
        for name, values in (("context.purpose", known.purposes), ("resource.classification", known.classifications)):
            if attribute == name and values is not None and value not in values:
                yield FieldProblem("text", f"never matches: there is no {name.partition('.')[2]} {value!r}")
        if attribute == "false":
            yield FieldProblem("text", "never matches: its condition is always false")


def _unknown_consent(statement: Statement, known: Known) -> Iterator[FieldProblem]:
    """Purposes to which nobody can have agreed."""
    for one in statement.obligations:
        if one.type == "consent" and known.purposes is not None and one.value not in known.purposes:
            yield FieldProblem(
                "text", f"@consent asks for consent to {one.value!r}, and there is no such purpose in use"
            )


def _unlistable(statement: Statement, question: Question) -> Iterator[FieldProblem]:
    """A policy over seeing that datasets exist must be one that lists can be answered by."""
    if not statement.admits(_VISIBILITY):
        return
    try:
        check_listable(statement, sample_question(UUID(int=0), question), _ANY_COLUMNS)
    except NotListable as part:
        yield FieldProblem(
            "text",
            f"lists of datasets cannot be answered by what it asks of the resource ({part}): "
            f"leave out {_VISIBILITY}, or compare attributes with ==, contains, containsAny and containsAll",
        )


def _remarks(statement: Statement) -> Iterator[str]:
    shows = [action for action in SHOWING if statement.admits(action)]
    hides = any(one.type in {"anonymize", "mask"} for one in statement.obligations)
    if statement.effect == "permit" and shows and not hides:
        yield "It shows records raw to whom no role shows them otherwise."
    if statement.effect == "forbid" and statement.mentions:
        asked = ", ".join(sorted(".".join(one) for one in statement.mentions))
        yield f"It also forbids where one of these is not known: {asked}."
    if statement.actions is None:
        yield "It is about every action."


def _named_roles(statement: Statement) -> Iterator[str]:
    if statement.role:
        yield statement.role
    for atom in _atoms(statement):
        held = atom.get("in", {})
        entity = held.get("right", {}).get("Value", {}) if held.get("left") == {"Var": "principal"} else {}
        entity = entity.get("__entity", {}) if isinstance(entity, Mapping) else {}
        if entity.get("type") == "Role":
            yield entity["id"]


def _demanded(statement: Statement) -> Iterator[tuple[str, str]]:
    """What must be equal to what for the policy to match, as ("resource.classification", "pii")."""
    for atom in _atoms(statement):
        if atom == {"Value": False}:
            yield "false", ""
        sides = atom.get("==", {})
        for one, other in ((sides.get("left"), sides.get("right")), (sides.get("right"), sides.get("left"))):
            access = (one or {}).get(".")
            value = (other or {}).get("Value")
            if access and "Var" in access["left"] and isinstance(value, str):
                yield f"{access['left']['Var']}.{access['attr']}", value


def _atoms(statement: Statement) -> Iterator[Mapping[str, Any]]:
    """What must all hold."""
    waiting = [one["body"] for one in statement.body["conditions"] if one["kind"] == "when"]
    if any(one == {"kind": "unless", "body": {"Value": True}} for one in statement.body["conditions"]):
        yield {"Value": False}
    while waiting:
        node = waiting.pop()
        if "&&" in node:
            waiting += [node["&&"]["left"], node["&&"]["right"]]
        else:
            yield node
