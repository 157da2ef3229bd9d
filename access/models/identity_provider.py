"""Who vouches for people of a tenant: its identity providers."""

from typing import Final
from uuid import UUID

from django.db import models
from django.db.models.functions import Now

from access.models.tenant import SLUG
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

LONGEST_NAME: Final = 100


class ProviderKind(models.TextChoices):
    OIDC = "oidc", "OpenID Connect"
    SAML = "saml", "SAML 2.0"
    LDAP = "ldap", "LDAP or Active Directory"


class IdentityProvider(TenantModel):
    """Disabled rather than deleted: the audit and the people it made name it by id.

    ``settings`` are those of its kind (``access.federation.kinds``), without secrets; ``sealed`` is the secret, if it
    has one. ``attributes`` says which of its attributes holds a person's ``username``, ``email``, ``full_name`` and
    ``groups``. ``mfa_values`` are its words for a second factor that it saw: values of ``amr`` and ``acr``, classes of
    an authentication context. ``creates_users`` lets it bring people the vault has not seen.
    """

    slug = models.CharField(max_length=63)
    name = models.CharField(max_length=LONGEST_NAME)
    kind = models.CharField(max_length=8, choices=ProviderKind.choices)
    is_active = models.BooleanField(default=False)
    creates_users = models.BooleanField(default=False)
    settings = models.JSONField(default=dict)
    attributes = models.JSONField(default=dict)
    mfa_values = models.JSONField(default=list)
    sealed = models.BinaryField(null=True, default=None)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "slug"], name="access_identityprovider_slug"),
            models.CheckConstraint(
                condition=models.Q(slug__regex=SLUG.pattern.replace(r"\A", "^").replace(r"\Z", "$")),
                name="access_identityprovider_slug_shape",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=ProviderKind.values), name="access_identityprovider_kind"
            ),
        ]

    @property
    def organization_id(self) -> UUID:
        """The tenant's id, which every stored provider has."""
        assert self.tenant_id is not None
        return self.tenant_id

    def __str__(self) -> str:
        return self.name
