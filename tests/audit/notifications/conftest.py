"""Fixtures of the tests of notifications: nothing that tests before have left is told."""

import pytest
from django.db import connections

from tests.vaultsite.conftest import plain_static

__all__ = ["plain_static"]


@pytest.fixture(autouse=True)
def nothing_waits() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute("DELETE FROM audit_notification; DELETE FROM audit_pendingnotice")
