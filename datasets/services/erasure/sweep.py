"""Find every stored chunk that holds one of the records, whatever version it is of or none, and rewrite it.

Not the versions are walked but the store: each node once, whichever versions share it. Nodes of the lowest level say
which chunks can hold an id; chunks that no node names (of builds in flight, or left over) are opened. Memory: about 100
bytes for each distinct chunk of the dataset, so 1 MB for a million records of 700 bytes.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar
from uuid import UUID

from django.db.models import F, QuerySet

from anonymization.detectors.walk import leaves
from anonymization.errors import FindingMismatch, MalformedFindings
from anonymization.findings import Finding, decode_findings, encode_findings
from anonymization.services.anonymize import found_text
from anonymization.services.token_vault.upkeep import forget_tokens
from datasets.errors import CorruptTree, TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.models import Blob, BlobKind, BlobState, Chunk, ErasedRecord, Erasure, FindingsBlob, ObjectKind
from datasets.services.erasure.spare import Spared, is_erased
from datasets.services.erasure.suppress import split_cells
from datasets.services.holds import Keeper
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS, Place, open_findings, open_place, places_of
from datasets.services.relocation import Move, Relocation
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import CONTENT_KEY_BYTES, DIGEST_BYTES
from datasets.tree.erase import erase_records
from datasets.tree.node import Child, decode_node
from datasets.tree.record import TreeRecord
from datasets.tree.store import StoredObject
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import Claim

#: Rows looked up at once.
_ROWS: Final = 64
#: Rows listed in one scope.
_LISTED: Final = 1_000
#: Packs that a query may name; of more, every row is looked at.
_FILTERED: Final = 1000

R = TypeVar("R", bound=tuple[Any, ...])


@dataclass
class Sweep:
    """One worker's search for the records of one erasure."""

    erasure: Erasure
    claim: Claim
    reader: PackReader
    ids: list[str]
    #: Asked again whenever rows are about to change: a hold may have come since.
    keeper: Keeper
    beat: Callable[[], None]
    #: Of each of ``ids`` the leaves that stay.
    spared: Spared
    #: Chunks that could not be opened although they may hold one of the ids.
    unreadable: set[bytes] = field(default_factory=set)
    #: Sealed packs whose objects have been examined.
    _examined: set[UUID] = field(default_factory=set)
    _codec: ChunkCodec = field(default_factory=ChunkCodec)

    def __post_init__(self) -> None:
        self._blobs = BlobStore.at(self.reader.keys.store)
        self._relocation = Relocation(self.reader.keys, self.claim, guard=self.keeper.refuse_held)

    def unexamined(self) -> set[UUID]:
        """In an open scope: the sealed packs of the dataset that no ``run`` has looked into."""
        packs = Blob.objects.filter(dataset_id=self._dataset_id, kind=BlobKind.PACK, state=BlobState.SEALED)
        return set(packs.values_list("pk", flat=True)) - self._examined - self._relocation.blobs

    def run(self) -> None:
        """Rewrite every chunk with one of the records in the packs that are sealed now. Raises JobFenced."""
        with self.reader.scope():
            packs = self.unexamined()
        named: set[bytes] = set()
        candidates: set[bytes] = set()
        for child in self._named_chunks(packs):
            named.add(child.digest)
            if self.may_hold(child):
                candidates.add(child.digest)
        self._rewrite_all(candidates)
        self._rewrite_all(self._nameless(named, packs))
        self._examined |= packs

    def may_hold(self, child: Child) -> bool:
        """Whether the range of a chunk or node has one of the ids."""
        at = bisect_left(self.ids, child.first_id)
        return at < len(self.ids) and self.ids[at] <= child.last_id

    @property
    def _dataset_id(self) -> UUID:
        return self.reader.keys.dataset_id

    def _named_chunks(self, packs: set[UUID]) -> Iterator[Child]:
        """What the lowest nodes in these packs say of their chunks."""
        for place in self._places(ObjectKind.NODE, packs):
            try:
                stored = self._opened(place)
                node = decode_node(stored.body, stored.sidecar, place.digest) if stored else None
            except CorruptTree:
                node = None
            if node is not None and node.level == 1:  # chunks that no node names are opened, each of them
                yield from node.children

    def _nameless(self, named: set[bytes], packs: set[UUID]) -> Iterator[bytes]:
        rows = self._objects(ObjectKind.CHUNK, packs)
        read = partial(_values, names=("pk", "digest", "blob_id"))
        for _, digest, blob_id in self._paged(read, rows, size=_LISTED):
            if blob_id in packs and bytes(digest) not in named:
                yield bytes(digest)

    def _places(self, kind: ObjectKind, packs: set[UUID]) -> Iterator[Place]:
        """Every object of a kind in these packs, in order of its row's id."""
        found = self._paged(_with_places, self._objects(kind, packs), size=_ROWS)
        return (place for _, place in found if place.blob_id in packs)

    def _objects(self, kind: ObjectKind, packs: set[UUID]) -> QuerySet[Chunk]:
        """At least those of a kind in these packs."""
        rows = Chunk.objects.filter(dataset_id=self._dataset_id, kind=kind)
        return rows.filter(blob_id__in=packs) if len(packs) <= _FILTERED else rows

    def _paged(self, read: Callable[[QuerySet[Chunk]], list[R]], rows: QuerySet[Chunk], *, size: int) -> Iterator[R]:
        """What ``read`` makes of the rows, in order of their ids, which come first; ``size`` of them a scope."""
        after: UUID | None = None
        while True:
            with self.reader.scope():
                page = read((rows if after is None else rows.filter(pk__gt=after)).order_by("pk")[:size])
            yield from page
            if len(page) < size:
                return
            after = page[-1][0]
            self.beat()

    def _opened(self, place: Place) -> StoredObject | None:
        """The object wherever it lies now; None when it is gone or damaged."""
        try:
            return open_place(self.reader.keys, self._blobs, place)
        except FAULTS:
            try:
                return self.reader.load(place.digest)
            except (DataCorruption, TreeObjectMissing):
                return None

    def _rewrite_all(self, digests: Iterable[bytes]) -> None:
        """Rewrite those of the chunks that hold a record, until no row has moved while its chunk was rewritten."""
        waiting = sorted(digests)
        while waiting:
            again: list[bytes] = []
            for start in range(0, len(waiting), _ROWS):
                self.beat()
                again += self._rewrite_batch(waiting[start : start + _ROWS])
            waiting = again

    def _rewrite_batch(self, digests: list[bytes]) -> list[bytes]:
        """Returns the chunks to look at again."""
        with self.reader.scope():
            rows = Chunk.objects.filter(dataset_id=self._dataset_id, digest__in=digests, kind=ObjectKind.CHUNK)
            places = places_of(rows)
            findings = self._findings([place.digest for place in places])
        queued: list[bytes] = []
        moved: list[bytes] = []
        for place in places:
            try:
                if self._rewrite(place, findings[place.digest]):
                    queued.append(place.digest)
            except (*FAULTS, CorruptTree):
                is_there = self._opened(place) is not None and not self._is_at(place)
                moved.append(place.digest) if is_there else self.unreadable.add(place.digest)
        _, overtaken = self._relocation.flush()
        return moved + (queued if overtaken else [])

    def _is_at(self, place: Place) -> bool:
        with self.reader.scope():
            return Chunk.objects.filter(pk=place.pk, blob_id=place.blob_id, offset=place.offset).exists()

    def _rewrite(self, place: Place, findings: list[FindingsBlob]) -> bool:
        """Queue the chunk for its new place; False when it holds none of the records."""
        stored = open_place(self.reader.keys, self._blobs, place)
        chunk = self._codec.decode(stored.body)
        gone = {index: record for index, record in enumerate(chunk) if is_erased(record, self.spared)}
        if not gone:
            return False
        move = Move()
        self._relocation.seal_object(move, place, erase_records(stored, {record.id for record in gone.values()}))
        quoted = {text for record in gone.values() for text in _values_of(record)}
        for row in findings:
            quoted |= self._rewrite_findings(move, row, gone)
        move.effects.append(partial(self._remember, list(gone.values())))
        move.effects.append(partial(self._forget_tokens, quoted))
        return True

    def _forget_tokens(self, values: set[str]) -> None:
        forget_tokens(values=values, dataset_id=self._dataset_id)

    def _rewrite_findings(self, move: Move, row: FindingsBlob, gone: Mapping[int, TreeRecord]) -> set[str]:
        """Leave out those of the erased records. What cannot be read is removed: the chunk is to be scanned again.

        Returns the texts that those of the erased records covered: what may have been tokenized.
        """
        try:
            found = decode_findings(open_findings(self.reader.keys, self._blobs, row))
        except (*FAULTS, MalformedFindings):
            self._relocation.drop_findings(move, row)
            return set()
        quoted = {text for index, record in gone.items() for text in _found_in(record, found[index : index + 1])}
        rest = [findings for index, findings in enumerate(found) if index not in gone]
        self._relocation.seal_findings(move, row, encode_findings(rest))
        return quoted

    def _findings(self, digests: list[bytes]) -> defaultdict[bytes, list[FindingsBlob]]:
        """By chunk, in the open scope."""
        found: defaultdict[bytes, list[FindingsBlob]] = defaultdict(list)
        for row in FindingsBlob.objects.filter(dataset_id=self._dataset_id, digest__in=digests).select_related("blob"):
            found[bytes(row.digest)].append(row)
        return found

    def _remember(self, gone: list[TreeRecord]) -> None:
        """In the transaction that makes them unreadable: what nothing from before may bring back."""
        by_id = {record.id: record for record in gone}
        rows = list(ErasedRecord.objects.filter(erasure=self.erasure, record_id__in=by_id))
        for row in rows:
            record, leaves, keys = by_id[row.record_id], bytes(row.leaves), bytes(row.content_keys)
            if record.leaf not in split_cells(leaves, DIGEST_BYTES):
                row.leaves = leaves + record.leaf
            if record.content_key not in split_cells(keys, CONTENT_KEY_BYTES):
                row.content_keys = keys + record.content_key
        ErasedRecord.objects.bulk_update(rows, ["leaves", "content_keys"], batch_size=_ROWS)
        Erasure.objects.filter(pk=self.erasure.pk).update(chunk_count=F("chunk_count") + 1)


def _values(rows: QuerySet[Chunk], *, names: Sequence[str]) -> list[tuple[Any, ...]]:
    return list(rows.values_list(*names))


def _with_places(rows: QuerySet[Chunk]) -> list[tuple[UUID, Place]]:
    return [(place.pk, place) for place in places_of(rows)]


def _values_of(record: TreeRecord) -> Iterator[str]:
    """Values that stand alone in their field: policies may have tokenized them whole."""
    return (leaf.text for leaf in leaves(_plain(record)) if leaf.part == "value" and leaf.text)


def _found_in(record: TreeRecord, found: Iterable[list[Finding]]) -> Iterator[str]:
    plain = _plain(record)
    for finding in chain.from_iterable(found):
        with suppress(FindingMismatch):  # then nobody was shown the record
            yield found_text(plain, finding)


def _plain(record: TreeRecord) -> dict[str, Any]:
    return {"data": record.data, "metadata": record.metadata}
