"""Whether the time can be trusted: a clock that jumps must not make data go early."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models.functions import Now
from django.utils import timezone

from access.services.authorize import authorize
from access.services.clock import database_now
from audit.alerts.open import raise_alert, resolve_cause
from audit.models import AuditEvent
from compliance.errors.retention import ClockNotSuspected
from compliance.models import RetentionClock, RetentionRun
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import JobStatus, enqueue
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

ALERT: Final = "retention.clock"
#: Runs are a day apart: a longer gap is a clock that jumped forward, or a vault that stood still.
LONGEST_GAP: Final = timedelta(hours=26)
#: The clocks of the database and of the worker may differ by so much.
TOLERANCE: Final = timedelta(minutes=10)
#: How far back the newest event is looked for.
_LOOKED: Final = timedelta(days=400)


def suspicion(seen_at: datetime, now: datetime, *, worker_now: datetime, newest_event: datetime | None) -> str:
    """Why the database's time ``now`` is not to be acted on; empty: it is.

    ``seen_at`` is the database's time at the run before, ``worker_now`` the clock of the process that asks,
    ``newest_event`` the time of the newest event on record that nobody has explained yet.
    """
    if now < seen_at or (newest_event is not None and now < newest_event - TOLERANCE):
        return "back"
    if abs(now - worker_now) > TOLERANCE:
        return "apart"
    return "gap" if now - seen_at > LONGEST_GAP else ""


def trust_clock() -> bool:
    """Inside the scope of a run: remember the time and go on, or raise an alert and wait for somebody to confirm it."""
    RetentionClock.objects.get_or_create(tenant_id=current_tenant_id())
    clock = RetentionClock.objects.select_for_update().get()
    now = database_now()
    why = suspicion(clock.seen_at, now, worker_now=timezone.now(), newest_event=_unexplained(clock, now))
    if not why and clock.suspected_at is None:
        RetentionClock.objects.filter(pk=clock.pk).update(seen_at=Now())
        return True
    if clock.suspected_at is None:
        RetentionClock.objects.filter(pk=clock.pk).update(suspected_at=Now(), suspicion=why)
        facts = {"suspicion": why, "seen_at": clock.seen_at.isoformat(), "now": now.isoformat()}
        raise_alert(kind=ALERT, cause="clock", severity="critical", facts=facts)
    return False


def is_trusted() -> bool:
    """Inside any scope: whether a run would trust the time now. Nothing is written: the next run raises the alert.

    A tenant that never had a policy has no minimum to lose, and nobody watches its time.
    """
    clock = RetentionClock.objects.first()
    if clock is None:
        return True
    now = database_now()
    why = suspicion(clock.seen_at, now, worker_now=timezone.now(), newest_event=_unexplained(clock, now))
    return not why and clock.suspected_at is None


def confirm_clock(principal: Principal) -> RetentionClock:
    """Say that the database's time is right as it is: the run that waits goes on, and the next ones compare with now.

    Raises AccessDenied, StepUpRequired, ClockNotSuspected.
    """
    authorize(principal, "retention.manage", ResourceRef("retention_clock"), facts={"change": "confirm"})
    clock = RetentionClock.objects.select_for_update().first()
    if clock is None or clock.suspected_at is None:
        raise ClockNotSuspected
    newest = _newest_event(database_now())
    RetentionClock.objects.filter(pk=clock.pk).update(
        events_until=newest,
        seen_at=Now(),
        suspected_at=None,
        suspicion="",
        confirmed_by=principal.id,
        confirmed_at=Now(),
    )
    resolve_cause(ALERT, "clock")
    for run in RetentionRun.objects.filter(status=JobStatus.QUEUED):
        RetentionRun.objects.filter(pk=run.pk).update(lease_until=Now())
        enqueue(run)
    clock.refresh_from_db()
    return clock


def _unexplained(clock: RetentionClock, now: datetime) -> datetime | None:
    """The newest event, unless it was on record already when somebody last confirmed the time."""
    newest = _newest_event(now)
    explained = clock.events_until
    return None if newest is None or (explained is not None and newest <= explained) else newest


def _newest_event(now: datetime) -> datetime | None:
    """Of those on record up to now and a year beyond: partitions of months far away are not opened."""
    rows = AuditEvent.objects.filter(time__range=(now - _LOOKED, now + _LOOKED)).order_by("-time")
    return rows.values_list("time", flat=True).first()
