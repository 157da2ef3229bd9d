"""How long a report over a million events takes its worker, and how much memory."""

import subprocess
import sys
from typing import Final

from access.models import Tenant
from compliance.models import Report, ReportFormat
from compliance.reports.request import Wanted, create_report
from tests.benchmarks.audit_load import Loaded, load_month
from tests.benchmarks.figures import Figure, Plan
from tests.factories.access import principal_with, rooted
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Of the events of a month, those that a report on access is made of: the others are of signing in and of the vault.
_OF_ACCESS: Final = 0.83


def measure_reports(plan: Plan) -> list[Figure]:
    """``report_1m_s`` and ``report_peak_mb``: the report on access in each format, each by a process of its own."""
    month = load_month(f"reports-{uuid7().hex[-12:]}", round(plan.large / _OF_ACCESS), seed=plan.seed)
    took = {form: _write(month, form) for form in ReportFormat}
    slowest = max(took, key=lambda form: took[form][2])
    largest = max(took, key=lambda form: took[form][1])
    rows = took[slowest][3]
    assert {one[3] for one in took.values()} == {rows}
    note = f"{rows:,} rows; " + ", ".join(f"{form.label} {one[2]:.1f} s {one[1]:.0f} MB" for form, one in took.items())
    note += f"; slowest: {slowest.label}; peak: ru_maxrss of a process of its own, baseline: before its first row"
    return [
        Figure("report_1m_s", took[slowest][2], "s", 30, rows, plan.seed, note),
        Figure("report_peak_mb", took[largest][1], "MB", took[largest][0], rows, plan.seed, note),
    ]


def _write(month: Loaded, form: ReportFormat) -> tuple[float, float, float, int]:
    """Megabytes before and at the peak, seconds, and rows."""
    tenant = Tenant.objects.using("system").get(pk=month.tenant_id)
    asker = rooted(tenant, principal_with(tenant, "auditor"))
    with tenant_scope(month.tenant_id, asker):
        wanted = Wanted("access_summary", form, since=month.since, until=month.until)
        report = create_report(asker, wanted)
    command = [sys.executable, "-m", "tests.benchmarks.report_worker", str(month.tenant_id), str(report.pk)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # its errors go to ours
    idle, peak, seconds = map(float, done.stdout.split())
    with tenant_scope(month.tenant_id, asker):
        report = Report.objects.get(pk=report.pk)
    assert report.status == "succeeded", report.error
    return idle, peak, seconds, report.row_count
