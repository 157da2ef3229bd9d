"""A program that acts under a name of its own."""

from typing import Final

from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints

LONGEST_NAME: Final = 100


class AccountKind(models.TextChoices):
    PROGRAM = "program", "program"
    EXTERNAL = "external", "external system"


class ServiceAccount(TenantModel):
    """Holds roles through bindings; its API keys and client certificates only prove that it is the one who asks.

    ``attributes`` are what policies may ask of it. Disabled rather than deleted: the audit names it by id, and every
    credential of it stops with that. ``kind`` tells the organization's own programs from systems that others run, which
    hold no role that administers the vault.
    """

    name = models.CharField(max_length=LONGEST_NAME)
    description = models.CharField(max_length=300, blank=True, default="")
    kind = models.CharField(max_length=8, choices=AccountKind.choices, default=AccountKind.PROGRAM)
    attributes = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField(editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant", "name"], name="access_serviceaccount_name"),
        ]

    def __str__(self) -> str:
        return self.name
