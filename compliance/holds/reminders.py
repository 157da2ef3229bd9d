"""Who was told of a hold and has not said that they will keep what it names is told again."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models.functions import Now

from access.models import Tenant
from compliance.holds.telling import MOST_REMINDERS, tell_again
from compliance.models import HoldNotice
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

logger = logging.getLogger("vault.legal_holds")


def remind_custodians_of_all() -> int:
    """In every tenant: tell again who has been silent for HOLD_REMINDER_DAYS; returns how many were told."""
    told = 0
    for tenant_id in list(Tenant.objects.using("system").filter(is_active=True).values_list("pk", flat=True)):
        try:
            with tenant_scope(tenant_id, Principal.system(tenant_id)):
                told += remind_silent()
        except (VaultError, DatabaseError) as error:
            logger.warning("reminders of a tenant wait: %s", getattr(error, "code", type(error).__name__))
    return told


def remind_silent() -> int:
    """As remind_custodians_of_all, for the tenant of the open scope."""
    silent = HoldNotice.objects.filter(
        acknowledged_at=None,
        hold__released_at=None,
        reminders__lt=MOST_REMINDERS,
        told_at__lte=Now() - timedelta(days=settings.HOLD_REMINDER_DAYS),
    )
    locked = silent.select_related("hold").select_for_update(no_key=True, skip_locked=True, of=("self",))
    notices = list(locked.order_by("id"))
    for notice in notices:
        tell_again(notice)
    return len(notices)
