"""The worker's part of a search: the index, every store of every dataset from its beginning to its end, then requests.

After each batch the place it has come to is saved with what was found, so whoever continues begins there. Memory: one
block at a time, and the matches of a batch.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from anonymization.services.token_vault.find import find_token_spaces
from compliance.models import MatchReason, MatchState, SubjectMatch, SubjectSearch, SubjectStore
from compliance.requests.files import read_files
from compliance.subjects.identifiers import Known, open_known, seal_known
from compliance.subjects.index_search import index_entries, searched
from compliance.subjects.matcher import PROVEN, Hit, Matcher
from compliance.subjects.stores import READINGS, Reading
from datasets.models import Dataset
from datasets.services.holdings.piece import Block, Piece
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from vaultsite.kernel.errors import KeyDestroyed, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.turn import take_turn

#: Bytes looked at, or matches found, before they are saved.
BATCH_BYTES: Final = 8 * 1024 * 1024
BATCH_MATCHES: Final = 500
#: A search for what half of everybody has finds nothing of use; it ends here, and says so.
MAX_MATCHES: Final = 100_000
#: Spellings that are kept for tokens made of them.
_MAX_SPELLINGS: Final = 2_000
_SURE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Found:
    """A match before it is a row."""

    store: str
    place: str
    dataset_id: UUID | None
    object_id: UUID
    record_id: str
    hit: Hit


@dataclass(frozen=True, slots=True)
class Swept:
    """One block and what was found in it."""

    block: Block
    found: tuple[Found, ...]

    @property
    def size(self) -> int:
        return sum(len(piece.text) for piece in self.block.pieces)


def live_datasets() -> list[UUID]:
    """In an open scope: every dataset that still has keys, the deleted ones that can be restored included."""
    return list(Dataset.objects.filter(purged_at=None).order_by("pk").values_list("pk", flat=True))


def read_store(reader: PackReader, reading: Reading, matcher: Matcher, after: UUID | None) -> Iterator[Swept]:
    """What the matcher finds in one store of one dataset, block by block."""
    for block in reading.read(reader, after):
        yield Swept(block, tuple(_found(reader.keys.dataset_id, reading, block.pieces, matcher)))


def _found(dataset_id: UUID, reading: Reading, pieces: list[Piece], matcher: Matcher) -> Iterator[Found]:
    for index, hit in matcher.find([piece.text for piece in pieces]):
        piece = pieces[index]
        yield Found(reading.store, reading.place, dataset_id, piece.object_id, piece.record_id, hit)


@dataclass
class Sweep:
    """One worker's hold on one search."""

    search: SubjectSearch
    claim: Claim
    known: Known
    matcher: Matcher
    _waiting: list[Found] = field(default_factory=list)
    _swept: Counter[str] = field(default_factory=Counter)
    _bytes: int = 0
    _unreadable: int = 0

    @classmethod
    def open(cls, search: SubjectSearch, held: Claim) -> "Sweep":
        """Raises IdentifiersForgotten, KeyUnavailable."""
        with held.scope():
            known = open_known(search)
        return cls(search, held, known, Matcher(known.identifiers))

    def run(self) -> None:
        """From the checkpoint to the end."""
        if not self.search.checkpoint:
            self._ask_index()
        with self.claim.scope():
            datasets = live_datasets()
        for number, dataset_id in enumerate(datasets):
            if self._is_left(dataset_id) and not self.search.is_truncated:
                self._read_dataset(dataset_id, f"{number + 1}/{len(datasets)}")
        self._read_requests()
        self._finish(len(datasets))

    def _is_left(self, dataset_id: UUID) -> bool:
        """Whether something of the dataset is still to be read: told without its keys, which may be another zone's."""
        reached = str(self.search.checkpoint.get("dataset", ""))
        if reached == str(dataset_id):
            return int(self.search.checkpoint["reading"]) < len(READINGS)
        return str(dataset_id) > reached

    def _ask_index(self) -> None:
        with self.claim.scope():
            rows = [
                Found(SubjectStore.RECORD, "", dataset_id, dataset_id, record_id, Hit(number, "index", _SURE))
                for dataset_id, record_id, number in index_entries(self.known.identifiers)
            ]
        self._waiting += rows[:MAX_MATCHES]
        self._save({"reading": 0, "dataset": ""}, "index")

    def _read_dataset(self, dataset_id: UUID, of: str) -> None:
        try:
            with self.claim.scope():
                reader = PackReader(load_keys(dataset_id))
        except KeyDestroyed:  # purged meanwhile
            return
        resumed = self.search.checkpoint
        is_resumed = resumed.get("dataset") == str(dataset_id)
        first = resumed["reading"] if is_resumed else 0
        for number, reading in enumerate(READINGS[first:], start=first):
            begun = is_resumed and number == first and resumed.get("after")
            self._read(reader, reading, number, UUID(begun) if begun else None, of)

    def _read(self, reader: PackReader, reading: Reading, number: int, after: UUID | None, of: str) -> None:
        place: dict[str, Any] = {"dataset": str(reader.keys.dataset_id), "reading": number}
        for swept in read_store(reader, reading, self.matcher, after):
            self._waiting += swept.found
            self._swept[reading.store] += swept.size
            self._bytes += swept.size
            self._unreadable += swept.block.unreadable
            if self._bytes >= BATCH_BYTES or len(self._waiting) >= BATCH_MATCHES:
                self._save(place | {"after": str(swept.block.after)}, of)
        self._save(place | {"reading": number + 1}, of)

    def _read_requests(self) -> None:
        """The files of all requests but the one that asks: that is the proof of what is done for it."""
        reached = self.search.checkpoint.get("request")
        after = UUID(reached) if reached else None
        while not self.search.is_truncated:
            with self.claim.scope():
                after, pieces = read_files(after, besides=self.search.case)
            if after is None:
                return
            for index, hit in self.matcher.find([piece.text for piece in pieces]):
                one = pieces[index]
                self._waiting.append(Found(SubjectStore.REQUEST, one.place, None, one.request_id, one.part, hit))
            self._swept[SubjectStore.REQUEST] += sum(len(piece.text) for piece in pieces)
            self._save(self.search.checkpoint | {"request": str(after)}, "requests")

    def _save(self, checkpoint: dict[str, Any], of: str) -> None:
        """What was found and how far it is, in one transaction."""
        found, self._waiting = self._waiting, []
        spellings = {one.hit.spelling for one in found if one.hit.spelling} - self.known.spellings
        if len(self.known.spellings) < _MAX_SPELLINGS and spellings:
            self.known = Known(self.known.identifiers, self.known.spellings | spellings)
        with self.claim.scope():
            keep_matches(self.search, found)
            total = SubjectMatch.objects.filter(search=self.search).count()
            self.search.is_truncated = total >= MAX_MATCHES
            self.search.swept = dict(Counter(self.search.swept) + self._swept)
            self.search.unreadable += self._unreadable
            self.search.checkpoint = checkpoint
            self.claim.save(
                checkpoint=checkpoint,
                swept=self.search.swept,
                unreadable=self.search.unreadable,
                is_truncated=self.search.is_truncated,
                identifiers=seal_known(self.search.pk, self.known),
                progress={"stage": "sweep", "dataset": of, "matches": total},
            )
        self._swept.clear()
        self._bytes = self._unreadable = 0

    def _finish(self, datasets: int) -> None:
        with self.claim.scope():
            self._look_for_tokens()
            counts = Counter(SubjectMatch.objects.filter(search=self.search).values_list("store", flat=True))
            self.claim.finish(counts=dict(counts), dataset_count=datasets, checkpoint={}, progress={"stage": "done"})
            emit(searched(_resource(self.search), self.known.identifiers, matches=counts.total(), datasets=datasets))

    def _look_for_tokens(self) -> None:
        """One match an identifier and space of tokens: tokens are named by nothing but their values."""
        for number, one in enumerate(self.known.identifiers):
            for space_id, dataset_id in find_token_spaces(values_of(Known((one,), self.known.spellings))):
                hit = Hit(number, "tokenized", _SURE)
                row = Found(SubjectStore.TOKEN, "", dataset_id or space_id, space_id, "", hit)
                keep_matches(self.search, [row])


