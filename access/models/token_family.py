"""A signed-in program of a person: the refresh tokens that descend from one proof of who they are."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

_GRANTS = ("SELECT", "INSERT", "UPDATE")
_SYSTEM = ("SELECT", "DELETE")


class TokenFamily(TenantModel):
    """Lives from one proof (a password, a browser session) to logout, theft, or ``expires_at``.

    ``method`` says how the person proved who they are, ``mfa`` whether by a second factor too, ``authenticated_at``
    when. ``scopes`` narrow what its access tokens open (empty: all the person may).
    """

    user = TenantForeignKey("access.User", models.CASCADE)
    method = models.CharField(max_length=20)
    mfa = models.BooleanField(default=False)
    scopes = models.JSONField(default=list, blank=True)
    authenticated_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=_GRANTS, system=_SYSTEM),
            CompositeForeignKey(name="access_tokenfamily_user", field="user", to="access.User", on_delete="CASCADE"),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="access_tokenfamily_by_user")]


class RefreshToken(TenantModel):
    """One use of a family: exchanged once, for the next one. Only the SHA-256 of its 256-bit secret is stored.

    A second use of the same token means that two hold it, and ends the family.
    """

    family = TenantForeignKey(TokenFamily, models.CASCADE, related_name="tokens")
    secret_hash = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, default=None)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=_GRANTS, system=_SYSTEM),
            CompositeForeignKey(
                name="access_refreshtoken_family", field="family", to="access.TokenFamily", on_delete="CASCADE"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "family"], name="access_refreshtoken_family_idx")]
