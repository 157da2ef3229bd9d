"""What the operator sees: progress while starting, and the lines of the processes with their names."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Console:
    """Writes whole lines to ``stream``; ``quiet`` keeps the lines of the processes out of it."""

    def __init__(self, stream: TextIO = sys.stdout, *, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._step = 0
        self._steps = 0

    def expect_steps(self, count: int) -> None:
        """Announce how many steps follow, for the numbers in front of them."""
        self._step, self._steps = 0, count

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show one step: ``[3/7] PostgreSQL ... ready (1.2 s)``, on one line unless something else was written."""
        self._step += 1
        label = f"[{self._step}/{self._steps}] {title}"
        self.say(f"{label} ...")
        started = time.monotonic()
        yield
        self.say(f"{label} ready ({time.monotonic() - started:.1f} s)")

    def say(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def relay(self, name: str, line: str) -> None:
        """Show one line that a process wrote."""
        if not self._quiet:
            self.say(f"{name:<8} | {line}")
