"""The background work of compliance."""

from uuid import UUID

from celery import shared_task

from compliance.retention.plan import plan_runs
from compliance.retention.run import run_retention


@shared_task(name="compliance.run_retention")
def continue_retention(tenant_id: str, run_id: str) -> None:
    """Continue a retention run with what has no step yet."""
    run_retention(UUID(tenant_id), UUID(run_id))


@shared_task(name="compliance.plan_retention")
def queue_due_retention() -> int:
    """Queue the retention runs that are due; returns how many."""
    return plan_runs()
