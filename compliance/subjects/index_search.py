"""The first stage of a search: records by the subject index, without reading any."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from access.services.authorize import authorize
from access.services.keyring import KeyPurpose, current_key
from compliance.subjects.identifiers import Identifier, checked, indexed, known_types
from datasets.models import Dataset, SubjectIndexEntry
from datasets.services.ingest.subjects import subject_key
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Records that one answer names; the counts by dataset are whole.
MAX_SHOWN: Final = 1_000
_ROWS: Final = 5_000


@dataclass(frozen=True)
class IndexHit:
    """A record with identifiers of the person: their numbers among those asked for."""

    dataset_id: UUID
    record_id: str
    identifiers: tuple[int, ...]


@dataclass(frozen=True)
class IndexAnswer:
    """``datasets`` says how many records of each hold any; ``skipped`` are numbers of what no index knows: names."""

    hits: tuple[IndexHit, ...]
    datasets: dict[UUID, int]
    names: dict[UUID, str]
    skipped: tuple[int, ...]

    @property
    def is_truncated(self) -> bool:
        return sum(self.datasets.values()) > len(self.hits)


def search_index(principal: Principal, identifiers: Sequence[Identifier]) -> IndexAnswer:
    """Where the index of the organization has the person, in every dataset and version. Recorded by kinds alone.

    Raises AccessDenied, InvalidInput.
    """
    authorize(principal, "subject.search", ResourceRef("subject"), facts={"types": known_types(identifiers)})
    given = checked(identifiers)
    numbers = _numbers_of(given)
    found: dict[tuple[UUID, str], set[int]] = {}
    for dataset_id, record_id, number in _entries(numbers):
        found.setdefault((dataset_id, record_id), set()).add(number)
    counts: dict[UUID, int] = {}
    for dataset_id, _ in found:
        counts[dataset_id] = counts.get(dataset_id, 0) + 1
    shown = sorted(found.items())[:MAX_SHOWN]
    emit(searched(ResourceRef("subject"), given, records=len(found), datasets=len(counts)))
    known = {number for number, _ in indexed(given)}
    return IndexAnswer(
        hits=tuple(IndexHit(*place, tuple(sorted(by))) for place, by in shown),
        datasets=counts,
        names=dict(Dataset.objects.filter(pk__in=counts).values_list("pk", "name")),
        skipped=tuple(number for number in range(len(given)) if number not in known),
    )


def index_keys(identifiers: Sequence[Identifier]) -> list[bytes]:
    """The keys that the index would have of them, in an open scope."""
    return list(_numbers_of(identifiers))


def index_entries(identifiers: Sequence[Identifier]) -> Iterator[tuple[UUID, str, int]]:
    """(dataset, record id, number of the identifier), in an open scope."""
    return _entries(_numbers_of(identifiers))


def _numbers_of(identifiers: Sequence[Identifier]) -> dict[bytes, int]:
    key = current_key(KeyPurpose.INDEX).key
    return {subject_key(key, one.type, one.value): number for number, one in indexed(identifiers)}


def _entries(numbers: dict[bytes, int]) -> Iterator[tuple[UUID, str, int]]:
    rows = SubjectIndexEntry.objects.filter(key__in=list(numbers)).values_list("dataset_id", "record_id", "key")
    for dataset_id, record_id, key in rows.iterator(chunk_size=_ROWS):
        yield dataset_id, record_id, numbers[bytes(key)]


def searched(resource: ResourceRef, identifiers: Sequence[Identifier], **counts: int) -> Event:
    """That somebody asked what there is of a person."""
    facts = {"types": sorted({one.type for one in identifiers}), "identifiers": len(identifiers), **counts}
    return Event(EventType.SUBJECT_SEARCHED, operation="read", resource=resource, metadata=facts)
