"""What an organization sees of the backups it is in, and of the drills that tried them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from compliance.models import BackupRun, BackupStatus, DrillStatus, RestoreDrill

#: A backup older than this is late: one a day is what the guide sets up.
BACKUP_AGE: Final = timedelta(hours=26)
#: A drill older than this says nothing of today's backups.
DRILL_AGE: Final = timedelta(days=30)


def list_backups(*, limit: int, after: UUID | None = None) -> list[BackupRun]:
    """At most ``limit`` backups, the newest first, following the one of id ``after``."""
    rows = BackupRun.objects.order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


def list_drills(*, limit: int, after: UUID | None = None) -> list[RestoreDrill]:
    """At most ``limit`` drills, the newest first, following the one of id ``after``."""
    rows = RestoreDrill.objects.order_by("-id")
    return list((rows.filter(pk__lt=after) if after else rows)[:limit])


@dataclass(frozen=True)
class Readiness:
    """Whether the vault could be brought back: the newest good backup and drill, and what to do where one is late.

    ``advice`` is empty when there is nothing to do.
    """

    backup: BackupRun | None
    drill: RestoreDrill | None
    backup_age: timedelta | None
    drill_age: timedelta | None
    advice: tuple[str, ...]


def readiness(now: datetime | None = None) -> Readiness:
    """In an open scope, of its organization."""
    now = now or timezone.now()
    backup = BackupRun.objects.filter(status=BackupStatus.SUCCEEDED, expired_at=None).order_by("-snapshot_at").first()
    drill = RestoreDrill.objects.order_by("-finished_at").first()
    backup_age = now - backup.snapshot_at if backup is not None and backup.snapshot_at else None
    drill_age = now - drill.finished_at if drill is not None else None
    return Readiness(backup, drill, backup_age, drill_age, tuple(_advice(backup_age, drill, drill_age)))


def has_passed_drill(*, within: timedelta, now: datetime | None = None) -> bool:
    """Whether a drill that ended no longer ago than ``within`` passed for the organization of the open scope."""
    until = now or timezone.now()
    return RestoreDrill.objects.filter(status=DrillStatus.PASSED, finished_at__range=(until - within, until)).exists()


def _advice(backup_age: timedelta | None, drill: RestoreDrill | None, drill_age: timedelta | None) -> list[str]:
    found = []
    if backup_age is None:
        found.append("There is no complete backup: ask the operator to run manage.py backup, and to do so every day.")
    elif backup_age > BACKUP_AGE:
        found.append("The newest complete backup is more than a day old: ask the operator why no other was made.")
    if drill is None or drill_age is None:
        found.append("No backup was ever tried: ask the operator to run manage.py restore --drill.")
    elif drill.status != DrillStatus.PASSED:
        found.append("The last drill failed: a restore might fail as well. Ask the operator to find out why.")
    elif drill_age > DRILL_AGE:
        found.append("The last drill is more than a month old: ask the operator to run another.")
    return found
