"""The wrapped keys of a tenant."""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class KeyPurpose(StrEnum):
    """What a key is for: the KEK wraps the others, and each use has a key of its own.

    Data, content matching, chunk boundaries, the subject index, pseudonyms, signatures; the token vault's values and
    its blind index; format-preserving tokens; allow- and deny-lists; what is published to analytics; access tokens.
    """

    KEK = "kek"
    PLATFORM = "platform"
    DATASET = "dataset"
    CONTENT = "content"
    BOUNDARY = "boundary"
    INDEX = "index"
    PSEUDONYM = "pseudonym"
    SIGNING = "signing"
    TOKEN = "token"  # noqa: S105 - a use of keys
    TOKEN_INDEX = "token_index"  # noqa: S105 - a use of keys
    FORMAT = "format"
    LISTS = "lists"
    ANALYTICS = "analytics"
    ACCESS_TOKEN = "access_token"  # noqa: S105 - a use of keys


class KeyState(models.TextChoices):
    ACTIVE = "active", "active"
    DECRYPT_ONLY = "decrypt_only", "decrypt only"
    DESTROYED = "destroyed", "destroyed"


class EncryptionKey(TenantModel):
    """``scope_id`` is the dataset the key belongs to, or the tenant's own id for a key of the whole tenant.

    ``wrapped_by`` is the KEK that wraps it, None for a KEK itself, which the KMS wraps (``kms_*`` say with what).
    A destroyed key keeps its row without ``wrapped``: what it sealed is unreadable for good.
    """

    purpose = models.CharField(max_length=20, choices=[(purpose.value, purpose.value) for purpose in KeyPurpose])
    scope_id = models.UUIDField()
    version = models.PositiveIntegerField()
    wrapped = models.BinaryField(null=True)
    wrapped_by = TenantForeignKey("self", models.PROTECT, null=True)
    kms_provider = models.CharField(max_length=40, blank=True, default="")
    kms_key_id = models.CharField(max_length=300, blank=True, default="")
    kms_key_version = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=12, choices=KeyState.choices, default=KeyState.ACTIVE)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    #: When a successor is due; None for keys that are never rotated by age.
    expires_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="access_encryptionkey_wrapped_by", field="wrapped_by", to="access.EncryptionKey"),
            models.UniqueConstraint(
                fields=["tenant", "purpose", "scope_id", "version"], name="access_encryptionkey_version"
            ),
            models.UniqueConstraint(
                fields=["tenant", "purpose", "scope_id"],
                condition=Q(state="active"),
                name="access_encryptionkey_one_active",
            ),
            models.CheckConstraint(
                condition=Q(state="destroyed", wrapped__isnull=True)
                | (~Q(state="destroyed") & Q(wrapped__isnull=False)),
                name="access_encryptionkey_destroyed_is_empty",
            ),
        ]
