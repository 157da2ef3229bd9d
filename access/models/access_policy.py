"""A tenant's own access policy: one Cedar statement in numbered versions, of which at most one is in force."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.keys import CompositeForeignKey, TenantForeignKey
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class PolicyState(models.TextChoices):
    DRAFT = "draft", "draft"
    ACTIVE = "active", "active"
    RETIRED = "retired", "retired"


class AccessPolicy(TenantModel):
    """The name that versions share; decisions name a version of it as ``policy:<name>@<number>``."""

    name = models.CharField(max_length=63, db_collation="C")
    description = models.CharField(max_length=300, blank=True, default="")
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *TenantModel.Meta.constraints,
            models.UniqueConstraint(fields=["tenant", "name"], name="access_accesspolicy_name"),
        ]
        verbose_name_plural = "access policies"

    def __str__(self) -> str:
        return self.name


class AccessPolicyVersion(TenantModel):
    """What a policy says in one version: ``text`` is the statement in Cedar, never changed once written.

    ``form`` is what the readable form was filled with, None when the text was written by hand. Drafted by
    ``created_by``, put in force by ``activated_by``, out of it by ``retired_by``.
    """

    policy = TenantForeignKey(AccessPolicy, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=7, choices=PolicyState.choices, default=PolicyState.DRAFT)
    text = models.TextField(max_length=20_000)
    form = models.JSONField(null=True, default=None)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    activated_by = models.UUIDField(null=True, default=None, editable=False)
    activated_at = models.DateTimeField(null=True, default=None, editable=False)
    retired_by = models.UUIDField(null=True, default=None, editable=False)
    retired_at = models.DateTimeField(null=True, default=None, editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            CompositeForeignKey(name="access_policyversion_policy", field="policy", to="access.AccessPolicy"),
            models.UniqueConstraint(fields=["tenant", "policy", "number"], name="access_policyversion_number"),
            models.UniqueConstraint(
                fields=["tenant", "policy"],
                condition=Q(state=PolicyState.ACTIVE),
                name="access_policyversion_one_active",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.name}@{self.number}"

    @property
    def statement_id(self) -> str:
        """How decisions name this version; needs ``policy`` at hand."""
        return f"policy:{self.policy.name}@{self.number}"
