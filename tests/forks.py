"""Forked children that never return into the test runner."""

import os
from collections.abc import Callable


def fork(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked child and return the child's process id; it ends with status 0 if work returned."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return child


def ending_of(child: int) -> int:
    """Wait for the child: its exit status, or the negative number of the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
