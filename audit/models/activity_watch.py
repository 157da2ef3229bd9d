"""How far the hours of a tenant's principals have been judged."""

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class ActivityWatch(TenantModel):
    """One row a tenant. What happened before ``judged_until`` was judged; of the last hour in which anybody was active:
    how many ``principals``, and how many of them are still ``learning``.
    """

    judged_until = models.DateTimeField()
    principals = models.PositiveIntegerField(default=0)
    learning = models.PositiveIntegerField(default=0)

    class Meta(TenantModel.Meta):
        constraints = [
            *tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"), system=("SELECT",)),
            models.UniqueConstraint(fields=["tenant"], name="audit_activitywatch_one"),
        ]
