"""A signed-in browser."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class VaultSession(TenantModel):
    """Found by the SHA-256 of its key, which only the browser has; its data is sealed."""

    key_hash = models.BinaryField(max_length=32)
    user = TenantForeignKey("access.User", models.CASCADE, null=True)
    sealed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())
    last_seen_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "DELETE")),
            CompositeForeignKey(name="access_vaultsession_user", field="user", to="access.User", on_delete="CASCADE"),
            models.UniqueConstraint(fields=["tenant", "key_hash"], name="access_vaultsession_key"),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="access_vaultsession_by_user")]
