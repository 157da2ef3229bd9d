"""How far the sealing of the open scope's tenant is: for the dashboard, the API and alerts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.log.checkpoints import latest_checkpoint
from audit.log.sealer import LONG_GRACE
from audit.log.stored import StoredTree
from audit.log.witnesses.base import Witness
from audit.log.witnesses.enlisted import enlisted_witnesses
from audit.models import AuditEvent, AuditLeaf, OutboxEntry, WitnessReceipt
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: Waiting events are counted up to here.
MOST: Final = 10_000


@dataclass(frozen=True)
class WitnessState:
    """One witness: ``size`` of the biggest checkpoint it holds (0: none) and since when; whether that is locked there.

    ``is_locked`` false is to be shown as "no lock": whoever holds the witness can change what it holds.
    """

    name: str
    size: int
    held_at: datetime | None
    is_locked: bool


@dataclass(frozen=True)
class SealingStatus:
    """``sealed`` leaves, ``unsealed`` events that wait (counted up to MOST), seconds the oldest of them waits.

    ``checkpoint_size`` and ``last_checkpoint_at`` are of the newest checkpoint (0 and None before the first),
    ``uncovered_seconds`` the age of the oldest sealed event that it does not cover. ``is_late`` tells that events or
    checkpoints wait longer than the setting allows.
    """

    sealed: int
    unsealed: int
    oldest_unsealed_seconds: float
    checkpoint_size: int
    last_checkpoint_at: datetime | None
    uncovered_seconds: float
    witnesses: tuple[WitnessState, ...]
    is_late: bool


def sealing_status() -> SealingStatus:
    """The state of the open scope's tenant; asks the database alone, not the witnesses."""
    tenant_id, now = current_tenant_id(), timezone.now()
    sealed = StoredTree(tenant_id).size()
    since = _searched_since(tenant_id, now)
    waiting = list(_unsealed(tenant_id, since).order_by("time").values_list("time", flat=True)[:MOST])
    named_at = Coalesce("delivered_at", "event_time")
    stragglers = list(_stragglers(tenant_id, since, now).values_list(named_at, flat=True)[:MOST])
    checkpoint = latest_checkpoint(tenant_id)
    covered = checkpoint.size if checkpoint else 0
    uncovered = AuditLeaf.objects.filter(tenant_id=tenant_id, seq=covered).values_list("event_time", flat=True).first()
    ages = [_age(min([*waiting[:1], *stragglers], default=None), now), _age(uncovered, now)]
    return SealingStatus(
        sealed=sealed,
        unsealed=min(len(waiting) + len(stragglers), MOST),
        oldest_unsealed_seconds=ages[0],
        checkpoint_size=covered,
        last_checkpoint_at=checkpoint.time if checkpoint else None,
        uncovered_seconds=ages[1],
        witnesses=tuple(map(_state, enlisted_witnesses())),
        is_late=max(ages) > settings.VAULT["AUDIT_LATE_SECONDS"],
    )


def unsealed_events() -> QuerySet[AuditEvent]:
    """Events of the open scope's tenant without a leaf, as far as the sealer of every few minutes looks back."""
    tenant_id = current_tenant_id()
    return _unsealed(tenant_id, _searched_since(tenant_id, timezone.now()))


def unsealed_since() -> datetime | None:
    """The time of the oldest event of the open scope's tenant that waits for its leaf; None: nothing waits."""
    tenant_id, now = current_tenant_id(), timezone.now()
    since = _searched_since(tenant_id, now)
    waiting = _unsealed(tenant_id, since).order_by("time").values_list("time", flat=True).first()
    straggler = _stragglers(tenant_id, since, now).order_by("event_time").values_list("event_time", flat=True).first()
    return min(filter(None, (waiting, straggler)), default=None)


def _unsealed(tenant_id: UUID, since: datetime | None) -> QuerySet[AuditEvent]:
    events = AuditEvent.objects.filter(tenant_id=tenant_id)
    if since is not None:
        events = events.filter(time__gte=since)
    return events.alias(place=_place(tenant_id, "pk")).filter(place__isnull=True)


def _searched_since(tenant_id: UUID, now: datetime) -> datetime | None:
    """From when on events are searched by their own time; None in a log without leaves: since ever."""
    last = AuditLeaf.objects.filter(tenant_id=tenant_id).order_by("-seq").values_list("event_time", flat=True).first()
    return min(last, now) - LONG_GRACE if last is not None else None


def _stragglers(tenant_id: UUID, since: datetime | None, now: datetime) -> QuerySet[OutboxEntry]:
    """What the outbox says of events without a leaf that are older than ``since`` by their own clock.

    As far back as LONG_GRACE by the relay's clock: what waits longer is an alert.
    """
    if since is None:
        return OutboxEntry.objects.none()
    is_recent = Q(delivered_at__isnull=True) | Q(delivered_at__gte=now - LONG_GRACE)
    events = AuditEvent.objects.filter(tenant_id=tenant_id, pk=OuterRef("event_id"), time=OuterRef("event_time"))
    entries = OutboxEntry.objects.filter(is_recent, tenant_id=tenant_id, event_time__lt=since)
    return entries.alias(place=_place(tenant_id, "event_id")).filter(Exists(events), place__isnull=True)


def _place(tenant_id: UUID, event: str) -> Subquery:
    """The number of an event's leaf: one probe of an index, where EXISTS may be joined with every leaf there is."""
    return Subquery(AuditLeaf.objects.filter(tenant_id=tenant_id, event_id=OuterRef(event)).values("seq")[:1])


def _age(moment: datetime | None, now: datetime) -> float:
    return max((now - moment) / timedelta(seconds=1), 0.0) if moment else 0.0


def _state(witness: Witness) -> WitnessState:
    receipts = WitnessReceipt.objects.filter(tenant_id=current_tenant_id(), witness=witness.name)
    newest = receipts.select_related("checkpoint").order_by("-checkpoint__size").first()
    if newest is None:
        return WitnessState(witness.name, 0, None, is_locked=False)
    return WitnessState(witness.name, newest.checkpoint.size, newest.held_at, newest.locked_until is not None)
