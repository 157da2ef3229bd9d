"""The worker's part of a key rotation: make the successor, then move everything under it, batch by batch."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.db.models import F

from access.models import KeyPurpose
from access.services.key_rotation import rewrap_keys, rotate_key
from datasets.models import Chunk, FindingsBlob, KeyRotation
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.places import FAULTS, open_findings, open_place, places_of
from datasets.services.relocation import Move, Relocation
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.tenancy.scope import current_tenant_id
from vaultsite.kernel.turn import is_hopeless, take_turn

#: Objects looked up, and keys wrapped, at a time.
_BATCH: Final = 64
#: A worker gives its turn back after this many seconds.
TURN_SECONDS: Final = 480.0


@dataclass
class Rotation:
    """One worker's turn at one rotation."""

    row: KeyRotation
    claim: Claim

    def run(self) -> bool:
        """False when the turn ended before the work did."""
        self._make_successor()
        deadline = time.monotonic() + TURN_SECONDS
        if self.row.purpose == KeyPurpose.KEK:
            return self._until(deadline, self._rewrap)
        if self.row.purpose == KeyPurpose.DATASET:
            assert self.row.dataset_id is not None
            with self.claim.scope():
                keys = load_keys(self.row.dataset_id)
            return self._until(deadline, Resealing(self.claim, keys).batch)
        return True

    def finish(self) -> None:
        with self.claim.scope():
            self.row.refresh_from_db(fields=["moved_count"])
            self.claim.finish(progress={"stage": "done", "objects": self.row.moved_count})
            emit(_rotated(self.row))

    def _make_successor(self) -> None:
        """The new key and the note of it in one transaction: a rotation makes one, however often it starts."""
        if self.row.new_key is not None:
            return
        with self.claim.scope():
            new = rotate_key(KeyPurpose(self.row.purpose), self.row.dataset_id or current_tenant_id())
            self.claim.save(new_key=new.pk, progress={"stage": "move", "objects": 0})
        self.row.new_key = new.pk

    @staticmethod
    def _until(deadline: float, batch: Callable[[], bool]) -> bool:
        while batch():
            if time.monotonic() >= deadline:
                return False
        return True

    def _rewrap(self) -> bool:
        assert self.row.new_key is not None
        with self.claim.scope():
            count = rewrap_keys(self.row.new_key, limit=_BATCH)
            self.claim.save(moved_count=F("moved_count") + count, progress={"stage": "rewrap"})
        return count == _BATCH


class Resealing:
    """Seals a dataset's objects under its current key, a pack at a time; garbage collection buries emptied packs.

    Passed over: what is damaged, and what belongs to jobs that have not ended; their objects keep the key they were
    sealed under, which still opens.
    """

    def __init__(self, held: Claim, keys: DatasetKeys) -> None:
        self._claim = held
        self._keys = keys
        self._blobs = BlobStore.at(keys.store)
        self._relocation = Relocation(keys, held)
        self._after: UUID | None = None
        self._stages = [self._objects, self._findings]

    def batch(self) -> bool:
        """Seal the next objects anew; False when there are none left."""
        if not self._stages:
            return False
        if not self._stages[0]():
            self._stages.pop(0)
            self._after = None
        if self._relocation.is_full or not self._stages:
            self._flush()
        return bool(self._stages)

    def _objects(self) -> bool:
        rows = Chunk.objects.filter(dataset_id=self._keys.dataset_id, blob__job=None, damaged_at=None)
        rows = rows.exclude(key_id=self._keys.key_id).order_by("pk")
        with self._claim.scope():
            places = places_of((rows.filter(pk__gt=self._after) if self._after else rows)[:_BATCH])
        for place in places:
            self._after = place.pk
            with suppress(*FAULTS):  # the scrubber finds what does not open
                self._relocation.seal_object(Move(), place, open_place(self._keys, self._blobs, place))
        return bool(places)

    def _findings(self) -> bool:
        rows = FindingsBlob.objects.filter(dataset_id=self._keys.dataset_id, blob__job=None, damaged_at=None)
        rows = rows.exclude(key_id=self._keys.key_id).select_related("blob").order_by("pk")
        with self._claim.scope():
            found = list((rows.filter(pk__gt=self._after) if self._after else rows)[:_BATCH])
        for row in found:
            self._after = row.pk
            with suppress(*FAULTS):
                self._relocation.seal_findings(Move(), row, open_findings(self._keys, self._blobs, row))
        return bool(found)

    def _flush(self) -> None:
        moved, _ = self._relocation.flush()
        self._claim.save(moved_count=F("moved_count") + moved, progress={"stage": "reseal"})


def run_rotation(tenant_id: UUID, rotation_id: UUID) -> None:
    """Continue a rotation until it is done, its turn is over, or another worker has taken it."""

    def work(row: KeyRotation, held: Claim) -> None:
        turn = Rotation(row, held)
        if turn.run():
            turn.finish()
        else:
            held.give_turn_back(row)

    take_turn(KeyRotation, tenant_id, rotation_id, work, fail=_fail, ends=is_hopeless)
    remove_dead_blobs(tenant_id, job=rotation_id)


def _fail(row: KeyRotation, held: Claim, error: VaultError) -> None:
    with held.scope():
        held.fail(error)
        emit(replace(_rotated(row), status="failure", severity="critical", failure_reason=error.code))


def _rotated(row: KeyRotation) -> Event:
    """The key is the new one, or empty when the rotation ended before it had made one."""
    return Event(
        type=EventType.KEY_ROTATED,
        operation="update",
        resource=ResourceRef("encryption_key", str(row.new_key or ""), dataset_id=row.dataset_id),
        metadata={
            "purpose": row.purpose,
            "reason": row.reason,
            "objects": row.moved_count,
            "rotation": str(row.pk),
            "requested_by": str(row.requested_by),
        },
    )
