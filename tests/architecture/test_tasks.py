"""Every background task that anything names is there, and beat plans nothing else."""

import pytest
from django.apps import apps
from django.conf import settings

from vaultsite.celery import app

_JOBS = sorted(
    (model for model in apps.get_models() if getattr(model, "task_name", "")), key=lambda model: model.__name__
)


@pytest.fixture(scope="module")
def known() -> frozenset[str]:
    app.loader.import_default_modules()
    return frozenset(app.tasks)


@pytest.mark.parametrize("model", _JOBS, ids=lambda model: model.__name__)
def test_the_task_of_every_kind_of_job_is_registered(known, model) -> None:
    assert model.task_name in known


@pytest.mark.parametrize("name", sorted(settings.CELERY_BEAT_SCHEDULE))
def test_what_beat_plans_is_registered(known, name) -> None:
    assert settings.CELERY_BEAT_SCHEDULE[name]["task"] in known
