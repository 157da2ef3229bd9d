"""Celery tasks: each only names the work; the truth is in the rows."""

from uuid import UUID

from celery import shared_task

from anonymization.services.token_vault.resealing import run_resealing
from anonymization.services.token_vault.upkeep import expire_tokens


@shared_task(name="anonymization.run_token_resealing")
def continue_token_resealing(tenant_id: str, job_id: str) -> None:
    """Continue sealing the tokens of a key's scope anew."""
    run_resealing(UUID(tenant_id), UUID(job_id))


@shared_task(name="anonymization.expire_tokens")
def remove_expired_tokens() -> int:
    """Remove tokens past their end; returns how many."""
    return expire_tokens()
