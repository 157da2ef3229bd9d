"""A credential for a program."""

from typing import Final

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

#: Requests a minute, unless the key says otherwise.
USUAL_RATE: Final = 1000


class ApiKey(TenantModel):
    """Proves a service account, or holds roles of its own through bindings; ``scopes`` narrow what they permit.

    ``scopes`` are names of actions or of sets of them (``vault:read``; empty: all), ``allowed_networks`` the addresses
    it may come from in CIDR (empty: any), ``datasets`` the ids it is for (empty: all). ``predecessor`` is the key it
    takes over from; both live until that one's end. Only the SHA-256 of its 256-bit secret is stored. Revoked rather
    than deleted: the audit names it by id.
    """

    name = models.CharField(max_length=100)
    secret_hash = models.BinaryField(max_length=32)
    scopes = models.JSONField(default=list, blank=True)
    service_account = TenantForeignKey(
        "access.ServiceAccount", models.PROTECT, null=True, blank=True, default=None, related_name="api_keys"
    )
    allowed_networks = models.JSONField(default=list, blank=True)
    datasets = models.JSONField(default=list, blank=True)
    requests_per_minute = models.PositiveIntegerField(default=USUAL_RATE)
    predecessor = TenantForeignKey("self", models.PROTECT, null=True, blank=True, default=None)
    default_purpose = models.CharField(max_length=63, blank=True, default="")
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, default=None)
    revoked_at = models.DateTimeField(null=True, blank=True, default=None)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        verbose_name = "API key"
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="access_apikey_account", field="service_account", to="access.ServiceAccount"),
            CompositeForeignKey(name="access_apikey_predecessor", field="predecessor", to="access.ApiKey"),
            models.UniqueConstraint(fields=["tenant", "predecessor"], name="access_apikey_one_successor"),
        ]
        indexes = [models.Index(fields=["tenant", "service_account"], name="access_apikey_by_account")]

    def __str__(self) -> str:
        return self.name
