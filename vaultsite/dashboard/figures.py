"""Who did how much on what, and what was refused: from counts that are kept, never from the events themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from access.models import AccessPolicy
from access.selectors import people_named
from audit.rollups import selectors as rollups
from audit.rollups.counting import Filters as Wanted
from audit.rollups.selectors import Group
from datasets.models import Dataset
from vaultsite.dashboard.filters import Filters
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal

#: Names in a list of those with most events.
TOP: Final = 8


@dataclass(frozen=True)
class Tile:
    """One number, and the address of the events it counts."""

    name: str
    count: int
    url: str


@dataclass(frozen=True)
class Ranked:
    """One of those with most events; ``percent`` of the first of them. ``id`` is for who is not known by a name."""

    id: str
    name: str
    count: int
    percent: int
    url: str


@dataclass(frozen=True)
class Broken:
    """A policy, and how often somebody tried what it forbids."""

    name: str
    count: int
    severity: str
    url: str


def outcome_tiles(filters: Filters) -> list[Tile]:
    """How many operations there were, and how they ended."""
    totals = dict.fromkeys(("success", "denied", "failure"), 0)
    for (_, status), count in rollups.outcomes(period=filters.counted, filters=_wanted(filters)).items():
        totals[status] += count
    words = {"success": "allowed", "denied": "denied", "failure": "failed"}
    ends = [Tile(words[status], count, filters.events_url(status=status)) for status, count in totals.items()]
    return [Tile("operations", sum(totals.values()), filters.events_url()), *ends]


def operations_by_hour(filters: Filters) -> dict[datetime, int]:
    """Hour (UTC) -> operations; hours without any are absent."""
    return rollups.operations_by_hour(period=filters.counted, dataset_id=filters.dataset_id)


def busiest_people(principal: Principal, filters: Filters) -> list[Ranked]:
    """People and programs with most events."""
    groups = rollups.top_actors(period=filters.counted, filters=_wanted(filters), limit=TOP)
    names = people_named(principal, [key for group in groups if isinstance(key := group.key, UUID)])
    return _ranked(groups, names, lambda key: filters.events_url(actor=key))


def busiest_datasets(principal: Principal, filters: Filters) -> list[Ranked]:
    """Datasets with most events; one the reader may not know of has no name."""
    groups = rollups.top_datasets(period=filters.counted, filters=_wanted(filters), limit=TOP)
    known = Dataset.objects.visible_to(principal).filter(pk__in=[group.key for group in groups])
    return _ranked(groups, dict(known.values_list("pk", "name")), lambda key: filters.events_url(dataset=key))


def broken_policies(filters: Filters) -> list[Broken]:
    """Policies that somebody tried to break, most often first."""
    found = rollups.violations(period=filters.counted, filters=_wanted(filters))[:TOP]
    ids = [one.policy for one in found]
    names = {
        str(pk): name for pk, name in AccessPolicy.objects.filter(pk__in=filter(_is_id, ids)).values_list("pk", "name")
    }
    url = filters.events_url(type=EventType.POLICY_VIOLATED.value)
    return [Broken(names.get(one.policy, one.policy), one.events, one.severity, url) for one in found]


def counted_until() -> datetime | None:
    """The time of the newest event that is counted; None before the first."""
    return rollups.counted_until()


def _wanted(filters: Filters) -> Wanted:
    return Wanted(dataset_id=filters.dataset_id)


def _ranked(groups: Sequence[Group], names: Mapping[UUID, str], address: Callable[[str], str]) -> list[Ranked]:
    most = max((group.counts.events for group in groups), default=0) or 1
    return [
        Ranked(
            id=str(group.key),
            name=names.get(group.key, "") if isinstance(group.key, UUID) else "",
            count=group.counts.events,
            percent=max(1, round(100 * group.counts.events / most)),
            url=address(str(group.key)),
        )
        for group in groups
    ]


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
