"""The worker's part of a rescan: each chunk scanned once, compared with what was found before."""

import time
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from anonymization.errors import DetectionFailed
from anonymization.findings import Finding, decode_findings, encode_findings
from anonymization.services.detect import detect_records, detector_hash, forbidden_payment_data
from datasets.errors.upkeep import DataCorruption, ErasedMeanwhile
from datasets.models import (
    Blob,
    BlobKind,
    BlobState,
    Chunk,
    Dataset,
    ObjectKind,
    QuarantineCause,
    Rescan,
    Version,
)
from datasets.selectors import resource_of
from datasets.services.commit import discard_findings
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackWriter
from datasets.services.rescan.drift import Drift
from datasets.services.rescan.profiles import store_profiles
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.suppression import flag_returns_in
from datasets.services.sweep import remove_dead_blobs
from datasets.services.version_quarantine import place
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import EMPTY_ROOT, leaf_digest
from datasets.tree.reader import chunk_digests
from datasets.tree.record import TreeRecord
from vaultsite.kernel.errors import JobFenced, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import Claim, Pulse
from vaultsite.kernel.turn import is_hopeless, take_turn

#: Chunks between two checkpoints.
_BATCH: Final = 16
#: A worker gives its turn back after this many seconds.
TURN_SECONDS: Final = 480.0
#: So many suspect chunks are remembered by name; with more, every version is taken for suspect.
_SUSPECTS: Final = 10_000


def run_rescan(tenant_id: UUID, rescan_id: UUID) -> None:
    """Continue a rescan from its checkpoint for one turn."""

    def work(row: Rescan, held: Claim) -> None:
        if Scanning.open(row, held).run():
            Ending(row, held).run()
        else:
            held.give_turn_back(row)

    def fail(row: Rescan, held: Claim, error: VaultError) -> None:
        Ending(row, held).fail(error)

    take_turn(Rescan, tenant_id, rescan_id, work, fail=fail, ends=is_hopeless)
    remove_dead_blobs(tenant_id, job=rescan_id)


