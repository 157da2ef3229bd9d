"""A store whose process dies, or falls asleep, in the middle of its work, once."""

import os
import signal
from pathlib import Path
from typing import Any

from vaultsite.kernel.blobs.filesystem import AtomicFileSystemStorage


class DeadlyStorage(AtomicFileSystemStorage):
    """Sends its own process a signal right after the nth object of a kind (``dies_at``: ``run:2``) was stored.

    The file ``once`` is made first, so that the worker's successor gets past that point.
    """

    def __init__(self, *, dies_at: str, once: str, by: str = "SIGKILL", **options: Any) -> None:
        super().__init__(**options)
        self._signal = signal.Signals[by]
        self._kind, _, count = dies_at.partition(":")
        self._left = int(count)
        self._once = Path(once)

    def _save(self, name: str, content: Any) -> str:
        saved = super()._save(name, content)
        if name.startswith(f"{self._kind}/"):
            self._left -= 1
            if self._left == 0 and not self._once.exists():
                self._once.touch()
                os.kill(os.getpid(), self._signal)
        return saved
