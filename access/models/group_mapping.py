"""What a group at an identity provider means in the vault."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class GroupMapping(TenantModel):
    """``external_group``, exactly as the provider writes it, gives one role or one group. No mapping gives nothing."""

    provider = TenantForeignKey("access.IdentityProvider", models.CASCADE, related_name="mappings")
    external_group = models.CharField(max_length=500, db_collation="C")
    role = TenantForeignKey("access.Role", models.PROTECT, null=True, default=None, related_name="mappings")
    group = TenantForeignKey("access.Group", models.CASCADE, null=True, default=None, related_name="mappings")
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(name="access_groupmapping_provider", field="provider", to="access.IdentityProvider"),
            CompositeForeignKey(name="access_groupmapping_role", field="role", to="access.Role"),
            CompositeForeignKey(name="access_groupmapping_group", field="group", to="access.Group"),
            models.UniqueConstraint(
                fields=["tenant", "provider", "external_group", "role"], name="access_groupmapping_role_once"
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider", "external_group", "group"], name="access_groupmapping_group_once"
            ),
            models.CheckConstraint(
                condition=Q(role__isnull=False, group__isnull=True) | Q(role__isnull=True, group__isnull=False),
                name="access_groupmapping_one_meaning",
            ),
        ]
