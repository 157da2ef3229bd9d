"""One turn of the watch: the tenants in which there is something to look at."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Exists, OuterRef
from django.utils import timezone

from access.models import Tenant
from audit.anomalies.violations import watch_violations
from audit.anomalies.watch import GRACE, watch_tenant
from audit.models import ActivityWatch, AuditEvent
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import EventType

logger = logging.getLogger("vault.audit")


def watch_all() -> int:
    """Look at what the principals of every tenant did; returns how many alerts were raised or seen again."""
    return sum(map(watch, waiting_tenants(timezone.now())))


def waiting_tenants(now: datetime) -> list[UUID]:
    """Active tenants with an hour that is over and not judged, or a violation since yesterday: one statement."""
    over = (now - GRACE).replace(minute=0, second=0, microsecond=0)
    judged = ActivityWatch.objects.using("system").filter(tenant=OuterRef("pk"), judged_until__gte=over)
    violated = AuditEvent.objects.using("system").filter(
        tenant_id=OuterRef("pk"), type=EventType.POLICY_VIOLATED.value, time__gte=now - timedelta(days=2)
    )
    tenants = Tenant.objects.using("system").filter(~Exists(judged) | Exists(violated), is_active=True)
    return list(tenants.order_by("pk").values_list("pk", flat=True))


def watch(tenant_id: UUID) -> int:
    """Look at one; what goes wrong is logged, and tried again with the next turn. No scope may be open."""
    try:
        return watch_violations(tenant_id) + watch_tenant(tenant_id)
    except (VaultError, DatabaseError):
        logger.exception("the activity of %s could not be looked at", tenant_id)
        return 0
