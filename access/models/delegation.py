"""Who may give one group or one role, without managing any other."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from access.models.group import Group
from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel

#: A delegation that counts at this moment, by the database's clock.
LIVE_DELEGATION = Q(expires_at=None) | Q(expires_at__gt=Now())


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def live(self) -> "DelegationQuerySet":
        return self.filter(LIVE_DELEGATION)


class Delegation(TenantModel):
    """``user`` may put people into ``group``, or give ``role``, while it is worth no more than what they hold."""

    user = TenantForeignKey("access.User", models.CASCADE, related_name="delegations")
    group = TenantForeignKey(Group, models.CASCADE, null=True, default=None, related_name="delegations")
    role = TenantForeignKey("access.Role", models.CASCADE, null=True, default=None, related_name="delegations")
    granted_by = models.UUIDField(editable=False)
    granted_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, default=None)

    objects = DelegationQuerySet.as_manager()

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_delegation_user", field="user", to="access.User"),
            CompositeForeignKey(name="access_delegation_group", field="group", to="access.Group", on_delete="CASCADE"),
            CompositeForeignKey(name="access_delegation_role", field="role", to="access.Role", on_delete="CASCADE"),
            models.UniqueConstraint(fields=["tenant", "user", "group"], name="access_delegation_user_group"),
            models.UniqueConstraint(fields=["tenant", "user", "role"], name="access_delegation_user_role"),
            models.CheckConstraint(
                condition=Q(group=None, role__isnull=False) | Q(group__isnull=False, role=None),
                name="access_delegation_one_thing",
            ),
        ]
