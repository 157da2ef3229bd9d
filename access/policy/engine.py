"""The port of policy engines: who answers what the vault asks."""

from abc import ABC, abstractmethod
from typing import cast
from uuid import UUID

from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.evaluation import Answer, evaluate
from access.policy.question import Question
from vaultsite.kernel.providers import load_provider


class PolicyEngine(ABC):
    """Answers questions; chosen by the setting POLICY."""

    @abstractmethod
    def decide(self, question: Question, policies: CompiledPolicies, *, tenant_id: UUID, stamp: UUID) -> Answer:
        """The answer under ``policies``, the tenant's own in force; ``stamp`` tells them from any other set.

        Raises PolicyEngineUnavailable when there is no answer, which is a denial.
        """


class CedarEngine(PolicyEngine):
    """Answers in the process itself."""

    def decide(
        self,
        question: Question,
        policies: CompiledPolicies,
        *,
        tenant_id: UUID,  # noqa: ARG002 - the port's signature
        stamp: UUID,  # noqa: ARG002
    ) -> Answer:
        return evaluate(question, policies)


def policy_engine() -> PolicyEngine:
    """The engine that the settings choose."""
    return cast("PolicyEngine", load_provider("POLICY"))
