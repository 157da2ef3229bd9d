"""The writing of a report: rows go by once, are counted, digested and written; nothing holds them all."""

import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import may
from access.services.owners import owner_of
from audit.log.checkpoints import latest_checkpoint
from audit.models import AuditCheckpoint
from compliance.errors.reports import ReportNotRendered
from compliance.models import Report
from compliance.reports.encode import FILES, PDF_ROWS, RowsDigest, describe
from compliance.reports.file import Target, remove_file, remove_leftovers
from compliance.reports.kind import Ask
from compliance.reports.registry import KINDS
from compliance.reports.request import ACTION
from compliance.reports.summary import seal_summary
from compliance.reports.tally import Tally
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.turn import is_final, take_turn

_TOLD_SECONDS: Final = 2.0


def run_report(tenant_id: UUID, report_id: UUID) -> None:
    """Write a report, anew where an earlier worker was stopped: what it left is removed first."""
    take_turn(Report, tenant_id, report_id, _run, fail=_fail, ends=_is_end)


def _is_end(error: VaultError) -> bool:
    """What cannot be set once cannot be set from the same rows either."""
    return is_final(error) or isinstance(error, ReportNotRendered)


def _run(report: Report, held: Claim) -> None:
    remove_leftovers(report.pk, before=held.fence)
    kind, ask = KINDS[report.kind], _ask(report, held)
    target = Target(report, held.fence, held.scope)
    with held.scope():
        checkpoint = latest_checkpoint(held.tenant_id)
    tally = Tally(kind, sample_size=PDF_ROWS if report.format == "pdf" else 0)
    about, digest = describe(report, kind), RowsDigest()
    file = FILES[report.format](kind, target.write)
    file.begin(about)
    told = time.monotonic()
    for row in kind.rows(ask):
        tally.add(row)
        digest.add(row)
        file.add(row)
        if time.monotonic() - told > _TOLD_SECONDS:
            held.save(progress={"stage": "writing", "rows": tally.rows})
            told = time.monotonic()
    integrity = _integrity(checkpoint, digest.hexdigest(), tally.rows)
    file.end(tally, integrity)
    _finish(report, held, target, tally, integrity)


def _ask(report: Report, held: Claim) -> Ask:
    """Raises AccessDenied when who asked may not see the same elsewhere any more."""
    with held.scope():
        asker = owner_of(report.requested_by)
    if asker is None or not all(may(asker, action) for action in (ACTION, *KINDS[report.kind].needs)):
        raise AccessDenied
    return Ask(
        tenant_id=held.tenant_id,
        asker=asker,
        since=report.since,
        until=report.until,
        datasets=frozenset(map(UUID, report.scope["datasets"])),
        users=frozenset(map(UUID, report.scope["users"])),
        scope=held.scope,
    )


def _integrity(checkpoint: AuditCheckpoint | None, rows_sha256: str, rows: int) -> dict[str, Any]:
    said = "no checkpoint of the audit yet"
    if checkpoint is not None:
        said = f"audit checkpoint of {checkpoint.size} events, root {bytes(checkpoint.root).hex()}"
    return {
        "checkpoint": said,
        "checkpoint_size": checkpoint.size if checkpoint else None,
        "checkpoint_root": bytes(checkpoint.root).hex() if checkpoint else "",
        "rows": rows,
        "rows_sha256": rows_sha256,
    }


def _finish(report: Report, held: Claim, target: Target, tally: Tally, integrity: dict[str, Any]) -> None:
    sha256 = target.end()
    with held.scope():
        held.finish(
            parts=target.parts,
            size=target.size,
            sha256=sha256,
            row_count=tally.rows,
            rows_sha256=integrity["rows_sha256"],
            checkpoint_size=integrity["checkpoint_size"],
            checkpoint_root=integrity["checkpoint_root"],
            summary=seal_summary(report, tally),
            expires_at=timezone.now() + timedelta(days=settings.EXPORT_DAYS),
            progress={"stage": "done", "rows": tally.rows},
        )
        emit(_written(report, rows=tally.rows, bytes=target.size, sha256=sha256))


def _fail(report: Report, held: Claim, error: VaultError) -> None:
    with held.scope():
        held.fail(error, parts=[])
        emit(_written(report, failure=error.code))
    remove_file(report)


def _written(report: Report, *, failure: str = "", **facts: Any) -> Event:
    return Event(
        type=EventType.REPORT_WRITTEN,
        operation="write",
        status="failure" if failure else "success",
        resource=ResourceRef("report", str(report.pk)),
        failure_reason=failure,
        metadata={
            "report_type": report.kind,
            "format": report.format,
            "requested_by": str(report.requested_by),
            **facts,
        },
    )
