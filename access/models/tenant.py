"""A tenant: one customer whose data no other may see."""

import re

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now

from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.rls import RowLevelSecurity

#: A tenant sees itself; before a login, exactly the one tenant whose slug was given.
VISIBLE = "id = (SELECT vault_tenant()) OR slug = (SELECT nullif(current_setting('vault.tenant_slug', true), ''))"

SLUG = re.compile(r"\A[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
slug_shape = RegexValidator(SLUG.pattern, "A slug has 1 to 63 lower-case letters, digits and inner hyphens.")


class Tenant(models.Model):
    """Created and renamed as vault_owner (``manage.py create_tenant``); the serving role only reads."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    slug = models.CharField(max_length=63, validators=[slug_shape])
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            RowLevelSecurity(name="access_tenant_rls", using=VISIBLE, grants=("SELECT",), system=("SELECT",)),
            models.UniqueConstraint(fields=["slug"], name="access_tenant_slug"),
        ]

    def __str__(self) -> str:
        return self.name
