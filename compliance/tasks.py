"""The background work of compliance."""

from uuid import UUID

from celery import shared_task

from compliance.posture.run import plan_probes, run_probes


@shared_task(name="compliance.run_probes")
def continue_probes(tenant_id: str, run_id: str) -> None:
    """Run what is left of a run's probes."""
    run_probes(UUID(tenant_id), UUID(run_id))


@shared_task(name="compliance.plan_probes", ignore_result=True, expires=600)
def queue_due_probes() -> int:
    """Queue the probes of tenants that are due; returns of how many."""
    return plan_probes()