@dataclass
class Scanning:
    """One worker's turn; the checkpoint says behind which row it goes on, and which chunks are suspect."""

    row: Rescan
    claim: Claim
    writer: PackWriter
    rules: RecordRules
    drift: Drift = field(default_factory=Drift)
    _codec: ChunkCodec = field(default_factory=ChunkCodec)

    @classmethod
    def open(cls, row: Rescan, held: Claim) -> "Scanning":
        """Detectors that changed since the rescan was queued make it start again, by those of now."""
        detector = detector_hash()
        with held.scope():
            if bytes(row.detector) != detector:
                row.detector, row.checkpoint = detector, {}
                for name in _COUNTS:
                    setattr(row, name, 0)
                _save(held, row, Drift(), detector=detector)
            if "sequence" not in row.checkpoint:
                latest = Version.objects.filter(dataset_id=row.dataset_id).aggregate(Max("sequence"))["sequence__max"]
                row.checkpoint["sequence"] = latest or 0
            discard_findings(row.pk)  # a turn that was cut off before it could note them
            writer = PackWriter(load_keys(row.dataset_id), claim=held, detector=detector)
            return cls(row, held, writer, rules_for(row.dataset_id))

    def run(self) -> bool:
        """False when the turn ended before the chunks did."""
        deadline = time.monotonic() + TURN_SECONDS
        with self.claim.scope():
            self.row.chunk_count = self._chunks().count()
        self.drift.types = {name: list(counts) for name, counts in self.row.drift.items()}
        self.drift.records = self.row.changed_count
        while batch := self._next():
            for _, digest in batch:
                self._scan(digest)
            self._save(batch[-1][0])
            if time.monotonic() >= deadline:
                return False
        return True

    def _chunks(self) -> Any:
        return Chunk.objects.filter(dataset_id=self.row.dataset_id, kind=ObjectKind.CHUNK, blob__job=None)

    def _next(self) -> list[tuple[UUID, bytes]]:
        rows, after = self._chunks().order_by("pk"), self.row.checkpoint.get("after")
        with self.claim.scope():
            found = (rows.filter(pk__gt=after) if after else rows).values_list("pk", "digest")[:_BATCH]
            return [(pk, bytes(digest)) for pk, digest in found]

    def _scan(self, digest: bytes) -> None:
        """Scan one chunk, unless another job has done so; its records are compared in either case."""
        try:
            chunk = self._codec.decode(self.writer.load(digest).body)
        except DataCorruption:
            return  # nobody reads it; the scrubber has its own list
        records = list(chunk)
        before = _fitting(self.writer.findings_before(digest), len(records))
        known = _fitting(self.writer.own_findings(digest), len(records))
        findings = known if known is not None else self._detect(records)
        if findings is None:
            self._suspect(digest, QuarantineCause.NOT_SCANNED)
            return
        self._index(records, findings)
        if known is None:
            self.writer.add_findings(digest, encode_findings(findings))
        for old, new in zip(before if before is not None else findings, findings, strict=True):
            self.drift.add(old, new)
            if forbidden_payment_data(new):
                self.row.refused_count += 1
                self._suspect(digest, QuarantineCause.REFUSED_DATA)
        self.row.record_count += len(records)

    def _detect(self, records: list[TreeRecord]) -> list[list[Finding]] | None:
        """The findings of each record; None, and the failures counted, when any could not be scanned to its end."""
        try:
            found = detect_records([(record.data, record.metadata) for record in records])
        except DetectionFailed:
            self.row.failed_count += sum(not _is_scannable(record) for record in records)
            return None
        return [self.rules.with_stated(record.data, one) for record, one in zip(records, found, strict=True)]

    def _index(self, records: list[TreeRecord], findings: list[list[Finding]]) -> None:
        """Entries that are there already stay as they are."""
        for record, found in zip(records, findings, strict=True):
            keys = subject_keys(self.writer.keys.index, record.data, record.metadata, found)
            if keys:
                self.writer.add_subjects(record.id, leaf_digest(record.nonce, record.canonical), keys)

    def _suspect(self, digest: bytes, cause: QuarantineCause) -> None:
        named: dict[str, str] = self.row.checkpoint.setdefault("suspects", {})
        if len(named) < _SUSPECTS:
            named[digest.hex()] = str(cause)
        else:
            self.row.checkpoint["all_suspect"] = True

    def _save(self, after: UUID) -> None:
        """What was found stays, and the checkpoint that says so, in one transaction."""
        try:
            self.writer.flush()
        except ErasedMeanwhile:
            raise JobFenced from None  # somebody erased records just now: the same chunks are scanned in another turn
        self.row.checkpoint["after"] = str(after)
        self.row.scanned_count += _BATCH
        self.row.scanned_count = min(self.row.scanned_count, self.row.chunk_count)
        with self.claim.scope():
            Blob.objects.filter(job=self.row.pk, kind=BlobKind.PACK, state=BlobState.SEALED).update(job=None)
            _save(self.claim, self.row, self.drift)


def _fitting(encoded: bytes | None, count: int) -> list[list[Finding]] | None:
    """The findings of a chunk; None when there are none, or records were erased between two reads."""
    found = decode_findings(encoded) if encoded is not None else None
    return found if found is not None and len(found) == count else None


def _is_scannable(record: TreeRecord) -> bool:
    try:
        detect_records([(record.data, record.metadata)])
    except DetectionFailed:
        return False
    return True


def _save(held: Claim, row: Rescan, drift: Drift, **more: Any) -> None:
    row.drift, row.changed_count = drift.as_json(), drift.records
    percent = 100 * row.scanned_count // row.chunk_count if row.chunk_count else 0
    counts = {name: getattr(row, name) for name in _COUNTS}
    held.save(
        checkpoint=row.checkpoint,
        drift=row.drift,
        progress={"stage": "scan", "chunks": counts["scanned_count"], "percent": percent},
        **counts,
        **more,
    )


_COUNTS: Final = (
    "chunk_count", "scanned_count", "record_count", "changed_count", "failed_count", "refused_count"
)  # fmt: skip


