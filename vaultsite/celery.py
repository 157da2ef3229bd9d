"""The Celery application; importing it configures tasks and the beat schedule from Django's settings."""

import os

from celery import Celery

from vaultsite.kernel import jobs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")

app = Celery("vaultsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="vaultsite.reap_jobs")
def reap_jobs() -> int:
    """Wake workers for jobs whose message or worker died; returns how many."""
    return len(jobs.reap())
