"""Which role inherits which."""

from django.db import models

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel


class RoleInheritance(TenantModel):
    """``heir`` permits all that ``inherited`` does, and what that one inherits; see ``services.role_graph``."""

    heir = TenantForeignKey("access.Role", models.CASCADE, related_name="inheritances")
    inherited = TenantForeignKey("access.Role", models.PROTECT, related_name="heirs")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="access_roleinheritance_heir", field="heir", to="access.Role", on_delete="CASCADE"
            ),
            CompositeForeignKey(name="access_roleinheritance_inherited", field="inherited", to="access.Role"),
            models.UniqueConstraint(fields=["tenant", "heir", "inherited"], name="access_roleinheritance_once"),
            models.CheckConstraint(
                condition=~models.Q(heir=models.F("inherited")), name="access_roleinheritance_other"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "inherited"], name="access_inheritance_of_role")]
