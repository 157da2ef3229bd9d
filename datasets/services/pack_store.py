"""The record tree's objects in packs: sealed one by one, written together, found through the ``chunk`` table."""

import secrets
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from datasets.errors.upkeep import ErasedMeanwhile
from datasets.models import Blob, BlobKind, BlobState, Chunk, Dataset, FindingsBlob, SubjectIndexEntry
from datasets.services.keys import DatasetKeys
from datasets.services.pack_reader import PackReader
from datasets.tree.store import NewObject, StoredObject, TreeStore
from vaultsite.kernel.blobs import new_blob_name
from vaultsite.kernel.errors import JobFenced
from vaultsite.kernel.jobs import Claim

__all__ = ["PACK_BYTES", "PackReader", "PackWriter"]

#: A pack is closed when it reaches this many sealed bytes.
PACK_BYTES: Final = 8 * 1024 * 1024
#: Rows of one INSERT: a statement takes at most 65,535 parameters.
_INSERTED: Final = 2000


@dataclass
class _Pack:
    """One pack being filled."""

    blob: Blob
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    chunks: list[Chunk] = field(default_factory=list)
    findings: list[FindingsBlob] = field(default_factory=list)
    subjects: list[SubjectIndexEntry] = field(default_factory=list)
    objects: dict[bytes, StoredObject] = field(default_factory=dict)

    def append(self, sealed: bytes) -> tuple[int, int]:
        """Offset and length of ``sealed`` in the pack."""
        offset = self.size
        self.parts.append(sealed)
        self.size += len(sealed)
        return offset, len(sealed)


