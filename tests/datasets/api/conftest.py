"""A worker for those of the API's tests that wait: Celery's own, in a thread, on the real broker."""

from collections.abc import Iterator

import pytest
from celery.contrib.testing.worker import start_worker

from tests.audit.conftest import audit_failing_for  # noqa: F401 - a fixture
from vaultsite.celery import app


@pytest.fixture
def worker(vault_database: None) -> Iterator[None]:
    app.control.purge()
    with start_worker(app, pool="solo", perform_ping_check=False, shutdown_timeout=120):
        yield
