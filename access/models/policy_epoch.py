"""Which policies hold now, in one value: a new one after every change of policies, roles or purposes."""

from uuid import UUID, uuid4

from django.db import models

from vaultsite.kernel.tenancy.models import TenantModel, tenant_constraints


class PolicyEpoch(TenantModel):
    """One row a tenant, with the tenant's own id. The database changes it, by a trigger on the tables it follows.

    ``stamp`` tells one set of policies from every other, also from one that was rolled back, which ``number`` would
    not: what is kept of policies is kept under it. ``restricted_purposes`` are those from which somebody's records are
    left out at their request (access/services/restricted.py).
    """

    number = models.BigIntegerField(default=0)
    stamp = models.UUIDField(default=uuid4)
    restricted_purposes = models.JSONField(default=list, db_default=[])

    class Meta(TenantModel.Meta):
        constraints = [*tenant_constraints(grants=("SELECT", "INSERT", "UPDATE"))]


#: The stamp of a tenant whose policies have never changed since the table was made.
NO_STAMP = UUID(int=0)
