"""What a SAML provider has beside its settings: its metadata as last accepted, and the vault's keys towards it."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class SamlMetadata(TenantModel):
    """The metadata of a provider as it was last accepted.

    ``address`` is where it was fetched, empty for an upload; ``asked_at`` is when that was last asked.
    """

    provider = TenantForeignKey("access.IdentityProvider", models.CASCADE)
    address = models.CharField(max_length=1024, blank=True)
    document = models.TextField()
    accepted_at = models.DateTimeField(db_default=Now())
    asked_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="access_samlmetadata_provider", field="provider", to="access.IdentityProvider"),
            models.UniqueConstraint(fields=["tenant", "provider"], name="access_samlmetadata_one"),
        ]


class SamlKeyState(StrEnum):
    """``next`` is published and opens, ``current`` also signs, ``past`` only opens what is on its way."""

    NEXT = "next"
    CURRENT = "current"
    PAST = "past"


class SamlKey(TenantModel):
    """A key of the vault towards one provider: ``certificate`` is DER in base64, ``sealed`` the private key."""

    provider = TenantForeignKey("access.IdentityProvider", models.CASCADE)
    state = models.CharField(max_length=8, choices=[(state.value, state.value) for state in SamlKeyState])
    certificate = models.TextField()
    sealed = models.BinaryField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            CompositeForeignKey(name="access_samlkey_provider", field="provider", to="access.IdentityProvider"),
            models.UniqueConstraint(fields=["tenant", "provider", "state"], name="access_samlkey_one_of_each"),
        ]
