"""What the supervisor needs to know of one process."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Service:
    """One supervised process.

    ``command`` runs in the foreground with exactly ``environment``; ``is_ready`` is asked several times a second, must
    answer within a second or so, and is not asked again once it said yes. ``stop_signal`` asks it to end within
    ``stop_seconds``; ``pass_fds`` are descriptors of ours that it inherits under the same numbers; ``folder`` is its
    working directory.
    """

    name: str
    title: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    is_ready: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 20.0
    pass_fds: tuple[int, ...] = ()
    folder: str = "/"
