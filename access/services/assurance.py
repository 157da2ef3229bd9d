"""What is asked of people beyond a password: a second factor by role or by data, a fresh proof for sensitive acts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils import timezone

from access.factors.errors import SecondFactorRequired, StepUpRequired
from access.models import SignInPolicy
from access.policy.builtin import RULES
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

#: Roles whose holders sign in with a second factor where their tenant says nothing: those who can give themselves or
#: others more than they have, or see everything.
MFA_ROLES: Final = frozenset({"privacy_officer", "security_officer", "tenant_admin"})
#: Acts that ask for a fresh proof of who does them: on keys, on people, programs and what they may do, in emergencies,
#: and by which what the audit says leaves the vault.
STEP_UP: Final = frozenset(
    {
        "apikey.manage",
        "key.destroy",
        "key.rotate",
        "retention.manage",
        "role.manage",
        "group.manage",
        "delegation.use",
        "policy.manage",
        "serviceaccount.manage",
        "session.revoke",
        "signin.manage",
        "user.manage",
    }
    | {"emergency.confirm", "emergency.request", "identity_provider.manage"}
    | {"audit.export", "subscription.manage", "webhook.manage"}
)
#: What a decision names when a proof was missing.
PROOF_ID: Final = "builtin:proof"
#: Acts that let data out of the vault; what only names or counts datasets is not held back.
RELEASING: Final = frozenset(
    {name for name, rule in RULES.items() if rule.needs_purpose} | {"export.create", "export.read"}
)


_MEMO: Final = "access.sign_in_rules"


@dataclass(frozen=True)
class SignInRules:
    """What a tenant asks of people: see ``SignInPolicy``. ``step_up`` is how long a proof stands for sensitive acts."""

    mfa_roles: frozenset[str] = MFA_ROLES
    mfa_classifications: frozenset[str] = frozenset()
    step_up: timedelta = timedelta(minutes=15)
    max_sessions: int = 10


def sign_in_rules() -> SignInRules:
    """The rules of the scope's tenant, asked for once in each scope."""
    memo = current_scope().memo
    rules: SignInRules | None = memo.get(_MEMO)
    if rules is None:
        rules = memo[_MEMO] = _read(SignInPolicy.objects.first())
    return rules


def sign_in_rules_changed() -> None:
    """Called by who changed them and goes on in the same scope."""
    current_scope().memo.pop(_MEMO, None)


def _read(row: SignInPolicy | None) -> SignInRules:
    if row is None:
        return SignInRules()
    return SignInRules(
        mfa_roles=frozenset(row.mfa_roles),
        mfa_classifications=frozenset(row.mfa_classifications),
        step_up=timedelta(minutes=row.step_up_minutes),
        max_sessions=row.max_sessions,
    )


def needs_second_factor(roles: Collection[str]) -> bool:
    """Whether somebody with these roles signs in with a second factor."""
    return bool(roles) and not sign_in_rules().mfa_roles.isdisjoint(roles)


def require_step_up(principal: Principal, within: timedelta) -> None:
    """Raise StepUpRequired unless the person proved who they are at most ``within`` ago.

    Programs pass: they prove themselves with every request. A person whose proof has no time does not.
    """
    if principal.kind != "user":
        return
    proved = principal.authenticated_at
    if proved is None or timezone.now() - proved > within:
        raise StepUpRequired


def missing_proof(principal: Principal, action: str, resource: ResourceRef) -> VaultError | None:
    """Why the principal, whatever its roles, has to prove more before ``action``; None when it has proved enough.

    Asks the database only about people: for sensitive acts, and where data is released to one without second factor.
    """
    if principal.kind != "user":
        return None
    if action in STEP_UP:
        try:
            require_step_up(principal, sign_in_rules().step_up)
        except StepUpRequired as refusal:
            return refusal
    is_bare = not principal.mfa and bool(resource.classification) and action in RELEASING
    if is_bare and resource.classification in sign_in_rules().mfa_classifications:
        return SecondFactorRequired("Data of this classification is released after a second factor alone")
    return None
