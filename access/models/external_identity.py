"""Who somebody is to an identity provider, and which of their sessions it knows of."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class ExternalIdentity(TenantModel):
    """A user's name at a provider: ``issuer`` and ``subject``, never an e-mail address (OpenID Connect Core, 5.7).

    ``linked_by`` is who tied it to the user: an administrator, or the provider itself for a user it brought.
    """

    provider = TenantForeignKey("access.IdentityProvider", models.CASCADE, related_name="identities")
    user = TenantForeignKey("access.User", models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=500, db_collation="C")
    subject = models.CharField(max_length=500, db_collation="C")
    linked_by = models.UUIDField(editable=False)
    linked_at = models.DateTimeField(db_default=Now(), editable=False)
    last_arrived_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="access_externalidentity_provider", field="provider", to="access.IdentityProvider"
            ),
            CompositeForeignKey(name="access_externalidentity_user", field="user", to="access.User"),
            models.UniqueConstraint(
                fields=["tenant", "provider", "issuer", "subject"], name="access_externalidentity_one"
            ),
        ]
        indexes = [models.Index(fields=["tenant", "user"], name="access_identity_by_user")]


class FederatedSession(TenantModel):
    """A session that began at a provider, so that the provider can end it. Goes with the session.

    ``session_index`` is the provider's name for its own session: ``sid``, or SAML's SessionIndex; empty for none.
    """

    # The database cascades: sessions are ended often, and Django would look here first.
    session = TenantForeignKey("access.VaultSession", models.DO_NOTHING)
    identity = TenantForeignKey("access.ExternalIdentity", models.CASCADE)
    session_index = models.CharField(max_length=500, blank=True, default="", db_collation="C")

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(
                name="access_federatedsession_session", field="session", to="access.VaultSession", on_delete="CASCADE"
            ),
            CompositeForeignKey(
                name="access_federatedsession_identity",
                field="identity",
                to="access.ExternalIdentity",
                on_delete="CASCADE",
            ),
            models.UniqueConstraint(fields=["tenant", "session"], name="access_federatedsession_one"),
        ]
        indexes = [models.Index(fields=["tenant", "identity"], name="access_fedsession_by_identity")]


class SpentToken(TenantModel):
    """What a provider said once and may not say again: a state, a logout token, an assertion.

    ``token_hash`` is its SHA-256; the row goes when the thing has expired by itself.
    """

    provider = TenantForeignKey("access.IdentityProvider", models.CASCADE)
    token_hash = models.BinaryField(max_length=32)
    expires_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT"), system=("SELECT", "DELETE")),
            CompositeForeignKey(name="access_spenttoken_provider", field="provider", to="access.IdentityProvider"),
            models.UniqueConstraint(fields=["tenant", "provider", "token_hash"], name="access_spenttoken_once"),
        ]
