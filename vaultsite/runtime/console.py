"""What the operator sees: progress while starting, and the lines of the processes with their names."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


class Console:
    """Writes to ``stream``; while ``is_quiet``, without the lines of the processes (their log files have them)."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self.is_quiet = True
        self._stream = stream
        self._step = 0
        self._steps = 0
        self._unfinished = ""

    def expect_steps(self, count: int) -> None:
        """Announce how many steps follow, for the numbers in front of them."""
        self._step, self._steps = 0, count

    @contextmanager
    def step(self, title: str, *, is_cut_short: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """Show one step: ``[3/7] PostgreSQL ... ready (1.2 s)``; told again in full when a process wrote in between."""
        self._step += 1
        label = f"[{self._step}/{self._steps}] {title} ... "
        started = time.monotonic()
        self._write(label)
        self._unfinished = label
        try:
            yield
        except BaseException:
            self.say("failed")
            raise
        outcome = "cut short" if is_cut_short() else f"ready ({time.monotonic() - started:.1f} s)"
        self._write(f"{outcome}\n" if self._unfinished else f"{label}{outcome}\n")
        self._unfinished = ""

    def say(self, text: str) -> None:
        """Write whole lines."""
        self._write(f"\n{text}\n" if self._unfinished else f"{text}\n")
        self._unfinished = ""

    def relay(self, name: str, line: str) -> None:
        """Show one line that a process wrote."""
        if not self.is_quiet:
            self.say(f"{name:<8} | {line}")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
