"""How long a report over a million events takes its worker, and how much memory."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from access.models import Tenant
from compliance.models import Report, ReportFormat
from compliance.reports.request import Wanted, create_report
from tests.benchmarks.audit_load import DAYS, Loaded, load_month
from tests.benchmarks.figures import Figure, Plan
from tests.factories.access import principal_with, rooted
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Of the events of a month, those that a report on access is made of: the others are of signing in and of the vault.
_OF_ACCESS: Final = 0.83


@dataclass(frozen=True)
class Written:
    """What writing one report took its process: megabytes before and at the peak, seconds by the clock and its own."""

    idle_mb: float
    peak_mb: float
    seconds: float
    own_seconds: float
    rows: int


def measure_reports(plan: Plan) -> list[Figure]:
    """``report_1m_s`` and ``report_peak_mb``: the report on access in each format, each by a process of its own."""
    events = round(plan.large / _OF_ACCESS * DAYS / (DAYS - 1))
    month = load_month(f"reports-{uuid7().hex[-12:]}", events, seed=plan.seed)
    until = datetime.now(UTC)  # the month has events of the rest of today: whoever asks later would be told of more
    took = {form: _write(month, form, until) for form in ReportFormat}
    slowest = max(took.values(), key=lambda one: one.seconds)
    largest = max(took.values(), key=lambda one: one.peak_mb)
    assert {one.rows for one in took.values()} == {slowest.rows}
    note = "by the clock, own processor, peak: " + "; ".join(
        f"{form.label} {one.seconds:.1f} s, {one.own_seconds:.1f} s, {one.peak_mb:.0f} MB" for form, one in took.items()
    )
    note += "; peak: largest resident set of a process of its own, baseline: before its first row"
    return [
        Figure("report_1m_s", slowest.seconds, "s", 30, slowest.rows, plan.seed, note),
        Figure("report_peak_mb", largest.peak_mb, "MB", largest.idle_mb, slowest.rows, plan.seed, note),
    ]


def _write(month: Loaded, form: ReportFormat, until: datetime) -> Written:
    tenant = Tenant.objects.using("system").get(pk=month.tenant_id)
    asker = rooted(tenant, principal_with(tenant, "auditor"))
    with tenant_scope(month.tenant_id, asker):
        wanted = Wanted("access_summary", form, since=month.since, until=until)
        report = create_report(asker, wanted)
    command = [sys.executable, "-m", "tests.benchmarks.report_worker", str(month.tenant_id), str(report.pk)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # its errors go to ours
    with tenant_scope(month.tenant_id, asker):
        report = Report.objects.get(pk=report.pk)
    assert report.status == "succeeded", report.error
    return Written(*map(float, done.stdout.split()), rows=report.row_count)
