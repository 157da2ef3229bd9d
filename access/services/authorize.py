"""The decision point: whether this principal may do this, to this, for this purpose, and under which obligations."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from access.errors import AccessDenied, PurposeRequired, UnknownPurpose
from access.policy import builtin
from access.policy.builtin import READ_RAW, RULES, Rule
from access.ports import obligation_source
from access.selectors import is_known_purpose, may
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

__all__ = ["Decision", "Obligation", "ResourceRef", "authorize", "may", "shows_raw"]

Effect = Literal["allow", "allow_with_conditions", "deny"]

#: Actions no rule knows are recorded and denied like any other.
_UNKNOWN: Final = Rule(frozenset(), EventType.ACCESS_READ, "read")
_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})
#: Actions that release something made of records: decided with the obligations of the principal's own view of them.
_SHOWING: Final = frozenset({"record.read", "analytics.export", "ingest.rejects.read"})


@dataclass(frozen=True)
class Obligation:
    """What must be done to the data before it is released: ``type`` is ``anonymize``.

    Either ``operator`` names what is done to all personal data, or ``policy`` one version of an anonymization policy
    ("name@3") that says what is done to which; ``fields`` are the places that policy names.
    """

    type: str
    operator: str
    policy: str = ""
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}:{self.policy or self.operator}"

    @classmethod
    def of(cls, text: str) -> "Obligation":
        """The obligation that ``str`` wrote, without its fields."""
        kind, _, what = text.partition(":")
        return cls(kind, "", what) if "@" in what else cls(kind, what)


@dataclass(frozen=True)
class Decision:
    """The answer. Whoever cannot discharge an obligation must treat the decision as a denial.

    ``purpose`` is the one decided for. ``ttl_seconds`` says how long it may be kept: 0, never beyond the request.
    """

    effect: Effect
    obligations: tuple[Obligation, ...] = ()
    reason: str = ""
    policy_ids: tuple[str, ...] = ()
    ttl_seconds: int = 0
    purpose: str | None = None


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
    metadata of the event, allowed or denied: codes, ids and times, never what somebody typed.

    Raises AccessDenied, PurposeRequired or UnknownPurpose, each after recording the denial.
    """
    purpose = purpose or current_scope().purpose
    rule = RULES.get(action, _UNKNOWN)
    decision, refusal = _decide(principal, action, rule, resource, purpose)
    event = Event(
        type=rule.event,
        operation=rule.operation,
        resource=resource,
        purpose=purpose or "",
        policies=decision.policy_ids,
        obligations=tuple(map(str, decision.obligations)),
        metadata={**facts, "action": action, "reason": decision.reason},
    )
    emit(event if refusal is None else event.ended_by(refusal), primary=True)
    if refusal is not None:
        raise refusal
    return decision


def shows_raw(principal: Principal, resource: ResourceRef) -> bool:
    """Whether records of ``resource`` would be shown to the principal as they are, in the open scope.

    For what quotes records beside a decision of its own: nothing is recorded. Where no dataset is named, or no purpose
    was stated, it may be any, and so every policy that binds raw readers binds.
    """
    if READ_RAW not in principal.permissions or not may(principal, "record.read"):
        return False
    attached = obligation_source().policies_for(principal, resource, current_scope().purpose or "")
    return not any(policy.binds_raw_readers for policy in attached)


def _decide(
    principal: Principal, action: str, rule: Rule, resource: ResourceRef, purpose: str | None
) -> tuple[Decision, VaultError | None]:
    policies = (f"builtin:{action}",)
    if principal.tenant_id != current_scope().tenant_id:
        return Decision("deny", reason="another tenant's principal", policy_ids=policies), AccessDenied()
    if not may(principal, action):
        return Decision("deny", reason="no role permits it", policy_ids=policies), AccessDenied()
    if purpose is None and rule.needs_purpose:
        return Decision("deny", reason="no purpose stated", policy_ids=policies), PurposeRequired()
    if purpose is not None and not is_known_purpose(purpose):
        return Decision("deny", reason="unknown purpose", policy_ids=policies), UnknownPurpose()
    if action not in _SHOWING:
        return Decision("allow", reason="a role permits it", policy_ids=policies, purpose=purpose), None
    return _decide_read(principal, resource, policies, purpose)


def _decide_read(
    principal: Principal, resource: ResourceRef, policies: tuple[str, ...], purpose: str | None
) -> tuple[Decision, VaultError | None]:
    """The role's own obligation, if it has one, and one for each anonymization policy that binds the reading."""
    operator = builtin.operator_for(principal.permissions)
    if operator is not None and resource.classification == builtin.RESTRICTED:
        policies = (*policies, "builtin:restricted-is-raw-or-nothing")
        return Decision("deny", reason="restricted data", policy_ids=policies), AccessDenied()
    attached = obligation_source().policies_for(principal, resource, purpose or "")
    bound = [policy for policy in attached if operator is not None or policy.binds_raw_readers]
    policies = (*policies, *(f"anonymization:{one.reference}#sha256={one.digest}" for one in bound))
    if not all(policy.is_active for policy in bound):
        return Decision("deny", reason="a policy that binds has no active version", policy_ids=policies), AccessDenied()
    obligations = tuple(Obligation("anonymize", "", one.reference, one.fields) for one in bound)
    if operator is not None:
        obligations = (Obligation("anonymize", operator), *obligations)
    if not obligations:
        return Decision("allow", reason="a role reads raw", policy_ids=policies, purpose=purpose), None
    reason = f"a role reads records under {operator}" if operator else "a role reads raw, a policy binds"
    return Decision("allow_with_conditions", obligations, reason, policies, purpose=purpose), None
