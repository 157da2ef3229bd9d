"""Assertions of the journeys' own modules say what they saw; their workers find no work that other tests left."""

import pytest
from django.apps import apps
from django.utils import timezone

from vaultsite.celery import app
from vaultsite.kernel.jobs import JobStatus, LongRunning

pytest.register_assert_rewrite("tests.journeys.jobs", "tests.journeys.vault")


@pytest.fixture(autouse=True)
def no_work_of_others(vault_database: None) -> None:
    """Jobs that other tests asked for and nobody did are ended: a worker would do them first, or die in them."""
    for model in apps.get_models():
        if issubclass(model, LongRunning):
            left = model._default_manager.using("system").filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING))
            left.update(status=JobStatus.CANCELLED, finished_at=timezone.now())
    app.control.purge()
