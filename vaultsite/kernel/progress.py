"""How far a long job is, told to whoever listens: a port that one app fills."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import transaction

#: A job that only got on is told of this often at most; one that changed its status always is.
INTERVAL_SECONDS: Final = 1.0
#: Jobs whose last message is remembered.
_REMEMBERED: Final = 1000


@dataclass(frozen=True)
class Progress:
    """``kind`` names the job's model; ``status`` is empty when it did not change; ``progress`` is counts and codes."""

    tenant_id: UUID
    kind: str
    job_id: UUID
    requested_by: UUID
    status: str
    progress: Mapping[str, Any]


#: Takes a message after the commit of what it tells of; raises nothing.
Listener = Callable[[Progress], None]

_listeners: Final[list[Listener]] = []
_told_at: Final[dict[UUID, float]] = {}


def register_listener(listener: Listener) -> None:
    """Called once at start-up."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell(progress: Progress) -> None:
    """Tell the listeners once the open transaction has committed, unless the job was told of a moment ago."""
    now = time.monotonic()
    if not progress.status and now - _told_at.get(progress.job_id, -INTERVAL_SECONDS) < INTERVAL_SECONDS:
        return
    if len(_told_at) >= _REMEMBERED:
        _told_at.clear()
    _told_at[progress.job_id] = now
    for listener in _listeners:
        transaction.on_commit(lambda told=listener: told(progress), robust=True)  # type: ignore[misc]
