"""Default deny: somebody without a role is refused every action there is, and so is an action that nobody knows."""

from uuid import UUID, uuid4

from access.policy.builtin import RULES
from access.policy.question import ask
from access.services.authorize import decide
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import actor, sandbox
from vaultsite.kernel.events.event import ResourceRef


def probe(tenant_id: UUID) -> Outcome:
    nobody, stranger = actor(tenant_id), actor(uuid4(), "tenant_admin", "data_steward")
    thing = ResourceRef("probe", str(uuid4()))
    breaches: list[str] = []
    with sandbox(tenant_id):
        for action in (*RULES, "probe.unknown"):
            for who, principal in (("nobody", nobody), ("an administrator of another tenant", stranger)):
                _, _, refusal = decide(principal, ask(principal, action, thing, None))
                if refusal is None:
                    breaches.append(f"{who} was allowed {action}")
    return judged(breaches, decisions=2 * (len(RULES) + 1))
