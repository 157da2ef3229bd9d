"""Which uploaded records the parent version has already, and what has to change for the rest.

Records with an id are matched by id. For records without one the file gives no identity, so equal content is matched:
a multiset join by content key, duplicates pairing in order.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from datasets.services.attachments import attach
from datasets.services.ingest.entries import Entry
from datasets.tree.builder import Change, Delete, Upsert
from datasets.tree.reader import iterate_chunks
from datasets.tree.record import TreeRecord
from datasets.tree.store import TreeSource

#: Content keys held in memory at once; a larger join takes several passes over its (sealed) inputs.
KEYS_IN_MEMORY: Final = 500_000


class ParentRow(NamedTuple):
    """A record of the parent version: its place in order of id, id, and content key."""

    ordinal: int
    id: str
    content_key: bytes


@dataclass(frozen=True)
class Matches:
    """Which lines of the upload equal a record of the parent, and which ordinals of the parent those are."""

    lines: "Bits"
    ordinals: "Bits"


class Bits:
    """A set of small whole numbers at one bit each."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, number: int) -> None:
        index = number >> 3
        if index >= len(self._bytes):
            self._bytes.extend(bytes(index + 1 - len(self._bytes) + len(self._bytes) // 8))
        self._bytes[index] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        index = number >> 3
        return index < len(self._bytes) and bool(self._bytes[index] >> (number & 7) & 1)


def parent_rows(store: TreeSource, root: bytes) -> Iterator[ParentRow]:
    """Every record of a version in order of id."""
    ordinal = 0
    for _, chunk in iterate_chunks(store, root):
        for record in chunk:
            yield ParentRow(ordinal, record.id, record.content_key)
            ordinal += 1


def match_contents(
    entries: Iterable[Entry], rows: Callable[[], Iterator[ParentRow]], *, size: int, beat: Callable[[], None]
) -> Matches:
    """Pair the entries without an id with parent records of equal content that the upload does not name by id.

    ``size`` (records of the larger side) decides the number of passes; ``beat`` is called between them.
    """
    matches = Matches(Bits(), Bits())
    passes = -(-size // KEYS_IN_MEMORY) or 1
    for number in range(passes):
        waiting: dict[bytes, deque[int]] = defaultdict(deque)
        for row in _not_named(entries, rows()):
            if row.content_key[0] % passes == number:
                waiting[row.content_key].append(row.ordinal)
        for entry in entries:
            if entry.is_generated and entry.content_key in waiting:
                ordinals = waiting[entry.content_key]
                matches.ordinals.add(ordinals.popleft())
                matches.lines.add(entry.line)
                if not ordinals:
                    del waiting[entry.content_key]
        beat()
    return matches


def _not_named(entries: Iterable[Entry], rows: Iterable[ParentRow]) -> Iterator[ParentRow]:
    """The rows whose id no entry of the upload carries explicitly."""
    named = (entry.id for entry in entries if not entry.is_generated)
    upcoming = next(named, None)
    for row in rows:
        while upcoming is not None and upcoming < row.id:
            upcoming = next(named, None)
        if upcoming != row.id:
            yield row


def replacing_changes(
    entries: Iterable[Entry], rows: Iterator[ParentRow], matches: Matches, nonce: Callable[[bytes], bytes]
) -> Iterator[Change]:
    """The changes after which the tree holds exactly the upload: unchanged records keep id and nonce."""
    row = next(rows, None)
    for entry in entries:
        if entry.is_generated and entry.line in matches.lines:
            continue
        while row is not None and row.id < entry.id:
            yield from _leaving(row, matches)
            row = next(rows, None)
        if row is not None and row.id == entry.id:
            if row.content_key != entry.content_key:
                yield upsert(entry, nonce)
            row = next(rows, None)
        else:
            yield upsert(entry, nonce)
    while row is not None:
        yield from _leaving(row, matches)
        row = next(rows, None)


def _leaving(row: ParentRow, matches: Matches) -> Iterator[Change]:
    if row.ordinal not in matches.ordinals:
        yield Delete(row.id)


def upsert(entry: Entry, nonce: Callable[[bytes], bytes]) -> Upsert:
    record = TreeRecord(entry.id, nonce(entry.id.encode()), entry.content_key, entry.canonical)
    return Upsert(record, attach(entry.findings, entry.subjects))
