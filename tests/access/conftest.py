"""Fixtures of the tests of access."""

from collections.abc import Iterator

import pytest

from vaultsite.kernel.events import buffer
from vaultsite.kernel.events.event import Recorded


@pytest.fixture
def events() -> Iterator[list[Recorded]]:
    """Every event stored while the test runs, through a sink beside the audit's."""
    seen: list[Recorded] = []
    sink = seen.extend
    buffer.register_sink(sink)
    yield seen
    buffer._sinks.remove(sink)
