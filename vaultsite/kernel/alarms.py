"""Alarms: what a part below the audit, or beside it, wants somebody to look at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from vaultsite.kernel.events.event import Severity


@dataclass(frozen=True)
class Alarm:
    """One condition: of a ``kind`` that the audit's table of alerts knows, told from others by ``cause``.

    ``summary`` and ``facts`` hold ids, counts and words of the vault's own, never data. The rest is whom and what it is
    about, and since when.
    """

    kind: str
    cause: str
    severity: Severity
    summary: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    principal_id: UUID | None = None
    dataset_id: UUID | None = None
    since: datetime | None = None


#: Takes an alarm into the open scope's transaction; False where its cause had one before.
Desk = Callable[[Alarm], bool]
_desk: Desk | None = None


def register_alarm_desk(desk: Desk) -> None:
    """Called once at start-up by the app that keeps alerts."""
    global _desk  # noqa: PLW0603 - one port, filled once
    _desk = desk


def sound_once(alarm: Alarm) -> bool:
    """Raise an alert in the open scope unless its cause had one before, whatever became of it; whether it was new."""
    if _desk is None:
        msg = "no alarm desk is registered"
        raise RuntimeError(msg)
    return _desk(alarm)
