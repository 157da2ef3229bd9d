"""The scrubber: reads every stored object of a dataset and checks that it is what it was."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias
from uuid import UUID

from django.db.models import F, QuerySet

from anonymization.errors import MalformedFindings
from anonymization.findings import decode_findings
from datasets.errors import CorruptTree
from datasets.models import Chunk, ErasedRecord, FindingsBlob, Scrub
from datasets.services.erasure.suppress import split_cells
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS, Place, open_findings, open_place, places_of
from datasets.services.quarantine import quarantine
from datasets.tree.chunk import Chunk as Opened
from datasets.tree.chunk import ChunkCodec, ChunkSidecar, verify_chunk
from datasets.tree.digests import DIGEST_BYTES
from datasets.tree.node import decode_node
from datasets.tree.store import ObjectKind
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.identifiers import moment_of
from vaultsite.kernel.jobs import Claim

#: Objects between two checkpoints.
_BATCH: Final = 64
#: After this many seconds the worker is free for others, and the scrub is queued again.
TURN_SECONDS: Final = 60.0
Rows: TypeAlias = QuerySet[Chunk] | QuerySet[FindingsBlob]
_ROT: Final = (*FAULTS, CorruptTree, MalformedFindings)


@dataclass
class Verification:
    """One worker's turn at one scrub; the checkpoint says behind which row it goes on."""

    row: Scrub
    claim: Claim
    reader: PackReader

    def __post_init__(self) -> None:
        self._blobs = BlobStore.at(self.reader.keys.store)
        self._codec = ChunkCodec()
        self._damaged = self._healed = 0

    def run(self) -> bool:
        """False when the turn ended before the objects did. Raises KeyUnavailable, StorageUnavailable, JobFenced."""
        deadline = time.monotonic() + TURN_SECONDS
        for stage, batch in (("objects", self._objects), ("findings", self._findings)):
            if self.row.checkpoint.get("stage", "objects") != stage:
                continue
            while batch():
                if time.monotonic() >= deadline:
                    return False
            self.row.checkpoint = {"stage": "findings"}
        return True

    def _objects(self) -> bool:
        """Verify the next chunks and nodes; False when there are none."""
        rows = Chunk.objects.filter(dataset_id=self._dataset_id).order_by("pk")
        after = self.row.checkpoint.get("after")
        with self.reader.scope():
            places = places_of((rows.filter(pk__gt=after) if after else rows)[:_BATCH])
        for place in places:
            same = Chunk.objects.filter(pk=place.pk, blob_id=place.blob_id, offset=place.offset)
            self._judge(same, place.digest, partial(self._verify, place), is_damaged=place.is_damaged)
        return self._save("objects", [place.pk for place in places])

    def _findings(self) -> bool:
        rows = FindingsBlob.objects.filter(dataset_id=self._dataset_id).order_by("pk")
        after = self.row.checkpoint.get("after")
        with self.reader.scope():
            found = list((rows.filter(pk__gt=after) if after else rows).select_related("blob")[:_BATCH])
        for row in found:
            same = FindingsBlob.objects.filter(pk=row.pk, blob_id=row.blob_id, offset=row.offset)
            read = partial(self._verify_findings, row)
            self._judge(same, bytes(row.digest), read, is_damaged=row.damaged_at is not None)
        return self._save("findings", [row.pk for row in found])

    @property
    def _dataset_id(self) -> UUID:
        return self.reader.keys.dataset_id

    def _verify(self, place: Place) -> bool:
        """Whether a whole object may be served: not a chunk that an erasure could not reach while it was damaged."""
        stored = open_place(self.reader.keys, self._blobs, place)
        if place.kind != ObjectKind.CHUNK:
            decode_node(stored.body, stored.sidecar, place.digest)
            return True
        chunk = self._codec.decode(stored.body)
        verify_chunk(chunk, place.digest)
        ChunkSidecar.decode(stored.sidecar)
        return not place.is_damaged or not self._holds_erased(place, chunk)

    def _holds_erased(self, place: Place, chunk: Opened) -> bool:
        """Whether a record of the chunk was erased since it was stored; it waits for that to be done again."""
        since = moment_of(place.pk)
        rows = ErasedRecord.objects.filter(dataset_id=self._dataset_id, record_id__in=chunk.ids, erased_at__gte=since)
        with self.reader.scope():
            spared = list(rows.values_list("record_id", "spared"))
        leaves = {record.id: record.leaf for record in chunk} if spared else {}
        return any(leaves[name] not in split_cells(bytes(cells), DIGEST_BYTES) for name, cells in spared)

    def _verify_findings(self, row: FindingsBlob) -> bool:
        decode_findings(open_findings(self.reader.keys, self._blobs, row))
        return True

    def _judge(self, same: Rows, digest: bytes, verify: Callable[[], bool], *, is_damaged: bool) -> None:
        """Mark what does not verify and still lies there; unmark what was damaged and is whole again."""
        try:
            may_serve = verify()
        except _ROT as rot:
            with self.reader.scope():
                self._damaged += quarantine(same, dataset_id=self._dataset_id, digest=digest, fault=rot.code)
        else:
            if is_damaged and may_serve:
                with self.reader.scope():
                    self._healed += same.update(damaged_at=None)

    def _save(self, stage: str, examined: Sequence[UUID]) -> bool:
        if not examined:
            return False
        self.row.checkpoint = {"stage": stage, "after": str(examined[-1])}
        self.claim.save(
            checkpoint=self.row.checkpoint,
            object_count=F("object_count") + len(examined),
            damaged_count=F("damaged_count") + self._damaged,
            healed_count=F("healed_count") + self._healed,
            progress={"stage": stage},
        )
        self._damaged = self._healed = 0
        return True