@dataclass
class Ending:
    """Once every chunk was scanned: suspect versions into quarantine, new profiles, the report."""

    row: Rescan
    claim: Claim
    suspects: dict[QuarantineCause, list[Version]] = field(default_factory=dict)
    #: The sequence number of the last version that was looked at.
    seen: int = 0

    def run(self) -> None:
        with self.claim.scope():
            reader = PackWriter(load_keys(self.row.dataset_id), claim=self.claim, detector=bytes(self.row.detector))
        self._look(reader)
        store_profiles(self.claim, reader, self.row, beat=Pulse(self.claim))
        while not self._end():
            self._look(reader)

    def _end(self) -> bool:
        """Place the quarantine and finish; False when a version was published that nobody has looked at."""
        with self.claim.scope():
            # Versions are made under this lock as well: none comes between the look at them and the quarantine.
            dataset = Dataset.objects.select_for_update(no_key=True).get(pk=self.row.dataset_id)
            if self._versions().exists():
                return False
            for cause, versions in self.suspects.items():
                place(dataset, versions, cause=cause, by=self.row.requested_by, reason=f"rescan {self.row.pk}")
            progress = {"stage": "done", "chunks": self.row.scanned_count, "percent": 100}
            self.claim.finish(progress=progress, checkpoint={})
            Dataset.objects.filter(pk=dataset.pk).update(updated_at=Now())
            flag_returns_in(dataset, cause="rescan")
            emit(self._report(dataset, sum(map(len, self.suspects.values()))))
        return True

    def fail(self, error: VaultError) -> None:
        with self.claim.scope():
            self.claim.fail(error)
            report = self._report(Dataset.objects.get(pk=self.row.dataset_id), 0)
            emit(replace(report, status="failure", severity="warning", failure_reason=error.code))

    def _versions(self) -> QuerySet[Version]:
        """Those that were not looked at; none, where no chunk is suspect."""
        rows = Version.objects.filter(dataset_id=self.row.dataset_id, sequence__gt=self.seen).order_by("sequence")
        return rows if self.row.checkpoint.get("suspects") else rows.none()

    def _look(self, reader: PackWriter) -> None:
        """Which versions hold a suspect chunk; only nodes are read."""
        suspects: dict[str, str] = self.row.checkpoint.get("suspects", {})
        with self.claim.scope():
            versions = list(self._versions())
        beat = Pulse(self.claim)
        for version in versions:
            beat()
            causes = {suspects[name] for name in _chunk_names(reader, version) if name in suspects}
            causes |= self._causes_of_parents(version)
            if not causes and self.row.checkpoint.get("all_suspect"):
                causes = {str(QuarantineCause.NOT_SCANNED)}
            if causes:
                refused = str(QuarantineCause.REFUSED_DATA) in causes
                cause = QuarantineCause.REFUSED_DATA if refused else QuarantineCause.NOT_SCANNED
                self.suspects.setdefault(cause, []).append(version)
            self.seen = version.sequence

    def _causes_of_parents(self, version: Version) -> set[str]:
        """Chunks made since the scan began may hold suspect records of the parents: as if those were kept already."""
        if version.sequence <= self.row.checkpoint.get("sequence", 0):
            return set()
        parents = {version.parent_id, version.merge_parent_id}
        return {str(cause) for cause, found in self.suspects.items() if any(one.pk in parents for one in found)}

    def _report(self, dataset: Dataset, quarantined: int) -> Event:
        row = self.row
        return Event(
            type=EventType.RESCANNED,
            operation="read",
            severity="warning" if quarantined or row.drift else "info",
            resource=resource_of(dataset),
            metadata={
                "rescan": str(row.pk),
                "detector": bytes(row.detector).hex(),
                "records": row.record_count,
                "changed_records": row.changed_count,
                "failed_records": row.failed_count,
                "refused_records": row.refused_count,
                "quarantined_versions": quarantined,
                "drift": row.drift,
            },
        )


def _chunk_names(reader: PackWriter, version: Version) -> list[str]:
    root = bytes(version.root)
    return [] if root == EMPTY_ROOT else [digest.hex() for digest in chunk_digests(reader, root)]
