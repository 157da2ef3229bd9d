"""What happens to a dataset when somebody tries what a policy with ``@on_violation`` forbids."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from access.policy.cedar.evaluation import evaluate_permits
from access.policy.question import Question
from access.ports import resource_source
from access.services.policies_in_force import policies_in_force
from vaultsite.kernel.tenancy.scope import current_scope


def react(question: Question, broken: Sequence[str]) -> None:
    """Once the denied scope has ended, put the dataset into quarantine if one of the ``broken`` policies says so.

    Only for who could have done it without the policy: for anybody else an attempt would be a way to take a dataset
    from its readers. A scope that goes on after the denial puts nothing into quarantine.
    """
    compiled = policies_in_force().compiled
    reacting = [one.id for one in compiled.statements if one.id in broken and one.on_violation]
    if not reacting or not question.dataset_id or not evaluate_permits(question, compiled).is_allowed:
        return
    dataset_id, who = UUID(question.dataset_id), UUID(question.subject.id)
    current_scope().if_undone(partial(resource_source().quarantine, dataset_id, policy=reacting[0], by=who))
