"""Tasks that belong to no app."""

from celery import shared_task

from vaultsite.kernel import jobs
from vaultsite.watch import watch


@shared_task(name="vaultsite.reap_jobs")
def reap_jobs() -> int:
    """Wake workers for jobs whose message or worker died; returns how many."""
    return len(jobs.reap())


@shared_task(name="vaultsite.watch", ignore_result=True, expires=60)
def watch_surroundings() -> int:
    """Tell the audit what has stopped answering, is there again or fills up; returns how many events that took."""
    return watch()
