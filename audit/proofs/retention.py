"""Months of events that retention drops: only what is proven elsewhere goes, and the log tells of it."""

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
from audit.models import AuditCheckpoint, AuditMonthDrop
from audit.ports import why_audit_kept
from audit.proofs.drops import oldest_kept
from audit.proofs.heads import Trust
from audit.services.partitions import LOCK_TIMEOUT, months_from
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

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


@dataclass(frozen=True)
class Dropped:
    """What became of a month: dropped with so many events, or kept, and why."""

    month: date
    events: int = 0
    kept_because: str = ""


def drop_old_months(*, keep: int, today: date) -> list[Dropped]:
    """Drop the months of events that ended more than ``keep`` whole months before this one, as the owner.

    Each only when it has the events of all its leaves and no other, sealed as they are stored, under a checkpoint that
    a witness gives back, and no legal hold or minimum keeps any of them; otherwise the month is kept, and said why.
    ``keep`` of 0 drops nothing. No scope may be open.
    """
    if keep <= 0:
        return []
    oldest = oldest_kept(today, keep)
    with connections["owner"].cursor() as cursor:
        cursor.execute(_MONTHS)
        months = [month for (month,) in cursor.fetchall() if month < oldest]
    return [_drop(month) for month in months]


def _drop(month: date) -> Dropped:
    content = _content(month)
    covers: dict[UUID, Cover] = {}
    for part in content:
        if lack := _lack(part):
            return Dropped(month, kept_because=lack)
        cover = _cover(part)
        if cover is None:
            return Dropped(month, kept_because="no witness holds a checkpoint over all of its events")
        covers[part.tenant_id] = cover
    with transaction.atomic(using="owner"), connections["owner"].cursor() as cursor:
        cursor.execute(_SET_LOCK_TIMEOUT, [LOCK_TIMEOUT])
        cursor.execute(_LOCK.format(sql.Identifier(f"audit_event_{month:%Y_%m}")))
        # From here on nobody writes into the month: what was looked at is what goes.
        if _content(month) != content:
            return Dropped(month, kept_because="it changed while it was looked at")
        for part in content:
            if reason := why_audit_kept(part.tenant_id, month):
                return Dropped(month, kept_because=reason)
        rows = [_told(month, part, covers[part.tenant_id]) for part in content]
        cursor.execute(_DROP, [month])
        AuditMonthDrop.objects.using("owner").bulk_create(rows)
    return Dropped(month, sum(part.events for part in content))


def _content(month: date) -> list[MonthOfTenant]:
    first, following = (datetime(one.year, one.month, 1, tzinfo=UTC) for one in months_from(month, ahead=1))
    with connections["owner"].cursor() as cursor:
        cursor.execute(_CONTENT, {"first": first, "next": following})
        return [MonthOfTenant(*row) for row in cursor.fetchall()]


def _lack(part: MonthOfTenant) -> str:
    """Why these events may not go; retention is no way to get rid of the traces of a deletion."""
    if part.sealed < part.events:
        return f"{part.events - part.sealed} events are not sealed as they are stored"
    return f"{part.leaves - part.events} leaves have lost their event" if part.leaves > part.events else ""


def _cover(part: MonthOfTenant) -> Cover | None:
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


def _told(month: date, part: MonthOfTenant, cover: Cover) -> AuditMonthDrop:
    """Tell the audit first: a drop of which the log knows nothing would be damage."""
    facts = {
        "month": f"{month:%Y-%m}",
        "events": part.events,
        "first_seq": part.first_seq,
        "last_seq": part.last_seq,
        "checkpoint_size": cover.size,
        "witness": cover.witness,
    }
    event = Event(
        EventType.AUDIT_MONTH_DROPPED,
        operation="delete",
        resource=ResourceRef("audit_log"),
        severity="warning",
        metadata=facts,
    )
    with tenant_scope(part.tenant_id, Principal.system(part.tenant_id)):
        emit(event)
    stored = {name: value for name, value in facts.items() if name != "month"}
    return AuditMonthDrop(
        tenant_id=part.tenant_id, month=month, event_id=event.id, dropped_at=datetime.now(UTC), **stored
    )
