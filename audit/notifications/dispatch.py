"""Events become notifications: the people whom each concerns are found in their tenant, and told."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError
from django.db.models.functions import Now
from django.urls import NoReverseMatch, reverse

from access.models import Lease, Tenant
from audit.models import AuditEvent, Notification, PendingNotice
from audit.notifications.kinds import ENDING
from audit.notifications.notify import notify
from audit.notifications.people import holders_of
from audit.notifications.told import TOLD, Told
from audit.selectors import read_body
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Events of one tenant in one transaction.
BATCH: Final = 200
#: A lease that ends sooner is announced, once.
SOON: Final = timedelta(days=3)
#: How long notifications are kept.
KEPT: Final = timedelta(days=90)
logger = logging.getLogger("vault.notifications")


def tell_pending() -> int:
    """Tell what the relay has noted, tenant by tenant; returns how many events were dealt with.

    One tenant that fails does not keep the others waiting: what it has stays for the next time.
    """
    waiting = PendingNotice.objects.using("system").values_list("tenant_id", flat=True).distinct()
    total = 0
    for tenant_id in list(waiting):
        try:
            with tenant_scope(tenant_id, Principal.system(tenant_id)):
                total += _tell_batch()
        except (VaultError, DatabaseError) as error:
            logger.warning("notifications of a tenant wait: %s", getattr(error, "code", type(error).__name__))
    return total


def tell_of(event: AuditEvent) -> int:
    """Tell whom an event concerns, in the tenant's scope; returns how many people were told."""
    told, body = TOLD[event.type], read_body(event)
    people = holders_of(told.permission) if told.permission else _person(body, told.person)
    return notify(
        people - {event.actor_id} - _person(body, told.suspect),
        kind=told.kind,
        cause=str(event.pk),
        subject=told.subject,
        url=_url(told, body),
        is_critical=event.severity == "critical",
    )


def announce_endings() -> int:
    """Tell people of leases that end within SOON, once each; returns how many were told.

    One that began less than SOON ago was short from the beginning, and its holder knows.
    """
    total = 0
    tenants = Tenant.objects.using("system").filter(is_active=True).values_list("pk", flat=True)
    for tenant_id in list(tenants):
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            ending = Lease.objects.live().filter(expires_at__lt=Now() + SOON, starts_at__lt=Now() - SOON)
            for lease in ending.filter(holder_kind="user").only("id", "holder", "expires_at"):
                total += notify(
                    {lease.holder},
                    kind=ENDING,
                    cause=f"lease:{lease.pk}:{lease.expires_at:%Y-%m-%d}",
                    subject="Access of yours to a dataset ends soon",
                    url=reverse("admin:access_mine"),
                )
    return total


def forget_old() -> int:
    """Delete notifications older than KEPT, as vault_system; returns how many."""
    deleted, _ = Notification.objects.using("system").filter(created_at__lt=Now() - KEPT).delete()
    return deleted


def _tell_batch() -> int:
    notices = list(PendingNotice.objects.order_by("id")[:BATCH])
    if not notices:
        return 0
    times = [notice.event_time for notice in notices]
    noted = [notice.event_id for notice in notices]
    for event in AuditEvent.objects.filter(id__in=noted, time__range=(min(times), max(times))):
        if event.type in TOLD:  # a release before this one may have told of others
            tell_of(event)
    PendingNotice.objects.filter(pk__in=[notice.pk for notice in notices]).delete()
    return len(notices)


def _person(body: Mapping[str, Any], member: str) -> set[UUID]:
    try:
        return {UUID(str(body["metadata"].get(member, "")))}
    except ValueError:
        return set()


def _url(told: Told, body: Mapping[str, Any]) -> str:
    """The page that shows it; the home page where the event names none."""
    resource, place = body["resource"], told.place
    named = resource.get(place.partition(".")[2]) if place.startswith("resource.") else body["metadata"].get(place)
    try:
        return reverse(f"admin:{told.page}", args=[named] if place else None)
    except NoReverseMatch:
        return reverse("admin:index")
