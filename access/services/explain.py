"""Why something was allowed or denied, and the smallest thing to ask for where it was denied."""

from dataclasses import dataclass
from uuid import UUID

from access.models import Role
from access.policy.builtin import RULES, SHOWING
from access.policy.cedar.explanation import Weighed, attributes_of, weigh
from access.policy.decision import Decision
from access.policy.errors import DecisionNotFound
from access.policy.question import Question
from access.policy.recorded import SETTLED, question_of
from access.ports import RecordedDecision, decision_history
from access.services.authorize import authorize
from access.services.inquiries import Asked, reply_to
from access.services.policies import READ
from access.services.policies_in_force import policies_in_force
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_LOG = ResourceRef("decision")


@dataclass(frozen=True)
class SmallestGrant:
    """What would be enough: a lease of these actions on one dataset for the purpose, or one of these roles.

    ``permissions`` are those that each permit the action; ``roles`` are the tenant's with one of them, the one that
    permits least first. ``is_lease_enough`` is False where the action is about no single dataset.
    """

    action: str
    dataset_id: str
    purpose: str
    permissions: tuple[str, ...]
    roles: tuple[str, ...]

    @property
    def is_lease_enough(self) -> bool:
        return bool(self.dataset_id)


@dataclass(frozen=True)
class Explanation:
    """``statements`` is what each policy in force says now; of a recorded decision ``recorded`` is what was said then.

    ``missing`` is None when the answer is yes, or when no grant would change it: a policy forbids, or the credential is
    too narrow.
    """

    question: Question
    is_allowed: bool
    reason: str
    policies: tuple[str, ...]
    obligations: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    statements: tuple[Weighed, ...]
    missing: SmallestGrant | None = None
    recorded: RecordedDecision | None = None


def explain(principal: Principal, *, asked: Asked) -> Explanation:
    """Why the vault would answer so. Raises AccessDenied."""
    authorize(principal, READ, _LOG, facts={"explain": "question"})
    reply = reply_to(asked)
    return _explained(reply.question, reply.decision)


def explain_decision(principal: Principal, *, event_id: UUID) -> Explanation:
    """Why a recorded decision came out as it did, and what the policies say to it today.

    Raises AccessDenied, DecisionNotFound, also for a decision that does not say what it was made on.
    """
    authorize(principal, READ, ResourceRef("decision", str(event_id)), facts={"explain": "decision"})
    recorded = decision_history().find(event_id)
    question = question_of(recorded) if recorded else None
    if recorded is None or question is None:
        raise DecisionNotFound
    decision = Decision(
        "allow" if recorded.is_allowed else "deny", reason=recorded.reason, policy_ids=recorded.policies
    )
    return _explained(question, decision, recorded)


def recent_decisions(principal: Principal, *, limit: int, denied_only: bool = False) -> list[RecordedDecision]:
    """The newest decisions. Raises AccessDenied."""
    authorize(principal, READ, _LOG)
    return list(decision_history().latest(limit=limit, denied_only=denied_only))


def _explained(question: Question, decision: Decision, recorded: RecordedDecision | None = None) -> Explanation:
    statements = tuple(weigh(question, policies_in_force().compiled)) if question.action in RULES else ()
    obligations = recorded.obligations if recorded else tuple(map(str, decision.obligations))
    is_allowed = decision.effect != "deny"
    return Explanation(
        question=question,
        is_allowed=is_allowed,
        reason=decision.reason,
        policies=decision.policy_ids,
        obligations=obligations,
        attributes=tuple(attributes_of(question)),
        statements=statements,
        missing=None if is_allowed else _missing(question, decision, statements),
        recorded=recorded,
    )


def _missing(question: Question, decision: Decision, statements: tuple[Weighed, ...]) -> SmallestGrant | None:
    is_forbidden = any(one.effect == "forbid" and one.decides for one in statements)
    rule = RULES.get(question.action)
    if rule is None or is_forbidden or decision.reason in SETTLED:
        return None
    roles = [
        (len(permissions), code)
        for code, permissions in Role.objects.values_list("code", "permissions")
        if rule.permissions & set(permissions)
    ]
    return SmallestGrant(
        action=question.action,
        dataset_id=question.dataset_id if question.is_about_dataset or question.action in SHOWING else "",
        purpose=question.purpose or "",
        permissions=tuple(sorted(rule.permissions)),
        roles=tuple(code for _, code in sorted(roles)),
    )
