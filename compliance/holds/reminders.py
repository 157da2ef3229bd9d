"""Who was told of a hold and has not said that they will keep what it names is told again."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from access.models import Tenant
from compliance.holds.telling import MOST_REMINDERS, tell_again
from compliance.models import HoldNotice
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up


def remind_custodians_of_all() -> int:
    """In every tenant: tell again who has been silent for HOLD_REMINDER_DAYS; returns how many were told."""
    tenants = Tenant.objects.using("system").filter(is_active=True).values_list("pk")
    return add_up(_remind_in, list(tenants))


def _remind_in(tenant_id: UUID) -> int:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return remind_silent()


def remind_silent() -> int:
    """As remind_custodians_of_all, for the tenant of the open scope."""
    silent = HoldNotice.objects.filter(
        acknowledged_at=None,
        hold__released_at=None,
        reminders__lt=MOST_REMINDERS,
        told_at__lte=Now() - timedelta(days=settings.HOLD_REMINDER_DAYS),
    )
    locked = silent.select_related("hold").select_for_update(no_key=True, skip_locked=True, of=("self",))
    return sum(tell_again(notice) for notice in list(locked.order_by("id")))
