"""Move stored objects into new packs by compare-and-swap: for erasure, compaction and whatever seals anew."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction

from datasets.models import Blob, BlobKind, BlobState, Chunk, FindingsBlob
from datasets.services.keys import DatasetKeys
from datasets.services.pack_store import PACK_BYTES
from datasets.services.places import Place
from datasets.tree.store import StoredObject
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.errors import JobFenced
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.tenancy.scope import active_alias


@dataclass(frozen=True, slots=True)
class Swap:
    """One row that shall point into the new pack, or go (``new`` is None), if it still is where it was read from."""

    model: type[Chunk] | type[FindingsBlob]
    pk: UUID
    old_blob: UUID
    old_offset: int
    new: dict[str, Any] | None

    def apply(self, blob: Blob) -> bool:
        """Inside a scope; False when the row has moved or is gone."""
        held = self.model.objects.filter(pk=self.pk, blob_id=self.old_blob, offset=self.old_offset)
        return bool(held.delete()[0] if self.new is None else held.update(blob=blob, **self.new))


@dataclass
class Move:
    """One chunk or node with the findings that must move with it, all or none."""

    swaps: list[Swap] = field(default_factory=list)
    #: Called in the transaction that moves it.
    effects: list[Callable[[], None]] = field(default_factory=list)


def _apply(move: Move, blob: Blob) -> bool:
    """All of a move or none of it; False when it was overtaken."""
    alias = active_alias()
    with transaction.atomic(using=alias):
        is_moved = all(swap.apply(blob) for swap in move.swaps)
        if is_moved:
            for effect in move.effects:
                effect()
        else:
            transaction.set_rollback(True, using=alias)
    return is_moved


class Relocation:
    """Fills one new pack with objects and then points their rows at it.

    A row that somebody else moved first keeps what it has: the bytes written here for it are never opened again. The
    new pack belongs to no job, so it counts as committed: what lies in it is found by every writer.
    """

    def __init__(self, keys: DatasetKeys, claim: Claim, *, guard: Callable[[], object] | None = None) -> None:
        """``guard`` is called in the transaction that swaps rows, before any: what it raises undoes the move."""
        self._keys = keys
        self._claim = claim
        self._guard = guard
        self._parts: list[bytes] = []
        self._moves: list[Move] = []
        self.size = 0
        #: The packs this has made.
        self.blobs: set[UUID] = set()

    @property
    def is_full(self) -> bool:
        return self.size >= PACK_BYTES

    def copy_object(self, move: Move, place: Place, body: bytes, sidecar: bytes) -> None:
        """Take sealed bytes over as they are: the row keeps key and secret."""
        self._add(move, Swap(Chunk, place.pk, *place.spot, self._append_both(body, sidecar)))

    def copy_findings(self, move: Move, row: FindingsBlob, sealed: bytes) -> None:
        offset = self._append(sealed)
        self._add(move, Swap(FindingsBlob, row.pk, row.blob_id, row.offset, {"offset": offset}))

    def seal_object(self, move: Move, place: Place, stored: StoredObject) -> None:
        """Seal an object anew under the current key and a new secret; the old secret goes with the old place."""
        secret = secrets.token_bytes(32)
        body = self._keys.seal(place.kind, place.digest, secret, stored.body)
        sidecar = self._keys.seal(f"{place.kind}-sidecar", place.digest, secret, stored.sidecar)
        new = self._append_both(body, sidecar) | {"key_id": self._keys.key_id, "secret": secret}
        self._add(move, Swap(Chunk, place.pk, *place.spot, new))

    def seal_findings(self, move: Move, row: FindingsBlob, encoded: bytes) -> None:
        secret = secrets.token_bytes(32)
        sealed = self._keys.seal("findings", bytes(row.digest) + bytes(row.detector), secret, encoded)
        new = {
            "offset": self._append(sealed),
            "length": len(sealed),
            "key_id": self._keys.key_id,
            "secret": secret,
        }
        self._add(move, Swap(FindingsBlob, row.pk, row.blob_id, row.offset, new))

    def drop_findings(self, move: Move, row: FindingsBlob) -> None:
        self._add(move, Swap(FindingsBlob, row.pk, row.blob_id, row.offset, None))

    def flush(self) -> tuple[int, int]:
        """Write the pack and swap the rows. How many objects moved, and how many had been moved by others.

        First the pack's row, then its bytes, then all rows in one transaction under the job's claim.
        """
        moves, parts = self._moves, self._parts
        self._moves, self._parts, size, self.size = [], [], self.size, 0
        if not moves:
            return 0, 0
        blob = Blob(
            tenant_id=self._keys.tenant_id,
            dataset_id=self._keys.dataset_id,
            store=self._keys.store,
            name=new_blob_name("pack"),
            kind=BlobKind.PACK,
            job=self._claim.pk,
            size=size,
        )
        with self._claim.scope():
            blob.save(force_insert=True)
        self.blobs.add(blob.pk)
        blobs = BlobStore.at(blob.store)
        blobs.put(blob.name, b"".join(parts))
        try:
            with self._claim.scope():
                if self._guard is not None:
                    self._guard()
                moved = sum(_apply(move, blob) for move in moves)
                Blob.objects.filter(pk=blob.pk).update(state=BlobState.SEALED if moved else BlobState.DEAD, job=None)
        except JobFenced:
            blobs.delete(blob.name)
            raise
        return moved, len(moves) - moved

    def _add(self, move: Move, swap: Swap) -> None:
        move.swaps.append(swap)
        if not self._moves or self._moves[-1] is not move:
            self._moves.append(move)

    def _append_both(self, body: bytes, sidecar: bytes) -> dict[str, Any]:
        offset = self._append(body)
        return {
            "offset": offset,
            "length": len(body),
            "sidecar_offset": self._append(sidecar),
            "sidecar_length": len(sidecar),
        }

    def _append(self, sealed: bytes) -> int:
        offset = self.size
        self._parts.append(sealed)
        self.size += len(sealed)
        return offset
