"""The decision point: whether this principal may do this, to this, for this purpose, and under which obligations."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from access.errors import AccessDenied, PurposeRequired, UnknownPurpose
from access.policy.builtin import RULES, SHOWING, Rule
from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.evaluation import Answer
from access.policy.cedar.roles import RESTRICTED_ID, builtin_id
from access.policy.decision import Decision, Effect, Obligation
from access.policy.engine import policy_engine
from access.policy.errors import PolicyEngineUnavailable
from access.policy.obligations import AUDIT_LEVEL, CONSENTED, RESTRICTABLE, enforced_for
from access.policy.question import Question, ask
from access.ports import BoundPolicy, grant_source, obligation_source, resource_source
from access.selectors import may
from access.services.assurance import PROOF_ID, missing_proof
from access.services.policies_in_force import PoliciesInForce, policies_in_force
from access.services.violations import react
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

__all__ = ["Decision", "Obligation", "ResourceRef", "authorize", "decide", "may", "shows_raw"]

#: Actions no rule knows are recorded and denied like any other.
_UNKNOWN: Final = Rule(frozenset(), EventType.ACCESS_READ, "read")
FORBIDDEN: Final = "a policy forbids it"
_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})
#: What a described resource may have that a stated one has not.
_DESCRIBED: Final = frozenset({"tags", "owner", "residency", "classification", "consent"})


def authorize(
    principal: Principal,
    action: str,
    resource: ResourceRef,
    *,
    purpose: str | None = None,
    facts: Mapping[str, Any] = _NO_FACTS,
) -> Decision:
    """Decide on ``action``, inside the scope of the request, and record the decision as its primary event.

    ``purpose`` overrides the one of the scope (stated by the request, else bound to the credential). Default is denial:
    so unknown actions, unknown purposes, and a missing one where data is released are denied. ``facts`` go into the
    metadata of the event, allowed or denied: codes, ids and times, never what somebody typed. Beside them the event
    keeps what was decided on, so that it can be decided on again.

    Raises AccessDenied, PurposeRequired, UnknownPurpose or PolicyEngineUnavailable, and SecondFactorRequired or
    StepUpRequired where who asks has to prove more, each after recording the denial.
    """
    question = ask(principal, action, resource, purpose or current_scope().purpose)
    rule = RULES.get(action, _UNKNOWN)
    question, decision, refusal = decide(principal, question)
    unproved = missing_proof(principal, action, resource) if refusal is None else None
    if unproved is not None:
        decision, refusal = _denied(question, unproved.slug, (PROOF_ID,)), unproved
    event = Event(
        type=rule.event,
        operation=rule.operation,
        resource=replace(resource, tags=question.resource.tags),
        purpose=question.purpose or "",
        policies=decision.policy_ids,
        obligations=tuple(map(str, decision.obligations)),
        metadata={
            **facts,
            "action": action,
            "reason": decision.reason,
            "policy_epoch": policies_in_force().number,
            "inputs": question.as_inputs(),
        },
    )
    emit(event if refusal is None else event.ended_by(refusal), primary=True)
    if refusal is not None:
        _report_violation(event, decision, question)
        raise refusal
    return _without(decision, AUDIT_LEVEL)


def shows_raw(principal: Principal, resource: ResourceRef) -> bool:
    """Whether records of ``resource`` would be shown to the principal as they are, in the open scope.

    For what quotes records beside a decision of its own: nothing is recorded. Where no purpose was stated it may be
    any, and what is hidden for one of them is hidden. Records that may be seen up to a number only are not shown by
    this.
    """
    purpose = current_scope().purpose
    purposes = policies_in_force().purposes if purpose is None else {purpose}
    return bool(purposes) and all(_is_shown_raw(principal, resource, each) for each in purposes)


def _is_shown_raw(principal: Principal, resource: ResourceRef, purpose: str) -> bool:
    _, decision, refusal = decide(principal, ask(principal, "record.read", resource, purpose))
    return refusal is None and not _without(decision, AUDIT_LEVEL).obligations


def decide(principal: Principal, question: Question) -> tuple[Question, Decision, VaultError | None]:
    """The question as it was decided on, the decision, and why not; records nothing, for who only wants to know."""
    denial = _outside(principal, question)
    if denial is not None:
        return question, denial, AccessDenied()
    held = policies_in_force()
    try:
        question, answer = _answer(principal, question, held)
    except PolicyEngineUnavailable as silent:
        return question, _denied(question, "the policy engine gives no answer", ("engine:unavailable",)), silent
    refused = _refused(question, answer, held)
    if refused is not None:
        return question, *refused
    return question, *_allowed(principal, question, answer, held)


def _outside(principal: Principal, question: Question) -> Decision | None:
    """The denials that no policy is asked about: another tenant, an unknown action, and what the credential lacks."""
    if principal.tenant_id != current_scope().tenant_id:
        return _denied(question, "another tenant's principal")
    if question.action not in RULES:
        return _denied(question, "no role permits it")
    if principal.scopes and question.action not in principal.scopes:
        return _denied(question, "outside the scopes of the credential", ("builtin:scopes",))
    if principal.datasets and not _is_listed(principal, question):
        return _denied(question, "outside the datasets of the credential", ("builtin:datasets",))
    return None


def _is_listed(principal: Principal, question: Question) -> bool:
    """Whether the credential's list of datasets has the one asked about; lists themselves are filtered by it."""
    return (
        question.action == "dataset.list"
        or not question.needs_dataset
        or question.dataset_id in set(map(str, principal.datasets))
    )


