"""Queries: the records of a version that meet a filter, in order of id, on the reader's view.

A record is made ready for its reader before it is held against the filter, so a filter on a hidden value sees what
hides it. Chunks are left out by their statistics for readers of raw data alone: for anybody else that would tell apart
what their view does not.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson

from access.services.authorize import authorize
from datasets.errors import VersionNotFound
from datasets.errors.query import AggregateRefused, QueryTooLong
from datasets.query import Filter
from datasets.query.aggregate import Aggregate, Groups, project
from datasets.query.ast import Path
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.read import Release, as_shown, release_under, scanned_chunk, stream_lines
from datasets.tree.chunk import Chunk
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.node import Child
from datasets.tree.record import TreeRecord
from datasets.tree.scan import scan
from datasets.tree.statistics import ChunkStatistics
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

#: How long a page may be looked for; then it ends where it is, and its cursor goes on from there.
PAGE_SECONDS: Final = 5.0
#: How long an aggregate may take, which has no page to end.
AGGREGATE_SECONDS: Final = 30.0
#: A page of records ends here even when fewer than asked for are in it.
PAGE_BYTES: Final = 16 * 1024 * 1024
#: What the audit keeps of a filter's shape.
_SHAPE: Final = 200


@dataclass(frozen=True)
class Query:
    """What is asked of a version: records that meet ``filter``, with ``fields`` of them (none: all), or aggregates."""

    filter: Filter = field(default_factory=Filter)
    fields: tuple[Path, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    group_by: tuple[Path, ...] = ()


@dataclass
class Scanned:
    """What a query cost: records judged, chunks opened, chunks left out; and whether it came to the end."""

    records: int = 0
    chunks: int = 0
    pruned_chunks: int = 0
    is_complete: bool = False


@dataclass(frozen=True)
class QueryPage:
    """Records as JSON, and the id after which the next page goes on (None: there is none)."""

    data: list[dict[str, Any]]
    next_after: str | None
    scanned: Scanned
    withheld: dict[str, Any] = field(default_factory=dict)


def open_query(
    principal: Principal, *, dataset_id: UUID, version: str, query: Query, purpose: str | None = None
) -> Release:
    """Decide on a query, in the open scope. The audit is told the shape of the filter, no path and no value.

    Raises DatasetNotFound, VersionNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation, and
    AggregateRefused for aggregates under an obligation to anonymize.
    """
    dataset = get_dataset(principal, dataset_id, action="record.read")
    # Who is denied does not learn whether the version exists.
    found = find_version_or_none(dataset, version)
    decision = authorize(
        principal, "record.read", resource_of(dataset, found), purpose=purpose, facts={"query": _shape(query)}
    )
    if found is None:
        raise VersionNotFound
    release = release_under(decision, dataset, found)
    if query.aggregates and not release.is_raw:
        raise AggregateRefused(f"/api/v1/datasets/{dataset.pk}/statistics gives them with noise, from a privacy budget")
    return release


def _shape(query: Query) -> str:
    functions = ",".join(str(aggregate.function) for aggregate in query.aggregates)
    return (f"{functions} of {query.filter.shape}" if functions else query.filter.shape)[:_SHAPE]


@dataclass
class RecordScan:
    """One pass over a version in order of id; iterating gives the records that match, on the reader's view."""

    release: Release
    filter: Filter
    after: str | None = None
    #: When to stop, by time.monotonic(); at least one record is judged first.
    deadline: float | None = None
    scanned: Scanned = field(default_factory=Scanned)
    #: The id of the record looked at last, whether it is released or not.
    last_id: str | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        matches = self.filter.matches
        for record_id, record in self._records():
            self.last_id = record_id
            if record is not None:
                self.scanned.records += 1
                if matches(record):
                    yield record
            if self.deadline is not None and time.monotonic() >= self.deadline:
                return
        self.scanned.is_complete = True

    def _records(self) -> Iterator[tuple[str, dict[str, Any] | None]]:
        """Id and record; None for one that is not released."""
        for child, chunk in self._chunks():
            self.scanned.chunks += 1
            self.release.look_ahead(islice(chunk, chunk.after(self.after), None))
            if self.release.is_raw:
                start = chunk.after(self.after)
                yield from zip(chunk.ids[start:], map(self._raw, islice(chunk, start, None)), strict=True)
            else:
                yield from self._shown(child, chunk)

    def _raw(self, record: TreeRecord) -> dict[str, Any] | None:
        return orjson.loads(record.canonical) if self.release.admits(record) else None

    def _chunks(self) -> Iterator[tuple[Child, Chunk]]:
        root = bytes(self.release.version.root)
        keep = self._keeps if self.release.is_whole and self.filter.node is not None else None
        if root != EMPTY_ROOT:
            yield from scan(self.release.store, root, keep=keep, after_id=self.after)

    def _keeps(self, statistics: ChunkStatistics) -> bool:
        is_kept = self.filter.keeps(statistics)
        self.scanned.pruned_chunks += not is_kept
        return is_kept

    def _shown(self, child: Child, chunk: Chunk) -> Iterator[tuple[str, dict[str, Any] | None]]:
        chunk, findings = scanned_chunk(self.release, child.digest, chunk)
        for index in range(chunk.after(self.after), len(chunk)):
            if findings[index] or not self.release.anonymizer.acts_on_findings_alone:
                shown = as_shown(self.release, chunk[index], findings[index])
                yield chunk.ids[index], shown.as_json() if shown is not None else None
            else:
                yield chunk.ids[index], self._raw(chunk[index])


