"""Read the counts: what happened in a period, by whom, on what, without looking at a single event."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, Sum, Value

from audit.models import AuditLeaf, RollupAccessHour, RollupPolicyHour
from audit.models.rollup import NO_DATASET
from audit.rollups.counting import Counts, Facet, Filters, Question, load_facets
from audit.rollups.periods import Period
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.scope import current_tenant_id

GroupBy = Literal["user", "dataset", "operation", "hour"]
GROUPS: Final[tuple[GroupBy, ...]] = get_args(GroupBy)
#: Groups of an answer at most; hours are never cut off.
MOST_GROUPS: Final = 1000

_READS: Final = frozenset({"read", "export"})
_WRITES: Final = frozenset({"write", "update", "delete"})
_DETOKENIZATIONS: Final = frozenset({EventType.TOKENS_REVEALED.value, EventType.DEANONYMIZED.value})

_SUMMED: Final = ("operations", "records", "bytes", "denials", "detokenizations", "exports")

#: Counts of a facet's events are wanted when this says so.
_Test = Callable[[Facet], bool]
#: Types that tell of data that left.
_EXPORTS: Final = frozenset({EventType.EXPORTED, EventType.EXPORTED_ANALYTICS})


@dataclass(frozen=True)
class Group:
    """One value of what was grouped by: an actor's or dataset's id, an operation, or the start of an hour."""

    key: UUID | str | datetime
    counts: Counts


@dataclass(frozen=True)
class Violation:
    """How often a policy was broken; ``severity`` is that of the events. ``policy`` is its id, without its version."""

    policy: str
    severity: str
    events: int


@dataclass(frozen=True)
class Summary:
    """``reads`` and ``writes`` were not denied, ``denied`` and ``failed`` are of every operation.

    ``as_of`` is the time of the last event that is sealed and so counted; None where nothing is. ``groups`` are at most
    MOST_GROUPS, those of most events; ``other_groups`` says how many more there are.
    """

    period: Period
    total: int
    reads: int
    writes: int
    denied: int
    failed: int
    counts: Counts
    top_actors: tuple[Group, ...]
    top_datasets: tuple[Group, ...]
    violations: tuple[Violation, ...]
    groups: tuple[Group, ...]
    other_groups: int
    as_of: datetime | None


@dataclass(frozen=True)
class ActorHour:
    """What one principal did in an hour; ``datasets`` are those touched, each once."""

    actor_id: UUID
    actor_kind: str
    hour: datetime
    operations: int
    records: int
    bytes: int
    denials: int
    detokenizations: int
    exports: int
    datasets: tuple[UUID, ...]


def summarize(*, period: Period, group_by: GroupBy | None, filters: Filters, top: int = 10) -> Summary:
    """Everything of one summary, exact to the hour, in the open scope: seven queries, none of them of events."""
    question = Question.ask(period, filters)
    by_facet = question.by_facet()

    def counted(wanted: _Test) -> int:
        return sum(counts.events for number, counts in by_facet.items() if wanted(question.facets[number]))

    groups = _groups(question, group_by, by_facet)
    return Summary(
        period=period,
        total=sum(counts.events for counts in by_facet.values()),
        reads=counted(lambda facet: facet.operation in _READS and facet.status != "denied"),
        writes=counted(lambda facet: facet.operation in _WRITES and facet.status != "denied"),
        denied=counted(lambda facet: facet.status == "denied"),
        failed=counted(lambda facet: facet.status == "failure"),
        counts=sum(by_facet.values(), Counts()),
        top_actors=tuple(_most(question.of_people().by_actor(), top)),
        top_datasets=tuple(_most(question.by_dataset(), top)),
        violations=tuple(_violations(question)),
        groups=tuple(groups[:MOST_GROUPS] if group_by != "hour" else groups),
        other_groups=max(len(groups) - MOST_GROUPS, 0) if group_by != "hour" else 0,
        as_of=counted_until(),
    )


def counted_until() -> datetime | None:
    """The time of the newest event in the counts; what is older and is not in them was committed late.

    Of the last leaves rather than the last leaf: a straggler is sealed last, and is old.
    """
    last = AuditLeaf.objects.filter(tenant_id=current_tenant_id()).order_by("-seq")
    return max(last.values_list("event_time", flat=True)[:64], default=None)


def _groups(question: Question, group_by: GroupBy | None, by_facet: Mapping[int, Counts]) -> list[Group]:
    match group_by:
        case "user":
            return _most(question.by_actor())
        case "dataset":
            return _most(question.by_dataset())
        case "hour":
            return [Group(hour, counts) for hour, counts in sorted(question.by_hour().items())]
        case "operation":
            totals: dict[str, Counts] = {}
            for number, counts in by_facet.items():
                operation = question.facets[number].operation
                totals[operation] = totals.get(operation, Counts()) + counts
            return _most(totals)
    return []


def _most(counted: Mapping[Any, Counts], limit: int | None = None) -> list[Group]:
    """Those of most events first; ties in the order of their keys, so that an answer is always the same."""
    ordered = sorted(counted.items(), key=lambda item: (-item[1].events, str(item[0])))
    return [Group(key, counts) for key, counts in ordered[:limit]]


def operations_by_hour(*, period: Period, dataset_id: UUID | None = None) -> dict[datetime, int]:
    """Hour -> events; hours without any are absent."""
    found = Question.ask(period, Filters(dataset_id=dataset_id)).by_hour()
    return {hour: counts.events for hour, counts in found.items()}


def timeline(*, period: Period, filters: Filters) -> dict[tuple[datetime, str], int]:
    """(hour, outcome) -> events; what is absent is 0."""
    found = Question.ask(period, filters).by_hour_and_status()
    return {key: counts.events for key, counts in found.items()}


def facet_counts(*, period: Period, filters: Filters) -> dict[str, Counter[str]]:
    """For each member of a facet: value -> events under all filters but the one on that member."""
    wide = Question.ask(period, Filters(actor_id=filters.actor_id, dataset_id=filters.dataset_id))
    counted = wide.by_facet()
    found: dict[str, Counter[str]] = {}
    for name in ("type", "operation", "status", "severity", "classification", "purpose"):
        rest = _without(filters, name)
        totals: Counter[str] = Counter()
        for number, counts in counted.items():
            if rest.fits(wide.facets[number]):
                totals[getattr(wide.facets[number], name)] += counts.events
        found[name] = totals
    return found


def _without(filters: Filters, name: str) -> Filters:
    return replace(filters, **{"types" if name == "type" else name: None})


def top_actors(*, period: Period, filters: Filters, limit: int = 10) -> list[Group]:
    """The users and services of most events, exactly, most first."""
    return _most(Question.ask(period, filters).of_people().by_actor(), limit)


def top_datasets(*, period: Period, filters: Filters, limit: int = 10) -> list[Group]:
    """The datasets of most events, exactly, most first."""
    return _most(Question.ask(period, filters).by_dataset(), limit)


def violations(*, period: Period, filters: Filters) -> list[Violation]:
    """Policies of the tenant that were broken, most often first."""
    return _violations(Question.ask(period, filters))


def _violations(question: Question) -> list[Violation]:
    kinds = question.only(lambda facet: facet.type == EventType.POLICY_VIOLATED).facets
    if not kinds:
        return []
    filters = question.filters
    rows = RollupPolicyHour.objects.filter(
        tenant_id=current_tenant_id(),
        facet__in=list(kinds),
        hour__gte=question.period.start,
        hour__lt=question.period.end,
    )
    if filters.actor_id is not None:
        rows = rows.filter(actor_id=filters.actor_id)
    if filters.dataset_id is not None:
        rows = rows.filter(dataset_id=filters.dataset_id)
    totals: Counter[tuple[str, str]] = Counter()
    for policy, number, events in rows.values_list("policy", "facet").annotate(Sum("events")).order_by():
        totals[policy.removeprefix("policy:").partition("@")[0], kinds[number].severity] += int(events)
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return [Violation(policy, severity, events) for (policy, severity), events in ordered]


def outcomes(*, period: Period, filters: Filters) -> dict[tuple[str, str], int]:
    """(classification, outcome) -> events."""
    question = Question.ask(period, filters)
    totals: Counter[tuple[str, str]] = Counter()
    for number, counts in question.by_facet().items():
        facet = question.facets[number]
        totals[facet.classification, facet.status] += counts.events
    return dict(totals)


def actor_hours(*, actor_id: UUID | None, since: datetime, until: datetime) -> Sequence[ActorHour]:
    """By principal and hour from ``since`` (included) to ``until`` (not), both whole hours, oldest first."""
    facets = load_facets()

    def fitting(wanted: _Test) -> Q:
        return Q(facet__in=[number for number, facet in facets.items() if wanted(facet)])

    rows = RollupAccessHour.objects.filter(tenant_id=current_tenant_id(), hour__gte=since, hour__lt=until)
    if actor_id is not None:
        rows = rows.filter(actor_id=actor_id)
    summed = rows.values_list("actor_id", "hour").annotate(
        kinds=ArrayAgg("facet", distinct=True),
        operations=Sum("events"),
        moved_records=Sum("records"),
        moved_bytes=Sum("bytes"),
        denials=Sum("events", default=0, filter=fitting(lambda facet: facet.status == "denied")),
        detokenizations=Sum("events", default=0, filter=fitting(lambda facet: facet.type in _DETOKENIZATIONS)),
        exports=Sum("events", default=0, filter=fitting(lambda facet: facet.type in _EXPORTS)),
        datasets=ArrayAgg("dataset_id", distinct=True, filter=~Q(dataset_id=NO_DATASET), default=Value([])),
    )
    return [
        ActorHour(
            actor_id=who,
            actor_kind=facets[kinds[0]].actor_kind,
            hour=hour,
            **{name: int(value) for name, value in zip(_SUMMED, sums, strict=True)},
            datasets=tuple(datasets),
        )
        for who, hour, kinds, *sums, datasets in summed.order_by("hour", "actor_id")
    ]
