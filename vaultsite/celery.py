"""The Celery application; importing it configures tasks and the beat schedule from Django's settings."""

import os

from celery import Celery
from celery.signals import worker_process_init

from vaultsite.kernel.crypto.keys import forbid_core_dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")

app = Celery("vaultsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def protect_worker(**_: object) -> None:
    """Workers hold keys and records in memory."""
    forbid_core_dumps()
