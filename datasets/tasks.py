"""Celery tasks: each only names the work; the truth is in the rows."""

from uuid import UUID

from celery import shared_task

from datasets.services.sweep import sweep_blobs
from datasets.services.write import run_ingest


@shared_task(name="datasets.run_ingest")
def continue_ingest(tenant_id: str, ingest_id: str) -> None:
    """Continue an ingest from its checkpoint."""
    run_ingest(UUID(tenant_id), UUID(ingest_id))


@shared_task(name="datasets.sweep_blobs")
def remove_unowned_blobs() -> int:
    """Remove dead and abandoned objects; returns how many."""
    return sweep_blobs()
