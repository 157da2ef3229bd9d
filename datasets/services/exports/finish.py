"""The end of an export: its files measured, its passport signed, its job settled, or everything taken back."""

import hashlib
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

from access.terms import Store, end_of_new
from datasets.errors.exports import ExportOutdated
from datasets.models import Blob, BlobKind, BlobState, Dataset, Export
from datasets.models.lineage import EdgeKind
from datasets.passport.statement import ExportedFile
from datasets.services.exports.collect import Collector
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.parts import (
    PASSPORT,
    PASSPORT_SEQUENCE,
    PASSPORT_TYPE,
    SLOTS,
    StoredFile,
    measure,
    parts_of,
    write_part,
)
from datasets.services.exports.progress import Progress, WrittenFile
from datasets.services.exports.statement import current_signer, make_statement, prove_rows, scan_of, source_of
from datasets.services.failures import failed
from datasets.services.lineage import LineageEnd, record_edge
from datasets.services.read import Release
from vaultsite.kernel.errors import BlobMissing, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import Claim


@dataclass(frozen=True)
class Ending:
    """Everything written, nothing handed out yet."""

    export: Export
    claim: Claim
    release: Release
    options: ExportOptions
    collector: Collector

    @property
    def progress(self) -> Progress:
        return self.collector.progress

    def finish(self) -> None:
        """Measure the files, sign their passport, finish the job. Raises ExportOutdated, BlobMissing, JobFenced."""
        with self.claim.scope():
            parts = parts_of(self.export.pk)
        files = [self._stored(file, parts) for file in sorted(self.progress.files, key=attrgetter("name"))]
        if sum(file.bytes for file in files) != self.progress.size:
            raise BlobMissing("A part of the export is gone")
        files.append(self._passport(files))
        with self.claim.scope():
            epoch = Dataset.objects.values_list("erasure_epoch", flat=True).get(pk=self.export.dataset_id)
            if epoch != self.export.epoch:
                raise ExportOutdated
            _drop_others(self.export.pk, files)
            self._record_lineage()
            self.claim.finish(
                files=[file.as_json() for file in files],
                record_count=self.progress.rows,
                size=sum(file.bytes for file in files),
                seed=None,
                survey=None,
                checkpoint={},
                expires_at=end_of_new(Store.EXPORTS),
                progress=self.progress.as_shown(0, has_survey=False) | {"stage": "done", "percent": 100},
            )

    def _stored(self, file: WrittenFile, parts: dict[int, Blob]) -> StoredFile:
        wanted = [file.sequence] if file.sequence is not None else self._sequences(file, parts)
        if any(sequence not in parts for sequence in wanted):
            raise BlobMissing("A part of the export is gone")
        mine = [parts[sequence] for sequence in wanted]
        encoder = self.collector.encoder
        digest, sizes = measure(self.collector.keys, mine, is_packed=encoder.is_packed_at_rest)
        return StoredFile(
            name=file.name,
            part=file.part,
            media_type=encoder.media_type,
            bytes=sum(sizes),
            sha256=digest,
            rows=file.tree.count,
            is_packed=encoder.is_packed_at_rest,
            parts=tuple((str(blob.pk), size) for blob, size in zip(mine, sizes, strict=True)),
        )

    def _sequences(self, file: WrittenFile, parts: dict[int, Blob]) -> list[int]:
        """The parts of a file of many, up to the last one that the checkpoint counts."""
        end = (self.progress.number + 1) * SLOTS
        return [found for found in sorted(parts) if found % SLOTS == file.index and SLOTS <= found < end]

    def _passport(self, files: list[StoredFile]) -> StoredFile:
        body = self._signed(files)
        blob = write_part(self.collector.keys, self.export.pk, sequence=PASSPORT_SEQUENCE, body=body, is_packed=True)
        digest = hashlib.sha256(body).hexdigest()
        parts = ((str(blob.pk), len(body)),)
        return StoredFile(PASSPORT, "", PASSPORT_TYPE, len(body), digest, 0, is_packed=True, parts=parts)

    def _signed(self, files: list[StoredFile]) -> bytes:
        proofs = prove_rows(self.release, self.options, self.progress.picks)
        with self.claim.scope():
            statement = make_statement(
                self.export,
                self.options,
                source=source_of(self.release.version),
                scan=scan_of(self.release.version),
                files=self._stated(files),
                rows_salt=self.collector.salt,
                proofs=proofs,
                withheld=self.progress.withheld_facts(),
            )
            return current_signer().sign(statement.as_json())

    def _stated(self, files: list[StoredFile]) -> list[ExportedFile]:
        roots = {file.name: file.tree.root().hex() for file in self.progress.files}
        encoder = self.collector.encoder
        return [
            ExportedFile(
                name=file.name,
                split=file.part,
                format=encoder.format,
                compression=encoder.compression,
                bytes=file.bytes,
                sha256=file.sha256,
                rows=file.rows,
                rows_root=roots[file.name],
            )
            for file in files
        ]

    def _record_lineage(self) -> None:
        kinds = {
            EdgeKind.ANONYMIZED_FROM: not self.release.is_raw,
            EdgeKind.SAMPLED_FROM: self.options.sample is not None,
            EdgeKind.FILTERED_FROM: self.options.filter.node is not None,
        }
        version, export = self.release.version, self.export
        target = LineageEnd.of_export(export.pk, export.dataset_id, f"{version.label} as {export.format}")
        for kind in [kind for kind, applies in kinds.items() if applies] or [EdgeKind.COPIED_FROM]:
            facts = {"records": self.progress.rows, "format": export.format}
            record_edge(kind=kind, source=LineageEnd.of_version(version), target=target, facts=facts)


def _drop_others(export_id: UUID, files: list[StoredFile]) -> None:
    """What a worker that lost its claim wrote once more."""
    named = [blob for file in files for blob, _ in file.parts]
    Blob.objects.filter(job=export_id, kind=BlobKind.EXPORT).exclude(pk__in=named).update(state=BlobState.DEAD)


def fail_export(export: Export, held: Claim, error: VaultError) -> None:
    """End the export with ``error``; nothing of it stays but its row."""
    with held.scope():
        discard(export.pk)
        held.fail(error, seed=None, survey=None, checkpoint={})
        emit(failed(EventType.EXPORT_FAILED, export, error, job="export", operation="export"))


def discard(export_id: UUID) -> None:
    """Inside a scope: everything the export wrote is to be removed."""
    Blob.objects.filter(job=export_id).update(state=BlobState.DEAD)
