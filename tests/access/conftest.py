"""Fixtures of the tests of access."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from vaultsite.kernel.events import buffer
from vaultsite.kernel.events.event import Recorded


class QuickArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id at a cost that lets a test guess a hundred passwords."""

    time_cost, memory_cost, parallelism = 1, 64, 1


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.{QuickArgon2PasswordHasher.__name__}"]


@pytest.fixture
def events() -> Iterator[list[Recorded]]:
    """Every event stored while the test runs, through a sink beside the audit's."""
    seen: list[Recorded] = []
    sink = seen.extend
    buffer.register_sink(sink)
    yield seen
    buffer._sinks.remove(sink)
