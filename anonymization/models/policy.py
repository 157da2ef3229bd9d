"""Anonymization policies, their versions, and what they are attached to."""

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class AnonymizationPolicy(TenantModel):
    """A policy by name, which never changes. ``active_version`` is the number that readings use; None: none may.

    ``preset`` names the built-in document it is a copy of; then it has one version and gets no other.
    """

    name = models.CharField(max_length=64)
    description = models.CharField(max_length=1000, blank=True, default="")
    preset = models.CharField(max_length=64, blank=True, default="")
    active_version = models.PositiveIntegerField(null=True, default=None)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "name"], name="anonymization_policy_name"),
        ]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(TenantModel):
    """One version of a policy; it is never changed.

    ``document`` is the JSON as its author ordered it, ``digest`` SHA-256 over it with sorted members.
    """

    policy = TenantForeignKey(AnonymizationPolicy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.BinaryField()
    digest = models.BinaryField(max_length=32)
    message = models.CharField(max_length=1000, blank=True, default="")
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(
                name="anonymization_policyversion_policy", field="policy", to="anonymization.AnonymizationPolicy"
            ),
            models.UniqueConstraint(fields=["tenant", "policy", "number"], name="anonymization_policyversion_number"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class AttachmentKind(models.TextChoices):
    """What a policy can be bound to."""

    DATASET = "dataset", "Dataset"
    ROLE = "role", "Role"
    PURPOSE = "purpose", "Purpose"


class PolicyAttachment(TenantModel):
    """A policy binds readings of a dataset, by holders of a role, or for a purpose.

    ``target`` is the dataset's id, the role's code or the purpose's code. ``binds_raw_readers``: also those whose
    role would show them records raw.
    """

    policy = TenantForeignKey(AnonymizationPolicy, on_delete=models.PROTECT, related_name="attachments")
    kind = models.CharField(max_length=8, choices=AttachmentKind.choices)
    target = models.CharField(max_length=64)
    binds_raw_readers = models.BooleanField(default=False)
    created_by = models.UUIDField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "DELETE")),
            CompositeForeignKey(
                name="anonymization_policyattachment_policy", field="policy", to="anonymization.AnonymizationPolicy"
            ),
            models.UniqueConstraint(
                fields=["tenant", "kind", "target", "policy"], name="anonymization_policyattachment_target"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"