def values_of(known: Known) -> set[str]:
    """The texts that a policy may have tokenized whole."""
    return {one.value for one in known.identifiers} | known.spellings


def keep_matches(search: SubjectSearch, found: Iterable[Found]) -> None:
    """In the open scope. Of several hits in one place the best stays; what somebody decided on stays as it is."""
    best: dict[tuple[Any, ...], Found] = {}
    for one in found:
        place = (one.store, one.object_id, one.place, one.record_id)
        if place not in best or one.hit.score > best[place].hit.score:
            best[place] = one
    SubjectMatch.objects.bulk_create(
        [_row(search, one) for one in best.values()], batch_size=BATCH_MATCHES, ignore_conflicts=True
    )
    proven = [one for one in best.values() if one.hit.reason in PROVEN]
    for store in {one.store for one in proven}:
        _raise_pending(search, [one for one in proven if one.store == store])


def _raise_pending(search: SubjectSearch, proven: list[Found]) -> None:
    """What was a name so far, and is an identifier now, is the person's."""
    pending = SubjectMatch.objects.filter(search=search, store=proven[0].store, state=MatchState.PENDING)
    pending = pending.filter(object_id__in={one.object_id for one in proven})
    by_place = {(one.object_id, one.place, one.record_id): one.hit for one in proven}
    for row in pending.filter(record_id__in={one.record_id for one in proven}):
        hit = by_place.get((row.object_id, row.place, row.record_id))
        if hit is not None:
            row.reason, row.score, row.identifier, row.state = hit.reason, hit.score, hit.number, MatchState.ACCEPTED
            row.save(update_fields=["reason", "score", "identifier", "state"])


def _row(search: SubjectSearch, one: Found) -> SubjectMatch:
    return SubjectMatch(
        search=search,
        store=one.store,
        dataset_id=one.dataset_id,
        object_id=one.object_id,
        place=one.place,
        record_id=one.record_id,
        identifier=one.hit.number,
        reason=MatchReason(one.hit.reason),
        score=one.hit.score,
        state=MatchState.ACCEPTED if one.hit.reason in PROVEN else MatchState.PENDING,
    )


def run_search(tenant_id: UUID, search_id: UUID) -> None:
    """Continue a search until it has ended or is another worker's."""
    take_turn(SubjectSearch, tenant_id, search_id, lambda search, held: Sweep.open(search, held).run(), fail=_fail)


def _fail(search: SubjectSearch, held: Claim, error: VaultError) -> None:
    with held.scope():
        held.fail(error)
        emit(
            Event(
                EventType.SUBJECT_SEARCHED,
                operation="read",
                status="failure",
                severity="warning",
                resource=_resource(search),
                failure_reason=error.code,
            )
        )


def _resource(search: SubjectSearch) -> ResourceRef:
    return ResourceRef("subject_search", str(search.pk))
