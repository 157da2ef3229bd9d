"""MFA on privileged roles: the rules ask every mighty role for a second factor, and all who hold one have it."""

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from access.models import GroupMembership, RoleBinding, SecurityKey, TotpDevice, User
from access.services.assurance import MFA_ROLES, needs_second_factor
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox


def probe(tenant_id: UUID) -> Outcome:
    with sandbox(tenant_id):
        unasked = sorted(role for role in MFA_ROLES if not needs_second_factor([role]))
        holders = _holders()
        bare = holders.exclude(
            Exists(TotpDevice.objects.filter(user=OuterRef("pk")))
            | Exists(SecurityKey.objects.filter(user=OuterRef("pk")))
        ).count()
        count = holders.count()
    breaches = [f"no second factor is asked of {role}" for role in unasked]
    breaches += [f"{bare} of {count} people with such a role have no second factor"] if bare else []
    return judged(breaches, roles=len(MFA_ROLES), people=count)


def _holders() -> "QuerySet[User]":
    """Active people who hold a mighty role, or one that inherits it, themselves or by a group."""
    mighty = Q(role__code__in=MFA_ROLES)
    for role in MFA_ROLES:
        mighty |= Q(role__inherited__contains=[role])
    bindings = RoleBinding.objects.live().filter(mighty)
    through_groups = GroupMembership.objects.filter(group__in=bindings.values("group"))
    named = Q(pk__in=bindings.values("user")) | Q(pk__in=through_groups.values("user"))
    return User.objects.filter(named, is_active=True)
