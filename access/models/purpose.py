"""A purpose for which data may be read."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel


class Purpose(TenantModel):
    """An entry of the tenant's registry; a read under a purpose that is not in it, or not active, is denied."""

    code = models.CharField(max_length=63)
    description = models.CharField(max_length=300, blank=True, default="")
    is_active = models.BooleanField(default=True)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "code"], name="access_purpose_code"),
        ]

    def __str__(self) -> str:
        return self.code
