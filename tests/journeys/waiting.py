"""Waiting for what other processes do."""

import time
from collections.abc import Callable
from typing import Any

#: Seconds: machines that run much else start workers slowly.
PATIENCE = 420.0


def until(condition: Callable[[], Any], *, seconds: float = PATIENCE, every: float = 0.1) -> Any:
    """What ``condition`` gives once it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(every)
    return found
