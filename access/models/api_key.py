"""A credential for a program."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class ApiKey(TenantModel):
    """Holds roles through bindings, narrowed by ``scopes`` (names of actions; empty: all its roles permit).

    Only the SHA-256 of its 256-bit secret is stored. Revoked rather than deleted: the audit names it by id.
    """

    name = models.CharField(max_length=100)
    secret_hash = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list, blank=True)
    default_purpose = models.CharField(max_length=63, blank=True, default="")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, default=None)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "API key"
        constraints = tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"))

    def __str__(self) -> str:
        return self.name
