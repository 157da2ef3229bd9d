"""Whether who asked for a long job may still have what it makes: looked at again and again while it runs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from access.errors import AccessDenied
from access.leases.errors import LeaseEnded
from access.models import ServiceAccount, User
from access.policy.cedar.evaluation import evaluate_permits
from access.policy.decision import Decision
from access.policy.question import Question, Subject
from access.ports import grant_source, resource_source
from access.selectors import api_key_principal, live_keys, service_principal, user_principal
from access.services.metering import GRANTS, MOVING, require_grants
from access.services.policies_in_force import policies_in_force
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID, Principal

#: Kinds that were settled when the job was asked for, beside those that move while it runs.
_SETTLED: Final = MOVING | {"k"}
#: Seconds from one look to the next.
RECHECK_SECONDS: Final = 1.0


def owner_of(owner_id: UUID) -> Principal | None:
    """The person, service account or API key of that id as it is now, in the open scope; None: it may do nothing."""
    user = User.objects.filter(pk=owner_id, is_active=True).first()
    if user is not None:
        return user_principal(user)
    account = ServiceAccount.objects.filter(pk=owner_id, is_active=True).first()
    if account is not None:
        return service_principal(account, credential="")
    key = live_keys().filter(pk=owner_id).first()
    return api_key_principal(key) if key else None


def require_owner(owner_id: UUID, resource: ResourceRef, decision: Decision, *actions: str) -> None:
    """Every action is still permitted to the owner, and shown as it was decided, in the open scope; records nothing.

    By roles, grants and the permits in force, with nothing known of a request. What forbids may ask for a request: it
    is asked when what was made is handed out. Raises LeaseEnded, AccessDenied.
    """
    require_grants(decision)
    if owner_id == SYSTEM_PRINCIPAL_ID:
        return
    owner = owner_of(owner_id)
    if owner is None or not all(_is_permitted(owner, action, resource, decision) for action in actions):
        rests_on_grant = any(one.startswith(GRANTS) for one in decision.policy_ids)
        raise LeaseEnded if rests_on_grant else AccessDenied


def _is_permitted(owner: Principal, action: str, resource: ResourceRef, decision: Decision) -> bool:
    if owner.scopes and action not in owner.scopes:
        return False
    now = datetime.now(UTC)
    question = Question(Subject.of(owner, action, now), action, resource, now, decision.purpose)
    if question.is_about_dataset:
        question = replace(question, resource=resource_source().described(resource))
    if question.may_be_granted:
        held = grant_source().grants_for(owner, resource, decision.purpose)
        question = question.with_grants(tuple(grant for grant in held if action in grant.actions))
    answer = evaluate_permits(question, policies_in_force().compiled)
    known = set(map(str, decision.obligations))
    return answer.is_allowed and all(str(one) in known for one in answer.obligations if one.type not in _SETTLED)


@dataclass
class OwnerWatch:
    """Called often, looks at the owner now and then; ``look`` raises what ``require_owner`` does."""

    look: Callable[[], None]
    _due: float = field(default=0.0)

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self.look()
            self._due = now + RECHECK_SECONDS
