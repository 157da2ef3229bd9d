"""The background work of compliance."""

from uuid import UUID

from celery import shared_task

from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.search import forget_identifiers
from compliance.subjects.sweep import run_search


@shared_task(name="compliance.run_subject_search")
def continue_subject_search(tenant_id: str, search_id: str) -> None:
    """Continue a search for a person from its checkpoint."""
    run_search(UUID(tenant_id), UUID(search_id))


@shared_task(name="compliance.run_subject_erasure")
def continue_subject_erasure(tenant_id: str, erasure_id: str) -> None:
    """Continue the erasure of a person from its checkpoint."""
    run_subject_erasure(UUID(tenant_id), UUID(erasure_id))


@shared_task(name="compliance.forget_identifiers", ignore_result=True, expires=3600)
def forget_old_identifiers() -> int:
    """Forget the identifiers of searches past their time; returns of how many."""
    return forget_identifiers()
