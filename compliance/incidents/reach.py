"""What events say was reached: folded by actor and dataset, so that every figure has the filter that finds its events.

Pure but for the shape of an event's row.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol
from uuid import UUID

from vaultsite.kernel.events.event import EventType

#: Types that say something left, was changed, or was tried -> how they are counted.
COUNTED: Final[Mapping[str, str]] = MappingProxyType(
    {
        EventType.ACCESS_READ.value: "reads",
        EventType.ACCESS_COMPLETED.value: "reads",
        EventType.ACCESS_WRITE.value: "writes",
        EventType.ACCESS_DELETE.value: "writes",
        EventType.ACCESS_DENIED.value: "refused",
        EventType.EXPORTED.value: "downloads",
        EventType.EXPORTED_ANALYTICS.value: "downloads",
        EventType.DEANONYMIZED.value: "reveals",
        EventType.TOKENS_REVEALED.value: "reveals",
    }
)
WAYS: Final = ("reads", "writes", "refused", "downloads", "reveals")
#: Different versions and purposes kept of one actor at one dataset; more are only counted.
_KEPT: Final = 200

Access = dict[str, Any]


class Told(Protocol):
    """The columns of an event that are looked at."""

    type: str
    status: str
    actor_id: UUID
    dataset_id: UUID | None
    version: str
    purpose: str
    records: int
    bytes: int
    time: datetime


def new_access(actor: UUID, dataset: UUID | None) -> Access:
    """Nothing yet, of one actor at one dataset (None: at none, as with texts and tokens)."""
    counts = dict.fromkeys((*WAYS, "events", "records", "downloaded", "bytes", "more"), 0)
    named = {"principal": str(actor), "dataset": str(dataset) if dataset else ""}
    return named | counts | {"versions": {}, "purposes": {}, "first": "", "last": ""}


def fold(accesses: dict[str, Access], events: Iterable[Told]) -> None:
    """Add events to ``accesses``, which has one member for each actor and dataset."""
    for event in events:
        key = f"{event.actor_id} {event.dataset_id or ''}"
        access = accesses.setdefault(key, new_access(event.actor_id, event.dataset_id))
        _add(access, event)


def _add(access: Access, event: Told) -> None:
    way = COUNTED[event.type]
    if event.status == "denied":
        way = "refused"
    access["events"] += 1
    access[way] += 1
    access["downloaded" if way == "downloads" else "records"] += event.records
    access["bytes"] += event.bytes
    if way != "refused":
        _count(access, "versions", event.version)
        _count(access, "purposes", event.purpose)
    moment = event.time.isoformat()
    access["first"] = min(access["first"] or moment, moment)
    access["last"] = max(access["last"], moment)


def _count(access: Access, member: str, name: str) -> None:
    known = access[member]
    if not name:
        return
    if name in known or len(known) < _KEPT:
        known[name] = known.get(name, 0) + 1
    else:
        access["more"] += 1


def reached(accesses: Iterable[Access]) -> list[str]:
    """Ids of the datasets of which anything left or was changed, each once."""
    return sorted({one["dataset"] for one in accesses if one["dataset"] and one["events"] > one["refused"]})
