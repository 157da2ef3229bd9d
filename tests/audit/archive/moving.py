"""Old months of a log, and maintenance as of a day long ago: no other test has events of these years."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from audit.archive.months import Archived, archive_months
from audit.archive.removal import remove_archived_months
from audit.log.sealer import seal_tenant
from audit.models import AuditArchivePart
from audit.proofs.months import bounds_of, drop_partition, month_locked, months_online
from audit.proofs.retention import Dropped
from audit.services.partitions import create_partition
from tests.audit.proofs.logs import grow, tamper
from tests.factories.audit import make_event, make_principal, moment, record
from vaultsite.kernel.events.event import Event
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Months of 2009 to 2012, one for each test.
_NUMBERS: Iterator[int] = count()
FIRST, TODAY = date(2009, 1, 1), date(2014, 6, 15)


def next_month() -> date:
    """A month of its own, with a partition."""
    number = next(_NUMBERS)
    if number == 0:
        forget_months()
    month = date(2009 + number // 12, number % 12 + 1, 1)
    create_partition(month)
    return month


def forget_months() -> None:
    """Take away what a test left of these years: other tests look at every old month.

    Also what an earlier run left in the same databases: leaves stay where an archived month's events went.
    """
    AuditArchivePart.objects.using("owner").filter(month__lt=TODAY).delete()
    for month in months_online(before=TODAY.replace(day=1)):
        first, following = bounds_of(month)
        tamper("DELETE FROM audit_event WHERE time >= %s AND time < %s", first, following)
        with month_locked(month):
            drop_partition(month)
    tamper("DELETE FROM audit_leaf WHERE event_time >= %s AND event_time < %s", midnight(FIRST), midnight(TODAY))


def happened(tenant_id: UUID, month: date, events: int = 3, **facts: Any) -> list[Event]:
    """Events of that month, sealed, and a younger part of the log under a witnessed checkpoint."""
    noon = moment(f"{month.isoformat()}T12:00:00+00:00")
    made = [make_event(time=noon + timedelta(minutes=number), **facts) for number in range(events)]
    record(tenant_id, *made)
    seal_tenant(tenant_id, window=None)
    grow(tenant_id)
    return made


def archive(month: date) -> Archived:
    """What maintenance says of the month; those of other tests are gone by then."""
    (said,) = [one for one in archive_months(online=3, today=TODAY) if one.month == month]
    return said


def remove(month: date, *, keep: int = 12) -> list[Dropped]:
    return [one for one in remove_archived_months(keep=keep, today=TODAY) if one.month == month]


def parts_of(tenant_id: UUID) -> list[AuditArchivePart]:
    with tenant_scope(tenant_id, make_principal(tenant_id)):
        return list(AuditArchivePart.objects.order_by("month", "number"))


def at(month: date, minute: int) -> datetime:
    return moment(f"{month.isoformat()}T12:{minute:02}:00+00:00")


def midnight(day: date) -> datetime:
    return moment(f"{day.isoformat()}T00:00:00+00:00")
