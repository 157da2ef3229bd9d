"""The background work of compliance."""

from uuid import UUID

from celery import shared_task

from compliance.reports.request import expire_reports
from compliance.reports.work import run_report


@shared_task(name="compliance.run_report")
def continue_report(tenant_id: str, report_id: str) -> None:
    """Write a report."""
    run_report(UUID(tenant_id), UUID(report_id))


@shared_task(name="compliance.expire_reports", ignore_result=True, expires=300)
def remove_expired_reports() -> int:
    """Remove the files of reports past their time; returns of how many."""
    return expire_reports()
