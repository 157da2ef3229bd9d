"""Whether an organization takes requests by its public form."""

from django.db import models
from django.db.models.functions import Now

from compliance.models.request import Law
from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class IntakeForm(TenantModel):
    """The public form of a tenant; without a row it is closed. ``law`` is the one its requests fall under."""

    is_open = models.BooleanField(default=False)
    law = models.CharField(max_length=7, choices=Law.choices, default=Law.GDPR)
    changed_by = models.UUIDField()
    changed_at = models.DateTimeField(db_default=Now())

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE")),
            models.UniqueConstraint(fields=["tenant"], name="compliance_form_one"),
        ]

    def __str__(self) -> str:
        return "open" if self.is_open else "closed"