class PackWriter(PackReader, TreeStore):
    """Keeps new objects for one job. They are durable after ``flush``; the version that names them commits after it.

    ``epoch`` is the dataset's erasure epoch as it was when the job looked what it may not bring back; None: as it is
    now. Once records were erased since, nothing more is kept: ``flush`` raises ErasedMeanwhile.
    """

    def __init__(self, keys: DatasetKeys, *, claim: Claim, detector: bytes, epoch: int | None = None) -> None:
        super().__init__(keys)
        self.epoch = self._epoch_now() if epoch is None else epoch
        self.job: UUID = claim.pk
        self.sealed_bytes = 0
        self._claim = claim
        self._detector = detector
        self._pack: _Pack | None = None

    def known(self, digests: Collection[bytes]) -> set[bytes]:
        pending = set(self._pack.objects) if self._pack else set()
        with self.scope():
            rows = self._rows(list(digests)).filter(damaged_at=None)
            # Touched first: what a sweep deletes before this is not found, what is found after it no sweep deletes.
            rows.update(touched_at=Now())
            found = {bytes(digest) for digest in rows.values_list("digest", flat=True)}
        return found | (pending & set(digests))

    def load_many(self, digests: Sequence[bytes]) -> Iterator[StoredObject]:
        self._flush_any(digests)
        return super().load_many(digests)

    def load_bodies(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        self._flush_any(digests)
        return super().load_bodies(digests)

    def load_sidecars(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        self._flush_any(digests)
        return super().load_sidecars(digests)

    def _flush_any(self, digests: Sequence[bytes]) -> None:
        """Flush when one of these objects waits in the open pack."""
        if self._pack and any(digest in self._pack.objects for digest in digests):
            self.flush()

    def _rows(self, digests: Sequence[bytes]) -> QuerySet[Chunk]:
        """Only objects of committed versions and of this job: another job's may vanish with it."""
        mine_or_committed = Q(blob__job=None) | Q(blob__job=self.job)
        return super()._rows(digests).filter(mine_or_committed)

    def save(self, objects: Sequence[NewObject]) -> None:
        for item in objects:
            pack = self._open_pack()
            secret = secrets.token_bytes(32)
            offset, length = pack.append(self.keys.seal(item.kind, item.digest, secret, item.body))
            sidecar = self.keys.seal(f"{item.kind}-sidecar", item.digest, secret, item.sidecar)
            sidecar_offset, sidecar_length = pack.append(sidecar)
            pack.objects[item.digest] = StoredObject(item.kind, item.body, item.sidecar)
            pack.chunks.append(
                Chunk(
                    tenant_id=self.keys.tenant_id,
                    dataset_id=self.keys.dataset_id,
                    digest=item.digest,
                    kind=item.kind,
                    blob=pack.blob,
                    offset=offset,
                    length=length,
                    sidecar_offset=sidecar_offset,
                    sidecar_length=sidecar_length,
                    key_id=self.keys.key_id,
                    secret=secret,
                    record_count=item.count,
                    canonical_bytes=item.canonical_size,
                )
            )
        if self._pack and self._pack.size >= PACK_BYTES:
            self.flush()

    def own_findings(self, digest: bytes) -> bytes | None:
        """The encoded findings of a chunk by the set of detectors this writer works with."""
        if self._pack and any(row.digest == digest for row in self._pack.findings):
            self.flush()
        return self.findings(digest, self._detector)

    def findings_before(self, digest: bytes) -> bytes | None:
        """The encoded findings of a chunk by the latest other set of detectors."""
        return self._latest_findings(digest, ~Q(detector=self._detector))

    def has_findings(self, digest: bytes) -> bool:
        if self._pack and any(row.digest == digest for row in self._pack.findings):
            return True
        rows = FindingsBlob.objects.filter(dataset_id=self.keys.dataset_id, digest=digest, detector=self._detector)
        with self.scope():
            return rows.exists()

    def add_findings(self, digest: bytes, encoded: bytes) -> None:
        """Keep what the detector set found in a chunk."""
        pack = self._open_pack()
        secret = secrets.token_bytes(32)
        sealed = self.keys.seal("findings", digest + self._detector, secret, encoded)
        offset, length = pack.append(sealed)
        pack.findings.append(
            FindingsBlob(
                tenant_id=self.keys.tenant_id,
                dataset_id=self.keys.dataset_id,
                digest=digest,
                detector=self._detector,
                blob=pack.blob,
                offset=offset,
                length=length,
                key_id=self.keys.key_id,
                secret=secret,
            )
        )

    def add_subjects(self, record_id: str, leaf: bytes, keys: Sequence[bytes]) -> None:
        """Keep the index keys of one new leaf."""
        pack = self._open_pack()
        pack.subjects.extend(
            SubjectIndexEntry(
                tenant_id=self.keys.tenant_id,
                dataset_id=self.keys.dataset_id,
                key=key,
                record_id=record_id,
                leaf=leaf,
                job=self.job,
            )
            for key in keys
        )

    def flush(self) -> None:
        """Write the open pack and its rows: first the blob's row, then the blob, then what points into it."""
        pack, self._pack = self._pack, None
        if pack is None or not pack.parts:
            return
        pack.blob.size = pack.size
        with self._claim.scope():
            pack.blob.save(force_insert=True)
        self._blobs.put(pack.blob.name, b"".join(pack.parts))
        try:
            with self._claim.scope():
                self._require_epoch()
                self._insert_rows(pack)
                Blob.objects.filter(pk=pack.blob.pk).update(state=BlobState.SEALED)
        except JobFenced:
            self._blobs.delete(pack.blob.name)  # its row may be gone already: nobody else would find the object
            raise
        self.sealed_bytes += pack.size

    def _epoch_now(self) -> int:
        with self.scope():
            return Dataset.objects.values_list("erasure_epoch", flat=True).get(pk=self.keys.dataset_id)

    def _require_epoch(self) -> None:
        """Inside a scope, until whose end no erasure can end. Raises ErasedMeanwhile."""
        rows = Dataset.objects.select_for_update(no_key=True).filter(pk=self.keys.dataset_id)
        if rows.values_list("erasure_epoch", flat=True).first() != self.epoch:
            raise ErasedMeanwhile

    def _insert_rows(self, pack: _Pack) -> None:
        """A digest that another unfinished job holds too is taken over: its copy is as good, ours will last."""
        Chunk.objects.bulk_create(
            pack.chunks,
            batch_size=_INSERTED,
            update_conflicts=True,
            unique_fields=["tenant", "dataset", "digest"],
            update_fields=[
                "blob",
                "offset",
                "length",
                "sidecar_offset",
                "sidecar_length",
                "key_id",
                "secret",
                "touched_at",
                "damaged_at",
            ],
        )
        FindingsBlob.objects.bulk_create(
            pack.findings,
            batch_size=_INSERTED,
            update_conflicts=True,
            unique_fields=["tenant", "dataset", "digest", "detector"],
            update_fields=["blob", "offset", "length", "key_id", "secret", "damaged_at"],
        )
        SubjectIndexEntry.objects.bulk_create(pack.subjects, batch_size=_INSERTED, ignore_conflicts=True)

    def _open_pack(self) -> _Pack:
        if self._pack is None:
            self._pack = _Pack(
                Blob(
                    tenant_id=self.keys.tenant_id,
                    dataset_id=self.keys.dataset_id,
                    store=self.keys.store,
                    name=new_blob_name("pack"),
                    kind=BlobKind.PACK,
                    job=self.job,
                )
            )
        return self._pack