def _answer(principal: Principal, question: Question, held: PoliciesInForce) -> tuple[Question, Answer]:
    """Ask with what roles and policies say, and with what was granted where that can change the answer."""
    scope = current_scope()
    question = _described(question, held.compiled)
    answer = policy_engine().decide(question, held.compiled, tenant_id=scope.tenant_id, stamp=held.stamp)
    if answer.is_allowed and (question.action not in SHOWING or answer.is_raw):
        return question, answer
    held_here = (
        grant_source().grants_for(principal, question.resource, question.purpose) if question.may_be_granted else ()
    )
    grants = tuple(grant for grant in held_here if question.action in grant.actions)
    if not grants:
        return question, answer
    question = question.with_grants(grants)
    return question, policy_engine().decide(question, held.compiled, tenant_id=scope.tenant_id, stamp=held.stamp)


def _described(question: Question, compiled: CompiledPolicies) -> Question:
    """The question with what policies ask of its resource and nobody stated; asks nothing where they ask nothing."""
    asked = {name for kind, name in compiled.slice_for(question.action, question.subject.roles).mentions}
    missing = {name for name in asked & _DESCRIBED if not getattr(question.resource, name)}
    if not missing or not question.dataset_id or not question.is_about_dataset:
        return question
    return replace(question, resource=resource_source().described(question.resource))


def _refused(question: Question, answer: Answer, held: PoliciesInForce) -> tuple[Decision, VaultError] | None:
    purpose, rule = question.purpose, RULES[question.action]
    if not answer.is_allowed and not answer.is_forbidden:
        return _denied(question, "no role permits it"), AccessDenied()
    if purpose is None and rule.needs_purpose:
        return _denied(question, "no purpose stated"), PurposeRequired()
    if purpose is not None and purpose not in held.purposes:
        return _denied(question, "unknown purpose"), UnknownPurpose()
    if not answer.is_allowed:
        reason = "restricted data" if RESTRICTED_ID in answer.decided_by else FORBIDDEN
        return _denied(question, reason, answer.decided_by), AccessDenied()
    unmet = _unmet(question, answer, held)
    return (_denied(question, unmet, answer.decided_by), AccessDenied()) if unmet else None


def _unmet(question: Question, answer: Answer, held: PoliciesInForce) -> str:
    """Why what is asked for can be met by nobody; empty where it can."""
    if any(one.type not in enforced_for(question.action) for one in answer.obligations):
        return "an obligation that nothing enforces here"
    if any(one.type == "consent" and one.value not in held.purposes for one in answer.obligations):
        return "consent to a purpose that is not in use"
    return ""


def _allowed(
    principal: Principal, question: Question, answer: Answer, held: PoliciesInForce
) -> tuple[Decision, VaultError | None]:
    """What roles and policies ask for, and what the anonymization policies that bind the reading ask for beside.

    For a purpose that rests on consent, no grant and no emergency lifts the consent of the people in the records.
    """
    obligations, policies = answer.obligations, answer.decided_by
    bound = _bound(principal, question, is_raw=answer.is_raw) if question.action in SHOWING else []
    policies = (*policies, *(f"anonymization:{one.reference}#sha256={one.digest}" for one in bound))
    if not all(policy.is_active for policy in bound):
        return _denied(question, "a policy that binds has no active version", policies), AccessDenied()
    obligations = (*obligations, *(Obligation("anonymize", "", one.reference, one.fields) for one in bound))
    if question.action in CONSENTED and question.purpose in held.consent_purposes:
        # A policy may have asked for the very same.
        obligations = tuple(dict.fromkeys((*obligations, Obligation("consent", value=question.purpose or ""))))
    if question.action in RESTRICTABLE and held.restricts(question.purpose or ""):
        obligations = (*obligations, Obligation("restriction", value=question.purpose or ""))
    effect: Effect = "allow_with_conditions" if obligations else "allow"
    reason = _reason(question, answer, has_bound=bool(bound))
    return Decision(effect, obligations, reason, policies, purpose=question.purpose), None


def _bound(principal: Principal, question: Question, *, is_raw: bool) -> list[BoundPolicy]:
    attached = obligation_source().policies_for(principal, question.resource, question.purpose or "")
    return [policy for policy in attached if not is_raw or policy.binds_raw_readers]


def _reason(question: Question, answer: Answer, *, has_bound: bool) -> str:
    by_role = any(one.startswith("builtin:") for one in answer.decided_by)
    if question.action not in SHOWING or not by_role:
        return "a role permits it" if by_role else "a grant or a policy permits it"
    if answer.is_raw:
        return "a role reads raw, a policy binds" if has_bound else "a role reads raw"
    operators = [one.operator for one in answer.obligations if one.operator]
    return f"a role reads records under {operators[0]}" if operators else "a role permits it, a policy binds"


def _denied(question: Question, reason: str, policies: tuple[str, ...] = ()) -> Decision:
    return Decision("deny", reason=reason, policy_ids=policies or (builtin_id(question.action),))


def _without(decision: Decision, kind: str) -> Decision:
    """The decision without what this module has done itself."""
    left = tuple(one for one in decision.obligations if one.type != kind)
    if left == decision.obligations:
        return decision
    return replace(decision, obligations=left, effect="allow_with_conditions" if left else "allow")


def _report_violation(event: Event, decision: Decision, question: Question) -> None:
    """A policy of the tenant's own forbade it: told beside the decision, for the feed and whoever watches it."""
    broken = tuple(one for one in decision.policy_ids if one.startswith("policy:"))
    if broken and decision.reason == FORBIDDEN:
        react(question, broken)
        violation = replace(
            event,
            id=uuid7(),
            type=EventType.POLICY_VIOLATED,
            status="denied",
            severity="critical",
            policies=broken,
            metadata={"action": event.metadata["action"], "decision": str(event.id)},
        )
        emit(violation, lasting=True)
