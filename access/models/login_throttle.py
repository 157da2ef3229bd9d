"""How often signing in failed lately, by name and by address."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class LoginThrottle(TenantModel):
    """``key_hash`` is an HMAC of a user name or an IP address: the row identifies nobody by itself."""

    key_hash = models.BinaryField(max_length=32)
    failures = models.PositiveIntegerField(default=0)
    last_failed_at = models.DateTimeField()
    locked_until = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(system=("SELECT", "DELETE")),
            models.UniqueConstraint(fields=["tenant", "key_hash"], name="access_loginthrottle_key"),
        ]
