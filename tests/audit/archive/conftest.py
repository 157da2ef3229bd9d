"""Months of its own for each test, of which it leaves nothing."""

from collections.abc import Iterator
from datetime import date

import pytest

from tests.audit.archive.moving import forget_months, next_month
from tests.vaultsite.conftest import plain_static, quick_passwords

__all__ = ["plain_static", "quick_passwords"]


@pytest.fixture(autouse=True)
def _settings(settings) -> Iterator[None]:
    settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": 12, "AUDIT_ONLINE_MONTHS": 3}
    yield
    forget_months()


@pytest.fixture
def month() -> date:
    return next_month()
