"""A role: a named set of permissions."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel


class Role(TenantModel):
    """``permissions`` is a sorted list of names from ``access.policy.builtin.PERMISSIONS``."""

    code = models.CharField(max_length=63)
    name = models.CharField(max_length=100)
    description = models.CharField(max_length=300, blank=True, default="")
    permissions = models.JSONField(default=list)
    is_builtin = models.BooleanField(default=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "code"], name="access_role_code"),
        ]

    def __str__(self) -> str:
        return self.name
