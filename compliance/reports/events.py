"""Rows made of events of the audit: read page by page in the order they happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connections
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from access.models import ApiKey, ServiceAccount, User
from audit.archive.read import archived_parts, events_or_none
from audit.models import AuditArchivePart
from audit.selectors import EventFilter, matching
from compliance.reports.kind import Ask, Cell, Row
from datasets.models import Dataset
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID

#: Events read in one transaction.
PAGE: Final = 5_000
COLUMNS: Final = (
    *("time", "event_id", "event_type", "outcome", "severity", "actor_kind", "actor_id", "actor"),
    *("dataset_id", "dataset", "version", "purpose", "policies", "records", "bytes", "failure_reason"),
)
#: Those that a page has room for.
PAGE_COLUMNS: Final = (
    *("time", "event_type", "outcome", "actor_kind", "actor", "dataset", "version", "purpose", "records", "bytes"),
    "failure_reason",
)
#: Of a row that stands for events in a part of the archive that is lost or does not open.
LOST: Final = "archive unreadable"
_READ: Final = (
    *("time", "id", "type", "status", "severity", "actor_kind", "actor_id"),
    *("dataset_id", "version", "purpose", "policy", "records", "bytes", "failure_reason"),
)


@dataclass
class Names:
    """What people, programs and datasets are called now, in the open scope; a page is looked up at a time."""

    _actors: dict[UUID, str] = field(default_factory=lambda: {SYSTEM_PRINCIPAL_ID: "the vault"})
    _datasets: dict[UUID, str] = field(default_factory=dict)

    def learn(self, actors: set[UUID], datasets: set[UUID]) -> None:
        unknown = actors - self._actors.keys()
        for model, name in ((User, "username"), (ServiceAccount, "name"), (ApiKey, "name")) if unknown else ():
            rows: Any = model.objects.filter(pk__in=unknown)
            self._actors |= dict(rows.values_list("pk", name))
        new = datasets - self._datasets.keys()
        if new:
            self._datasets |= dict(Dataset.objects.filter(pk__in=new).values_list("pk", "name"))

    def actor(self, one: UUID) -> str:
        return self._actors.get(one, "")

    def dataset(self, one: UUID | None) -> str:
        return self._datasets.get(one, "") if one else ""


def event_rows(ask: Ask, types: Sequence[str], *, datasets: frozenset[UUID] | None = None) -> Iterator[Row]:
    """The events of ``types`` in the period as rows of COLUMNS. Needs no open scope.

    ``datasets`` restricts further than the report does; an empty one leaves nothing.
    """
    within = _within(ask, datasets)
    if within is not None and not within:
        return
    names, after = Names(), None
    yield from _archived(ask, tuple(types), within, names)
    while True:
        with ask.scope():
            page = _page(ask, tuple(types), within, after)
            names.learn({row[6] for row in page}, {row[7] for row in page if row[7]})
        for row in page:
            yield _shown(row, names)
        if len(page) < PAGE:
            return
        after = (page[-1][0], page[-1][1])


def _archived(ask: Ask, types: tuple[str, ...], within: frozenset[UUID] | None, names: Names) -> Iterator[Row]:
    """The rows of months in the audit's archive, one part of it at a time."""
    criteria = EventFilter(types=types or None, since=ask.since, until=ask.until)
    with ask.scope():
        parts = archived_parts(ask.tenant_id, criteria)
    for part in parts:
        with ask.scope():
            read = events_or_none(part, criteria)
            page = [
                event
                for event in read or ()
                if (within is None or event.dataset_id in within) and (not ask.users or event.actor_id in ask.users)
            ]
            names.learn({event.actor_id for event in page}, {one.dataset_id for one in page if one.dataset_id})
        if read is None and part.last_time >= ask.since and part.first_time < ask.until:
            yield _lost(part, ask.since)
        for event in page:
            yield _shown(tuple(getattr(event, name) for name in _READ), names)


def _lost(part: AuditArchivePart, since: datetime) -> Row:
    """A row in the place of events that nobody can read, so that no report is silently without them."""
    said: dict[str, Cell] = {
        "time": max(part.first_time, since),
        "event_type": LOST,
        "outcome": "failure",
        "severity": "critical",
        "failure_reason": f"{part} cannot be read; it had {part.events} events",
    }
    return tuple(said.get(name, "") for name in COLUMNS)


def _within(ask: Ask, datasets: frozenset[UUID] | None) -> frozenset[UUID] | None:
    """The datasets to look at; None: all, and what concerns none."""
    if datasets is None:
        return ask.datasets or None
    return datasets & ask.datasets if ask.datasets else datasets


def _page(
    ask: Ask, types: tuple[str, ...], within: frozenset[UUID] | None, after: tuple[datetime, str] | None
) -> list[tuple[Any, ...]]:
    criteria = EventFilter(types=types or None, since=after[0] if after else ask.since, until=ask.until)
    events = matching(ask.tenant_id, criteria)
    if after:
        events = events.exclude(Q(time=after[0], id__lte=after[1]))
    if within is not None:
        events = events.filter(dataset_id__in=within)
    if ask.users:
        events = events.filter(actor_id__in=ask.users)
    if within is None and not ask.users:
        _walk_in_order()
    # As text: of a million rows, what makes them objects takes longer than what reads them.
    texts = {f"{name}_text": Cast(name, TextField()) for name in _READ[:2]}
    found = events.order_by("time", "id").annotate(**texts).values_list(*texts, *_READ[2:])[:PAGE]
    return [(datetime.fromisoformat(row[0]), *row[1:]) for row in found]


def _walk_in_order() -> None:
    """Until the open scope ends, pages are read along an index.

    Of an organization that its statistics do not know, or hold for small, the planner would sort all that is left of
    its events for every page.
    """
    with connections["default"].cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")


def _shown(row: tuple[Any, ...], names: Names) -> Row:
    time, event_id, kind, status, severity, actor_kind, actor_id, dataset_id, version, purpose, policy = row[:11]
    return (
        *(time, str(event_id), kind, status, severity, actor_kind, str(actor_id), names.actor(actor_id)),
        *(str(dataset_id or ""), names.dataset(dataset_id), version, purpose, policy, *row[11:]),
    )
