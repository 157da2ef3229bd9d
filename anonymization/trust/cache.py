"""Compiled rules a process keeps: a few, and none for long, since they hold keys."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

from anonymization.trust.trust import Trust

MAX_ENTRIES: Final = 128
#: As long as a key may stay in memory without being asked for again.
MAX_AGE_SECONDS: Final = 300.0


class TrustCache:
    """By tenant, dataset and stamp; the oldest leaves first. What is compiled twice at once is kept once."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forget everything; in a forked child the lock may be held by a thread that is not there."""
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, Trust]] = OrderedDict()

    def get(self, name: Hashable, compile_rules: Callable[[], Trust]) -> Trust:
        now = time.monotonic()
        with self._lock:
            made, trust = self._kept.get(name, (0.0, None))
            if trust is not None and now - made < MAX_AGE_SECONDS:
                return trust
        compiled = compile_rules()
        with self._lock:
            self._kept[name] = (now, compiled)
            self._kept.move_to_end(name)
            while len(self._kept) > MAX_ENTRIES:
                self._kept.popitem(last=False)
        return compiled