def find_page(
    release: Release, query: Query, *, after: str | None, limit: int, seconds: float = PAGE_SECONDS
) -> QueryPage:
    """At most ``limit`` matching records after the id ``after``. Needs no open scope.

    The page may be short, or empty, with a ``next_after`` still: its time or its room was used up.
    """
    found = RecordScan(release, query.filter, after, time.monotonic() + seconds)
    data: list[dict[str, Any]] = []
    size = 0
    for record in found:
        if len(data) >= limit or size >= PAGE_BYTES:
            release.note_leaving(one["id"] for one in data)
            last = data[-1]["id"]
            return QueryPage(data, last, found.scanned, release.take_withheld(until=last))
        data.append(project(record, query.fields))
        size += len(orjson.dumps(data[-1]))
    release.note_leaving(one["id"] for one in data)
    last = None if found.scanned.is_complete else found.last_id
    return QueryPage(data, last, found.scanned, release.take_withheld())


def aggregate(
    release: Release, query: Query, *, seconds: float = AGGREGATE_SECONDS
) -> tuple[list[dict[str, Any]], Scanned]:
    """The aggregates of all matching records, by group. Needs no open scope. Raises TooManyGroups, QueryTooLong."""
    found = RecordScan(release, query.filter, deadline=time.monotonic() + seconds)
    groups = Groups(query.aggregates, query.group_by)
    for record in found:
        groups.add(record)
    if not found.scanned.is_complete:
        raise QueryTooLong(f"It was given {seconds:g} seconds; a narrower filter takes less")
    return groups.results(), found.scanned


def emit_completion(
    release: Release, scanned: Scanned, *, released: int, size: int, withheld: Mapping[str, Any] = MappingProxyType({})
) -> None:
    """Tell the audit how much a query released, in an open scope."""
    facts = {
        "records_accessed": released,
        "bytes_transferred": size,
        "scanned": scanned.records,
        "pruned_chunks": scanned.pruned_chunks,
        **withheld,
    }
    event = Event(
        type=EventType.ACCESS_COMPLETED,
        operation="read",
        resource=release.resource,
        purpose=release.decision.purpose or "",
        obligations=tuple(map(str, release.decision.obligations)),
        metadata=facts,
    )
    emit(event)


def stream_matches(
    release: Release, query: Query, principal: Principal, request: RequestFacts, *, after: str | None, limit: int | None
) -> Iterator[bytes]:
    """Every matching record as one JSON line, in order of id; its end is an event of its own. Needs no open scope."""
    return stream_lines(release, principal, request, _lines(release, query, after, limit))


def _lines(release: Release, query: Query, after: str | None, limit: int | None) -> Iterator[bytes]:
    for number, record in enumerate(RecordScan(release, query.filter, after)):
        if limit is not None and number >= limit:
            return
        release.note_leaving((record["id"],))
        yield orjson.dumps(project(record, query.fields), option=orjson.OPT_APPEND_NEWLINE)
