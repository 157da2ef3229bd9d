"""The Celery application; importing it configures tasks and the beat schedule from Django's settings."""

import os

from celery import Celery
from celery.signals import after_task_publish, beat_init, heartbeat_sent, worker_process_init

from vaultsite.kernel.crypto.keys import forbid_core_dumps
from vaultsite.kernel.life import show_life

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")

app = Celery("vaultsite")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def protect_worker(**_: object) -> None:
    """Workers hold keys and records in memory."""
    forbid_core_dumps()


@heartbeat_sent.connect
def show_worker(**_: object) -> None:
    """The worker's main process runs, whatever its children are busy with."""
    show_life("worker")


@beat_init.connect
def show_beat(**_: object) -> None:
    """Beat lives as long as what it plans reaches the queue."""
    after_task_publish.connect(_show_planning)


def _show_planning(**_: object) -> None:
    show_life("beat")
