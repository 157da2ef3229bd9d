"""Which table answers a question, and the counting itself: the coarsest that knows what is asked."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Sum

from audit.models import RollupAccessHour, RollupActorDay, RollupDatasetDay, RollupFacet, RollupHour
from audit.models.rollup import ALL_OF_PEOPLE, ALL_OF_SYSTEM, EVERYBODY, NO_DATASET
from audit.rollups.periods import Period, ceil_day, floor_day
from vaultsite.kernel.tenancy.scope import current_tenant_id

_OVERALL: Final = (ALL_OF_PEOPLE, ALL_OF_SYSTEM)
SUMS: Final = ("events", "records", "bytes", "duration_ms")
#: The members of a filter that a facet has.
FACET_FIELDS: Final = ("operation", "status", "severity", "classification", "purpose")


class Facet(NamedTuple):
    """A RollupFacet as counting needs it: some hundred are read for every question."""

    number: int
    type: str
    operation: str
    status: str
    severity: str
    classification: str
    purpose: str
    actor_kind: str


@dataclass(frozen=True)
class Filters:
    """What to count; None does not restrict, several types are alternatives."""

    actor_id: UUID | None = None
    dataset_id: UUID | None = None
    types: tuple[str, ...] | None = None
    operation: str | None = None
    status: str | None = None
    severity: str | None = None
    classification: str | None = None
    purpose: str | None = None

    def fits(self, facet: Facet) -> bool:
        """Whether events of ``facet`` are asked for, by whomever and on whatever they are."""
        if self.types is not None and facet.type not in self.types:
            return False
        return all(getattr(self, name) in (None, getattr(facet, name)) for name in FACET_FIELDS)


@dataclass(frozen=True)
class Counts:
    """``records``, ``bytes`` and ``duration_ms`` are sums of what the events say of themselves."""

    events: int = 0
    records: int = 0
    bytes: int = 0
    duration_ms: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in SUMS))


def load_facets() -> dict[int, Facet]:
    """Every facet of the tenant by its number: some hundred."""
    rows = RollupFacet.objects.filter(tenant_id=current_tenant_id()).values_list(*Facet._fields)
    return {row[0]: Facet._make(row) for row in rows}


@dataclass(frozen=True)
class Question:
    """What is counted: a period, filters, and the facets that fit them.

    ``overall`` are the numbers that stand for all these facets together, where there are such.
    """

    period: Period
    filters: Filters
    facets: dict[int, Facet]
    overall: tuple[int, ...] | None

    @classmethod
    def ask(cls, period: Period, filters: Filters, facets: dict[int, Facet] | None = None) -> "Question":
        known = load_facets() if facets is None else facets
        fitting = {number: facet for number, facet in known.items() if filters.fits(facet)}
        return cls(period, filters, fitting, _OVERALL if len(fitting) == len(known) else None)

    def only(self, wanted: Callable[[Facet], bool]) -> "Question":
        """The same question of fewer facets."""
        kept = {number: facet for number, facet in self.facets.items() if wanted(facet)}
        return Question(self.period, self.filters, kept, None)

    def of_people(self) -> "Question":
        """The same of users and services: what the vault does by itself has no place among those who use it."""
        kept = self.only(lambda facet: facet.actor_kind != "system")
        return kept if self.overall is None else replace(kept, overall=(ALL_OF_PEOPLE,))

    def by_facet(self) -> dict[int, Counts]:
        """Facet number -> counts."""
        return dict(self._counted("facet"))

    def by_hour(self) -> dict[datetime, Counts]:
        return dict(self._counted("hour"))

    def by_hour_and_status(self) -> dict[tuple[datetime, str], Counts]:
        found: dict[tuple[datetime, str], Counts] = {}
        for (hour, number), counts in self._counted("hour", "facet"):
            key = (hour, self.facets[number].status)
            found[key] = found.get(key, Counts()) + counts
        return found

    def by_actor(self) -> dict[UUID, Counts]:
        return dict(self._counted("actor_id"))

    def by_dataset(self) -> dict[UUID, Counts]:
        """Dataset -> counts; what concerned no dataset is left out."""
        found = dict(self._counted("dataset_id"))
        found.pop(NO_DATASET, None)
        return found

    def _counted(self, *keys: str) -> Iterator[tuple[Any, Counts]]:
        totals: dict[Any, Counts] = {}
        for rows in self._sources(set(keys)):
            summed = rows.values_list(*keys).annotate(*(Sum(name, default=0) for name in SUMS)).order_by()
            for row in summed:
                key = row[0] if len(keys) == 1 else row[: len(keys)]
                totals[key] = totals.get(key, Counts()) + Counts(*map(int, row[len(keys) :]))
        yield from totals.items()

    def _sources(self, keys: set[str]) -> Iterable[QuerySet[Any]]:
        """The rows to sum: disjoint, together the whole period."""
        if not self.facets or self.filters.actor_id == EVERYBODY:
            return ()
        asked = {name for name in ("actor_id", "dataset_id") if name in keys or getattr(self.filters, name)}
        first, last = ceil_day(self.period.start), floor_day(self.period.end)
        numbers = list(self.facets) if self.overall is None or "facet" in keys else list(self.overall)
        if not asked and ("hour" in keys or first >= last):
            return (self._hours(RollupHour, self.period.start, self.period.end).filter(facet__in=numbers),)
        if len(asked) > 1 or "hour" in keys or first >= last:
            return (self._accesses(self.period.start, self.period.end),)
        model = RollupDatasetDay if "dataset_id" in asked else RollupActorDay
        days = self._restricted(model.objects.filter(day__gte=first.date(), day__lt=last.date(), facet__in=numbers))
        if not asked:
            days = days.filter(actor_id=EVERYBODY)
        elif "actor_id" in keys:
            days = days.exclude(actor_id=EVERYBODY)
        edges = [(start, end) for start, end in ((self.period.start, first), (last, self.period.end)) if start < end]
        if not asked:
            return (days, *(self._hours(RollupHour, *edge).filter(facet__in=numbers) for edge in edges))
        return (days, *(self._accesses(*edge) for edge in edges))

    def _accesses(self, start: datetime, end: datetime) -> QuerySet[Any]:
        """Of the finest grain, which knows no sums over facets."""
        rows = self._hours(RollupAccessHour, start, end)
        return rows if len(self.overall or ()) == len(_OVERALL) else rows.filter(facet__in=list(self.facets))

    def _hours(self, model: type[Any], start: datetime, end: datetime) -> QuerySet[Any]:
        return self._restricted(model.objects.filter(hour__gte=start, hour__lt=end))

    def _restricted(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        given = {name: getattr(self.filters, name) for name in ("actor_id", "dataset_id")}
        wanted = {name: value for name, value in given.items() if value is not None}
        return rows.filter(tenant_id=current_tenant_id(), **wanted)
