"""The time by the database's clock: the one clock that all who serve a vault share."""

from datetime import datetime

from django.db.models.functions import Now

from access.models import Tenant
from vaultsite.kernel.tenancy.scope import current_tenant_id


def database_now() -> datetime:
    """The time of this statement, inside the open scope."""
    row = Tenant.objects.filter(pk=current_tenant_id()).annotate(now=Now())
    return row.values_list("now", flat=True).get()
