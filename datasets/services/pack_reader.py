"""Reads the record tree's objects from their packs, wherever they have been moved to, and only what is whole."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from django.db.models import Q, QuerySet

from datasets.errors import TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.models import Chunk, FindingsBlob
from datasets.services.keys import DatasetKeys
from datasets.services.nearby import NearbyBodies
from datasets.services.node_cache import NODES
from datasets.services.places import FAULTS, PLACE_SECONDS, Place, open_findings, open_place, open_sidecar, places_of
from datasets.services.quarantine import quarantine
from datasets.tree.store import StoredObject, TreeSource
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

#: Places looked up together.
_LOOKED_UP: Final = 256

T = TypeVar("T")
_Open: TypeAlias = Callable[[DatasetKeys, BlobStore, Place], T]


@dataclass
class _Found:
    """Places looked up together, and when: each may be read from for PLACE_SECONDS."""

    places: dict[bytes, Place]
    looked_at: float

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.looked_at <= PLACE_SECONDS

    def place_of(self, digest: bytes) -> Place:
        """Raises TreeObjectMissing; DataCorruption when it is quarantined."""
        place = self.places.get(digest)
        if place is None:
            raise TreeObjectMissing
        if place.is_damaged:
            raise DataCorruption(digest)
        return place


class PackReader(TreeSource):
    """Reads the chunks and nodes of one dataset.

    Rows are looked up in short scopes, blobs are read outside any transaction.
    """

    def __init__(self, keys: DatasetKeys) -> None:
        self.keys = keys
        self._blobs = BlobStore.at(keys.store)

    def scope(self) -> AbstractContextManager[Scope]:
        return tenant_scope(self.keys.tenant_id, Principal.system(self.keys.tenant_id))

    def load(self, digest: bytes) -> StoredObject:
        """A node that this process has opened before is not read again."""
        known = NODES.get(self.keys.dataset_id, digest)
        if known is None:
            known = next(self.load_many([digest]))
            NODES.keep(self.keys.dataset_id, digest, known)
        return known

    def load_nodes(self, digests: Sequence[bytes]) -> Iterator[StoredObject]:
        """Those that this process has not opened before are looked up together."""
        known = {digest: NODES.get(self.keys.dataset_id, digest) for digest in digests}
        read = self.load_many([digest for digest, node in known.items() if node is None])
        for digest in digests:
            node = known[digest]
            if node is None:
                node = known[digest] = next(read)
                NODES.keep(self.keys.dataset_id, digest, node)
            yield node

    def load_many(self, digests: Sequence[bytes]) -> Iterator[StoredObject]:
        """Places are looked up together, bytes are read one by one as they are asked for.

        An object that moved in the meantime is read from where it is now. Raises TreeObjectMissing, DataCorruption.
        """
        return self._each(digests, lambda _: open_place)

    def load_bodies(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        """As ``load_many``, but bodies that lie near each other are read together, a megabyte at most."""
        return self._each(digests, lambda places: NearbyBodies(places).open)

    def load_sidecars(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        return self._each(digests, lambda _: open_sidecar)

    def _each(self, digests: Sequence[bytes], opener: Callable[[Sequence[Place]], _Open[T]]) -> Iterator[T]:
        """``opener`` gives what opens, for the places found, in the order of ``digests``."""
        done = 0
        while done < len(digests):
            wanted = digests[done : done + _LOOKED_UP]
            found = self._look_up(wanted)
            opened = opener([found.places[digest] for digest in wanted if digest in found.places])
            for digest in wanted:
                yield self._current(digest, found, opened)
                done += 1
                if not found.is_fresh:
                    break  # the rest is looked up again, together

    def _rows(self, digests: Sequence[bytes]) -> QuerySet[Chunk]:
        return Chunk.objects.filter(dataset_id=self.keys.dataset_id, digest__in=digests)

    def _look_up(self, digests: Sequence[bytes]) -> _Found:
        looked_at = time.monotonic()
        with self.scope():
            places = places_of(self._rows(digests))
        return _Found({place.digest: place for place in places}, looked_at)

    def _current(self, digest: bytes, found: _Found, opened: _Open[T]) -> T:
        """What is ``opened`` of the object as it is now.

        A place looked up too long ago, or that does not open, is looked up again.
        """
        while True:
            place = found.place_of(digest)
            fault: VaultError | None = None
            try:
                stored = opened(self.keys, self._blobs, place)
                if found.is_fresh:
                    return stored
            except FAULTS as met:
                fault = met
            found = self._look_up([digest])
            if found.place_of(digest).spot != place.spot:
                continue
            if fault is None:
                return stored
            with self.scope():
                rows = self._rows([digest]).filter(blob_id=place.blob_id, offset=place.offset)
                quarantine(rows, dataset_id=self.keys.dataset_id, digest=digest, fault=fault.code)
            raise DataCorruption(digest) from fault

    def findings(self, digest: bytes, detector: bytes | None = None) -> bytes | None:
        """The encoded findings of a chunk: by this set of detectors, or by the latest; None when not scanned by it.

        Raises DataCorruption.
        """
        return self._latest_findings(digest, Q() if detector is None else Q(detector=detector))

    def _latest_findings(self, digest: bytes, of: Q) -> bytes | None:
        while True:
            with self.scope():
                row = self._findings_row(digest, of)
            if row is None:
                return None
            if row.damaged_at is not None:
                raise DataCorruption(digest)
            try:
                return open_findings(self.keys, self._blobs, row)
            except FAULTS as fault:
                if not self._is_lost(row, fault):
                    continue  # it has moved
                raise DataCorruption(digest) from fault

    def _findings_row(self, digest: bytes, of: Q) -> FindingsBlob | None:
        rows = FindingsBlob.objects.filter(of, dataset_id=self.keys.dataset_id, digest=digest)
        return rows.select_related("blob").order_by("-id").first()

    def _is_lost(self, row: FindingsBlob, fault: VaultError) -> bool:
        """Whether the findings still lie where they could not be read from; then they are quarantined."""
        with self.scope():
            rows = FindingsBlob.objects.filter(pk=row.pk, blob_id=row.blob_id, offset=row.offset)
            if not rows.exists():
                return False
            quarantine(rows, dataset_id=self.keys.dataset_id, digest=bytes(row.digest), fault=fault.code)
        return True
