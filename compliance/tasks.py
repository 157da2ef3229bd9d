"""The background work of compliance."""

from uuid import UUID

from celery import shared_task

from compliance.incidents.deadlines import watch_all
from compliance.incidents.scope_work import compute_scope


@shared_task(name="compliance.compute_scope")
def continue_scope(tenant_id: str, scope_id: str) -> None:
    """Continue the scope of an incident from its checkpoint."""
    compute_scope(UUID(tenant_id), UUID(scope_id))


@shared_task(name="compliance.watch_incidents", ignore_result=True, expires=300)
def watch_incidents() -> int:
    """Tell of clocks of incidents that run out soon or have run out; returns of how many."""
    return watch_all()
