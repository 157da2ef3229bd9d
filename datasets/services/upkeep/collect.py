"""Garbage collection: mark what versions reach, sweep the rest, and pack closer what is left."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import F, Min, QuerySet
from django.db.models.functions import Coalesce, Now

from datasets.models import Blob, BlobKind, BlobState, Chunk, Dataset, FindingsBlob, GarbageCollection, Version
from datasets.services.pack_reader import PackReader
from datasets.services.places import places_of, sealed_at
from datasets.services.relocation import Move, Relocation
from datasets.services.residency import require_store
from datasets.services.sweep import OWNERS
from datasets.services.upkeep.reachability import reachable
from datasets.upkeep_selectors import live_bytes
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.jobs import FINAL, Claim

#: Rows deleted in one transaction.
_BATCH: Final = 500
#: A pack is written anew when less than one byte in this many is live.
_SPARSE: Final = 2


@dataclass
class Collection:
    """One worker's hold on one garbage collection.

    Kept besides what versions reach: everything a job that has not ended may build on (it touches what it finds stored
    already), the packs of such jobs, and what was touched within the grace period.
    """

    row: GarbageCollection
    claim: Claim
    reader: PackReader
    beat: Callable[[], None]

    def run(self) -> None:
        """Raises what damaged nodes raise, before anything is deleted: below them nobody knows what is garbage."""
        limit = self._limit()
        with self.reader.scope():
            roots = Version.objects.filter(dataset_id=self._dataset_id).values_list("root", flat=True)
            distinct = {bytes(root) for root in roots}
        live = reachable(self.reader, distinct, self.beat)
        for batch in self._garbage(live, limit):
            self._sweep(batch, limit)
        self._bury()
        self._compact()
        self._bury()

    @property
    def _dataset_id(self) -> UUID:
        return self.reader.keys.dataset_id

    def _limit(self) -> datetime:
        """What was touched after this stays: the grace period, or the start of the oldest job that has not ended.

        By the database's clock. Read before the versions are: a job that starts later touches what it needs later.
        """
        grace = timedelta(hours=settings.GC_GRACE_HOURS)
        with self.reader.scope():
            now: datetime = Dataset.objects.values_list(Now(), flat=True).get(pk=self._dataset_id)
            jobs = [owner._default_manager.all() for owner in OWNERS if owner is not GarbageCollection]  # noqa: SLF001
            starts = [_oldest(rows, self._dataset_id) for rows in jobs]
        return min([now - grace, *(start for start in starts if start is not None)])

    def _garbage(self, live: set[bytes], limit: datetime) -> Iterator[list[UUID]]:
        """The rows to be swept, in order of id."""
        after: UUID | None = None
        while True:
            rows = self._sweepable(limit).order_by("pk")
            with self.reader.scope():
                page = list((rows.filter(pk__gt=after) if after else rows).values_list("pk", "digest")[:_BATCH])
            if not page:
                return
            after = page[-1][0]
            yield [pk for pk, digest in page if bytes(digest) not in live]
            self.beat()

    def _sweepable(self, limit: datetime) -> "QuerySet[Chunk]":
        return Chunk.objects.filter(dataset_id=self._dataset_id, blob__job=None, touched_at__lt=limit)

    def _sweep(self, batch: list[UUID], limit: datetime) -> None:
        """Delete the rows that nobody has touched meanwhile; a row that a writer holds is in use."""
        with self.claim.scope():
            rows = self._sweepable(limit).filter(pk__in=batch).select_for_update(skip_locked=True, of=("self",))
            held = [(pk, bytes(digest)) for pk, digest in rows.values_list("pk", "digest")]
            digests = [digest for _, digest in held]
            FindingsBlob.objects.filter(dataset_id=self._dataset_id, digest__in=digests).delete()
            Chunk.objects.filter(pk__in=[pk for pk, _ in held]).delete()
            self.claim.save(swept_count=F("swept_count") + len(held), progress={"stage": "sweep"})

    def _bury(self) -> None:
        """Packs that no row points into are dead. None comes to life again: rows come with their pack."""
        with self.claim.scope():
            packs = self._packs()  # before their rows: those of a pack that has no job any more are all there
            live = live_bytes(self._dataset_id)
            dead = [pack for pack in packs if pack.pk not in live]
            Blob.objects.filter(pk__in=[pack.pk for pack in dead]).update(state=BlobState.DEAD)
            freed = sum(pack.size for pack in dead)
            self.claim.save(dead_pack_count=F("dead_pack_count") + len(dead), freed_bytes=F("freed_bytes") + freed)

    def _packs(self) -> list[Blob]:
        packs = Blob.objects.filter(dataset_id=self._dataset_id, kind=BlobKind.PACK, state=BlobState.SEALED, job=None)
        return list(packs.order_by("pk"))

    def _compact(self) -> None:
        """Copy what lives in mostly dead packs into new ones, still sealed as it is."""
        with self.reader.scope():
            packs = self._packs()
            live = live_bytes(self._dataset_id)
            sparse = [pack for pack in packs if live.get(pack.pk, 0) * _SPARSE < pack.size]
        relocation = Relocation(self.reader.keys, self.claim)
        for pack in sparse:
            self.beat()
            self._empty(pack, relocation)
            if relocation.is_full:
                self._flush(relocation)
        self._flush(relocation)

    def _empty(self, pack: Blob, relocation: Relocation) -> None:
        """Queue everything that lives in a pack; what is missing stays where a scrub will find it missing."""
        blobs = BlobStore.at(self.reader.keys.store)
        with self.reader.scope():
            places = places_of(Chunk.objects.filter(blob=pack, damaged_at=None).order_by("offset"))
            findings = list(FindingsBlob.objects.filter(blob=pack, damaged_at=None).order_by("offset"))
        try:
            for place in places:
                relocation.copy_object(Move(), place, *sealed_at(blobs, place))
            for row in findings:
                require_store(pack.store, blobs)
                relocation.copy_findings(Move(), row, blobs.get_range(pack.name, row.offset, row.length))
        except BlobMissing:
            return

    def _flush(self, relocation: Relocation) -> None:
        size = relocation.size
        relocation.flush()
        self.claim.save(moved_bytes=F("moved_bytes") + size, progress={"stage": "compact"})


def _oldest(jobs: "QuerySet[Any]", dataset_id: UUID) -> datetime | None:
    """When the oldest job of a dataset that has not ended began."""
    unfinished = jobs.filter(dataset_id=dataset_id).exclude(status__in=FINAL)
    oldest: datetime | None = unfinished.aggregate(oldest=Min(Coalesce("started_at", "created_at")))["oldest"]
    return oldest
