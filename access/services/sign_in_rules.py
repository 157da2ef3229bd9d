"""A tenant's rules for signing in, changed."""

from collections.abc import Sequence
from typing import Final

from access.models import Role, SignInPolicy
from access.models.sign_in_policy import SESSIONS, STEP_UP_MINUTES
from access.services.assurance import sign_in_rules_changed
from access.services.authorize import authorize
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Classifications for which a second factor can be asked, as datasets have them.
CLASSIFICATIONS: Final = ("public", "internal", "confidential", "pii", "restricted")


def set_sign_in_rules(
    principal: Principal,
    *,
    mfa_roles: Sequence[str],
    mfa_classifications: Sequence[str],
    step_up_minutes: int,
    max_sessions: int,
) -> SignInPolicy:
    """The rules from now on; they hold for sessions that are open already.

    ``mfa_roles`` are codes of roles of the tenant. Raises AccessDenied, StepUpRequired, InvalidInput.
    """
    known = set(Role.objects.filter(code__in=mfa_roles).values_list("code", flat=True))
    facts = {
        "mfa_roles": sorted(known),
        "mfa_classifications": sorted(set(mfa_classifications) & set(CLASSIFICATIONS)),
        "step_up_minutes": step_up_minutes,
        "max_sessions": max_sessions,
    }
    authorize(principal, "signin.manage", ResourceRef("signin_policy"), facts=facts)
    problems = [FieldProblem("mfa_roles", "There is no such role") for code in mfa_roles if code not in known]
    problems += [
        FieldProblem("mfa_classifications", "There is no such classification")
        for name in mfa_classifications
        if name not in CLASSIFICATIONS
    ]
    for field, value, (least, most) in (
        ("step_up_minutes", step_up_minutes, STEP_UP_MINUTES),
        ("max_sessions", max_sessions, SESSIONS),
    ):
        if not least <= value <= most:
            problems.append(FieldProblem(field, f"From {least} to {most}"))
    if problems:
        raise InvalidInput(errors=problems)
    row, _ = SignInPolicy.objects.update_or_create(defaults=facts)
    sign_in_rules_changed()
    return row
