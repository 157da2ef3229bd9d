"""Monthly partitions of the audit, made before they are needed."""

from datetime import date
from typing import Final

from django.db import connections, transaction

#: How long DDL waits for a lock before it gives way to those who write events.
LOCK_TIMEOUT: Final = "4s"
_CREATE: Final = "SELECT audit_create_partition(%s::date)"
_SET_LOCK_TIMEOUT: Final = "SELECT set_config('lock_timeout', %s, true)"


def months_from(day: date, *, ahead: int) -> list[date]:
    """The first days of the month of ``day`` and of the ``ahead`` months after it."""
    months = range(day.year * 12 + day.month - 1, day.year * 12 + day.month + ahead)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def create_partition(month: date) -> bool:
    """Make the partition of the month of that day, as the owner; False when there is one already.

    One transaction each, so that locks are held briefly. Raises IntegrityError when events of that month already lie
    in the DEFAULT partition, OperationalError when the lock is not to be had.
    """
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(_SET_LOCK_TIMEOUT, [LOCK_TIMEOUT])
        cursor.execute(_CREATE, [month])
        row = cursor.fetchone()
    return bool(row and row[0])
