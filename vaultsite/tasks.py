"""Tasks that belong to no app."""

from celery import shared_task

from vaultsite.kernel import jobs


@shared_task(name="vaultsite.reap_jobs")
def reap_jobs() -> int:
    """Wake workers for jobs whose message or worker died; returns how many."""
    return len(jobs.reap())
