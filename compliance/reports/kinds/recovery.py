"""The report on backups and drills: whether the vault could be brought back, how fast and how much of it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from compliance.models import BackupRun, BackupStatus, DrillStatus, RestoreDrill
from compliance.reports.kind import Ask, Measure, Number, ReportKind, Row
from compliance.reports.pages import in_pages

BACKUP: Final = "backup"
DRILL: Final = "drill"
_COLUMNS: Final = (
    *("entry", "id", "backup_id", "ended_at", "result", "snapshot_at", "hours_since_backup", "datasets", "objects"),
    *("new_objects", "bytes", "missing_objects", "holds_keys", "removed_at", "versions", "records", "mismatches"),
    *("erasures_replayed", "rto_seconds", "rpo_seconds", "error"),
)
_HOUR: Final = 3600
#: Finds the backups of which no object was missing.
_WHOLE: Final = "type=data.backup.completed&severity=info"


def _runs(ask: Ask) -> Iterator[Row]:
    yield from _backups(ask)
    found = RestoreDrill.objects.filter(finished_at__gte=ask.since, finished_at__lt=ask.until)
    yield from in_pages(ask, lambda: found, lambda page: [_drill(one) for one in page])


def _backups(ask: Ask) -> Iterator[Row]:
    with ask.scope():
        earlier = BackupRun.objects.filter(finished_at__lt=ask.since, status=BackupStatus.SUCCEEDED)
        last = earlier.order_by("-finished_at").values_list("finished_at", flat=True).first()

    def shown(page: list[BackupRun]) -> list[Row]:
        nonlocal last
        rows = []
        for one in page:
            rows.append(_backup(one, last))
            last = one.finished_at if one.status == BackupStatus.SUCCEEDED else last
        return rows

    found = BackupRun.objects.filter(finished_at__gte=ask.since, finished_at__lt=ask.until)
    yield from in_pages(ask, lambda: found, shown)


def _backup(one: BackupRun, last: datetime | None) -> Row:
    """``last`` is when the complete backup before it ended."""
    hours = round((one.finished_at - last).total_seconds() / _HOUR) if last else None
    return (
        *(BACKUP, str(one.pk), one.backup_id, one.finished_at, f"{BACKUP} {one.status}", one.snapshot_at, hours),
        *(one.dataset_count, one.object_count, one.new_object_count, one.object_bytes, one.missing_count),
        *("yes" if one.has_keys else "no", one.expired_at, None, None, None, None, None, None, one.error_code or None),
    )


def _drill(one: RestoreDrill) -> Row:
    """Of a drill that failed no time counts: nothing was brought back in it."""
    is_passed = one.status == DrillStatus.PASSED
    times = (one.rto_seconds, one.rpo_seconds) if is_passed else (None, None)
    return (
        *(DRILL, str(one.pk), one.backup_id, one.finished_at, f"{DRILL} {one.status}", None, None, one.dataset_count),
        *(None, None, None, None, None, None, one.version_count, one.record_count, one.mismatch_count),
        *(one.replayed_count, *times, one.error_code or None),
    )


KINDS: Final = (
    ReportKind(
        code="soc2_recovery",
        title="Backup and recovery",
        about=(
            "Every backup that holds the organization's data and every drill that restored one into an empty vault: "
            "what was compared, what was erased again, how long it took and how old the state was that came back."
        ),
        maps_to=("SOC 2 A1.2", "SOC 2 A1.3", "SOC 2 CC7.5", "HIPAA 164.308(a)(7)(ii)", "GDPR Art. 32(1)(c)"),
        columns=_COLUMNS,
        rows=_runs,
        breakdowns=("result", "error"),
        measures=(
            Measure(
                "Complete backups", "result", frozenset({f"{BACKUP} {BackupStatus.SUCCEEDED}"}),
                _WHOLE,
            ),
            Measure(
                "Backups with objects missing", "result", frozenset({f"{BACKUP} {BackupStatus.INCOMPLETE}"}),
                "type=data.backup.completed&severity=warning",
            ),
            Measure("Backups that failed", "result", frozenset({f"{BACKUP} {BackupStatus.FAILED}"}), None),
            Measure("Drills passed", "result", frozenset({f"{DRILL} {DrillStatus.PASSED}"}), None),
            Measure("Drills failed", "result", frozenset({f"{DRILL} {DrillStatus.FAILED}"}), None),
        ),
        numbers=(
            Number("Seconds to restore (RTO), median", "rto_seconds", "median", None),
            Number("Seconds to restore (RTO), most", "rto_seconds", "most", None),
            Number("Seconds of changes lost (RPO), median", "rpo_seconds", "median", None),
            Number("Seconds of changes lost (RPO), most", "rpo_seconds", "most", None),
            Number("Hours between complete backups, most", "hours_since_backup", "most", _WHOLE),
            Number("Erasures done again in drills", "erasures_replayed", "total", None),
        ),
        time="ended_at",
        query="type=data.backup.*",
        notes=(
            "RTO and RPO are measured in the drills that passed.",
            "RTO is how long the whole restore took, RPO how old the state was that it brought back.",
            "No event tells of a drill, or of a backup that was not made: their ids are in the rows.",
        ),
        needs=("backup.read",),
        scopes=(),
        page_columns=(
            *("result", "backup_id", "ended_at", "snapshot_at", "hours_since_backup", "datasets", "objects", "bytes"),
            *("missing_objects", "versions", "records", "mismatches", "erasures_replayed", "rto_seconds"),
            *("rpo_seconds", "error"),
        ),
    ),
)  # fmt: skip
