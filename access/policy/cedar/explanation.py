"""What each statement says to a question: for who asks why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from access.policy.cedar.compiled import CompiledPolicies, Slice
from access.policy.cedar.evaluation import ask_cedar, slice_of
from access.policy.cedar.statement import Statement, of_body
from access.policy.question import Question

Outcome = Literal["matches", "does not match", "asks for what is not known"]


@dataclass(frozen=True)
class Weighed:
    """One statement and what became of it; ``asks_for`` are the attributes it asks for, as ``resource.tags``."""

    id: str
    effect: Literal["permit", "forbid"]
    text: str
    outcome: Outcome
    asks_for: tuple[str, ...]

    @property
    def decides(self) -> bool:
        """Whether it counts: a permit that matches, and a forbid that matches or fails."""
        return self.outcome == "matches" or (self.effect == "forbid" and self.outcome != "does not match")


def weigh(question: Question, policies: CompiledPolicies) -> list[Weighed]:
    """Every statement that could matter to the question, asked by itself: forbids first, then those that match."""
    found = [_weighed(question, one) for one in slice_of(question, policies).statements.values()]
    return sorted(found, key=lambda one: (one.effect, not one.decides, one.id))


def _weighed(question: Question, statement: Statement) -> Weighed:
    asked = of_body(statement.id, {**statement.body, "effect": "permit", "annotations": {}})
    result = ask_cedar(question, Slice.of([asked]))
    outcome: Outcome = "matches" if result.allowed else "does not match"
    if result.diagnostics.errors:
        outcome = "asks for what is not known"
    asks_for = tuple(sorted(".".join(one) for one in statement.mentions))
    return Weighed(statement.id.partition("#")[0], statement.effect, statement.text, outcome, asks_for)


def attributes_of(question: Question) -> Iterator[tuple[str, str]]:
    """What the question says, for reading: name and value; what is not known is said to be so."""
    who, what = question.subject, question.resource
    yield "principal", f"{who.kind} {who.id}"
    yield "principal.roles", ", ".join(sorted(who.roles)) or "none"
    yield "principal.groups", ", ".join(sorted(who.groups)) or "none"
    for name in ("department", "clearance"):
        yield f"principal.{name}", who.attributes.get(name, "not known")
    yield "principal.mfa", "yes" if who.mfa else "no"
    yield "principal.auth_age", "not known" if who.auth_age is None else f"{who.auth_age} s"
    yield "resource", " ".join(filter(None, (what.type, what.id)))
    yield "resource.classification", what.classification or "not known"
    yield "resource.tags", "not known" if what.tags is None else ", ".join(what.tags) or "none"
    yield "resource.owner", what.owner or "not known"
    yield "resource.residency", what.residency or "not known"
    yield "resource.consent", what.consent or "not known"
    yield "context.purpose", question.purpose or "none"
    yield "context.time", question.time.isoformat(timespec="seconds")
    yield "context.zone", question.zone or "not known"
