"""What a month of events holds, and who outside signed for it: what has to hold before its events may go anywhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from django.db import connections, transaction
from psycopg import sql

from audit.log.errors import WitnessUnavailable
from audit.log.keys import origin_of
from audit.log.witnesses.base import Witness
from audit.log.witnesses.enlisted import enlisted_witnesses
from audit.models import AuditCheckpoint
from audit.proofs.heads import Trust
from audit.services.partitions import LOCK_TIMEOUT, months_from

#: Checkpoints a witness is asked for before it counts as holding none.
_TRIES: Final = 3

_MONTHS: Final = """
    SELECT to_date(right(child.relname, 7), 'YYYY_MM') FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
     WHERE inhparent = 'audit_event'::regclass AND child.relname ~ '^audit_event_[0-9]{4}_[0-9]{2}$' ORDER BY 1
"""
_CONTENT: Final = """
    SELECT coalesce(e.tenant_id, l.tenant_id), count(e.id), count(l.seq),
           count(*) FILTER (WHERE l.leaf = sha256('\\x00'::bytea || e.body)),
           coalesce(min(l.seq), 0), coalesce(max(l.seq), 0)
      FROM (SELECT tenant_id, id, time, body FROM audit_event WHERE time >= %(first)s AND time < %(next)s) e
      FULL JOIN (SELECT tenant_id, event_id, event_time, seq, leaf FROM audit_leaf
                  WHERE event_time >= %(first)s AND event_time < %(next)s) l
        ON l.tenant_id = e.tenant_id AND l.event_id = e.id AND l.event_time = e.time
     GROUP BY 1 ORDER BY 1
"""
_LOCK: Final = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE")
_DROP: Final = "SELECT audit_drop_partition(%s::date)"
#: Of pg_try_advisory_lock; a number of our own choice.
_MAINTENANCE: Final = 5_238_119_004_077_133_102
_ALONE: Final = "SELECT pg_try_advisory_lock(%s)"
_NO_LONGER_ALONE: Final = "SELECT pg_advisory_unlock(%s)"
_SET_LOCK_TIMEOUT: Final = "SELECT set_config('lock_timeout', %s, true)"


@dataclass(frozen=True)
class MonthOfTenant:
    """An organization's month: its events, its leaves, how many events are sealed as they are, first and last leaf."""

    tenant_id: UUID
    events: int
    leaves: int
    sealed: int
    first_seq: int
    last_seq: int


@dataclass(frozen=True)
class Cover:
    """Who outside holds which checkpoint over all of them."""

    witness: str
    size: int


def months_online(*, before: date) -> list[date]:
    """The months before that one whose events lie in the database, the oldest first; as the owner."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_MONTHS)
        return [month for (month,) in cursor.fetchall() if month < before]


@contextmanager
def working_alone() -> Iterator[bool]:
    """Yield whether nobody else moves or removes archived months; until the end of the block, or of the process."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_ALONE, [_MAINTENANCE])
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute(_NO_LONGER_ALONE, [_MAINTENANCE])


@contextmanager
def month_locked(month: date) -> Iterator[None]:
    """A transaction of the owner in which nobody else writes into the month. Raises OperationalError."""
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(_SET_LOCK_TIMEOUT, [LOCK_TIMEOUT])
        cursor.execute(_LOCK.format(sql.Identifier(f"audit_event_{month:%Y_%m}")))
        yield


def drop_partition(month: date) -> None:
    """Take the events of a month off the database, inside ``month_locked``."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_DROP, [month])


def bounds_of(month: date) -> tuple[datetime, datetime]:
    """The first moment of a month and that of the next, UTC."""
    first, following = (datetime(one.year, one.month, 1, tzinfo=UTC) for one in months_from(month, ahead=1))
    return first, following


def content_of(month: date) -> list[MonthOfTenant]:
    """What each organization has in a month, as the owner."""
    first, following = bounds_of(month)
    with connections["owner"].cursor() as cursor:
        cursor.execute(_CONTENT, {"first": first, "next": following})
        return [MonthOfTenant(*row) for row in cursor.fetchall()]


def lack_of(part: MonthOfTenant) -> str:
    """Why these events may not go; retention is no way to get rid of the traces of a deletion."""
    if part.sealed < part.events:
        return f"{part.events - part.sealed} events are not sealed as they are stored"
    return f"{part.leaves - part.events} leaves have lost their event" if part.leaves > part.events else ""


def cover_of(part: MonthOfTenant) -> Cover | None:
    """The first witness that gives a checkpoint over these events back, as the vault signed it."""
    trust = Trust.of(part.tenant_id)
    checkpoints = AuditCheckpoint.objects.using("owner").filter(tenant_id=part.tenant_id, size__gt=part.last_seq)
    for checkpoint in checkpoints.order_by("size")[:_TRIES]:
        for witness in enlisted_witnesses():
            note = _read(witness, part.tenant_id, checkpoint.size)
            head = trust.read(note) if note else None
            if head is not None and (head.size, head.root) == (checkpoint.size, bytes(checkpoint.root)):
                return Cover(witness.name, checkpoint.size)
    return None


def _read(witness: Witness, tenant_id: UUID, size: int) -> str | None:
    try:
        return witness.read(origin_of(tenant_id), size)
    except WitnessUnavailable:
        return None
