"""Parse, validate and scan an upload into sealed sorted runs; resumable at every run."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from anonymization.errors import DetectionFailed
from anonymization.findings import Finding, encode_findings
from anonymization.services.detect import detect_records, forbidden_payment_data
from datasets.errors import MalformedRecord, RefusedLine, RefusedPaymentData, ShapeMismatch
from datasets.formats.ids import generated_ids
from datasets.formats.rows import RawRecord, Rejected
from datasets.models import Blob, BlobKind, Ingest, OnError
from datasets.services.ingest.entries import Entry, pack_entries
from datasets.services.ingest.known import Content, KnownContents, open_known
from datasets.services.ingest.rows import read_rows
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys
from datasets.services.record_quarantine import MAX_QUARANTINED, Unscanned, keep_unscanned
from datasets.services.schemas import RecordRules, checked, rules_for
from datasets.services.temporary import write_temporary
from datasets.tree.digests import CONTENT_KEY_BYTES, keyed_digest
from datasets.tree.record import assembled_record
from vaultsite.kernel.jobs import Claim

#: Canonical bytes of one run: what a killed worker may have to scan again, and what it holds in memory.
RUN_BYTES: Final = 16 * 1024 * 1024
#: A run is closed after this long too: whoever scans slowly must come to a checkpoint before the time limit of a task.
RUN_SECONDS: Final = 120.0
#: Records given to the detector at a time; the lease is renewed between batches.
BATCH_RECORDS: Final = 256
BATCH_BYTES: Final = 512 * 1024
MAX_REJECTS: Final = 100_000


@dataclass
class Progress:
    """How far a scan has come; the checkpoint of the job, and nothing else, carries it over a crash."""

    line: int = 0
    records: int = 0
    rejected: int = 0
    quarantined: int = 0
    #: The set of detectors that scanned, in hex.
    detector: str = ""
    #: The blobs written so far, by id; a run is one of them, or several after merging. What a killed or fenced worker
    #: wrote beside them is not among these.
    runs: list[list[str]] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, checkpoint: dict[str, Any]) -> "Progress":
        return cls(**{name: checkpoint[name] for name in cls.__dataclass_fields__ if name in checkpoint})

    def as_checkpoint(self, stage: str) -> dict[str, Any]:
        return {"stage": stage, **self.__dict__}


@dataclass
class Scan:
    """One pass over an upload from where the last one stopped."""

    ingest: Ingest
    claim: Claim
    keys: DatasetKeys
    progress: Progress
    _entries: list[Entry] = field(default_factory=list)
    _rejects: list[bytes] = field(default_factory=list)
    _unscanned: list[Unscanned] = field(default_factory=list)
    _run_bytes: int = 0
    _known: KnownContents | None = None
    _rules: RecordRules = field(init=False)

    def __post_init__(self) -> None:
        with self.claim.scope():  # of when the upload was sent, so that a scan that is taken up again judges alike
            self._rules = rules_for(self.ingest.dataset_id, at=self.ingest.created_at)

    def run(self, parts: Sequence[Blob], *, deadline: float) -> bool:
        """Scan everything after ``progress.line``; False when ``deadline`` (monotonic seconds) came first.

        Raises RefusedLine or RefusedFile for bad input, DetectionFailed, JobFenced.
        """
        last_line = self.progress.line
        due = time.monotonic() + RUN_SECONDS
        rows = checked(self._open_rows(parts), self._rules)
        self._known = open_known(self.ingest, self.keys, bytes.fromhex(self.progress.detector))
        for batch in _batches(rows):
            self._scan(batch)
            last_line = batch[-1].line
            if self._run_bytes >= RUN_BYTES or time.monotonic() >= due:
                self._save(last_line)
                due = time.monotonic() + RUN_SECONDS
                if time.monotonic() >= deadline:
                    return False
            else:
                self.claim.save(progress={"stage": "scan", "records": self.progress.records + len(self._entries)})
        self._save(last_line)
        return True

    def _open_rows(self, parts: Sequence[Blob]) -> Iterator[RawRecord | Rejected]:
        """The rows not scanned yet; what the file was found to be is kept, so that every worker reads it alike."""
        found, rows = read_rows(self.ingest, self.keys, parts, after=self.progress.line)
        self.ingest.recognized_format, self.ingest.recognized_shape = found.format, found.shape
        self.claim.save(recognized_format=found.format, recognized_shape=found.shape)
        return rows

    def _scan(self, batch: list[RawRecord | Rejected]) -> None:
        for row in batch:
            if isinstance(row, Rejected):
                self._reject(row.error, row.raw)
        records = [row for row in batch if isinstance(row, RawRecord)]
        name = generated_ids(self.ingest.created_at, self.ingest.id)
        contents = self._contents(records)
        found = self._detect(records, contents)
        for record, content, detected in zip(records, contents, found, strict=True):
            if isinstance(detected, DetectionFailed):
                self._quarantine(_unscanned(record, record.id or name(record.line), content, detected))
                continue
            findings = self._rules.with_stated(record.data, detected)
            if forbidden_payment_data(findings):
                self._reject_payment_data(record)
                continue
            record_id = record.id or name(record.line)
            entry = Entry(
                id=record_id,
                line=record.line,
                is_generated=record.id is None,
                content_key=content.key,
                canonical=assembled_record(record_id, content.data, content.metadata),
                findings=encode_findings([findings]) if findings else b"",
                subjects=subject_keys(self.keys.index, record.data, record.metadata, findings),
            )
            self._entries.append(entry)
            self._run_bytes += len(entry.canonical)

    def _contents(self, records: Sequence[RawRecord]) -> list[Content]:
        content_key = content_keys(self.keys)
        return [
            Content(content_key(record.canonical, record.metadata), record.canonical, _metadata_bytes(record))
            for record in records
        ]

    def _detect(
        self, records: Sequence[RawRecord], contents: Sequence[Content]
    ) -> list[list[Finding] | DetectionFailed]:
        """The findings of each record: those of its equal on the branch, else by looking; or why that failed."""
        known = self._known.findings_of(contents) if self._known else [None] * len(records)
        new = [(row.data, row.metadata) for row, findings in zip(records, known, strict=True) if findings is None]
        detected = iter(_looked_into(new))
        return [next(detected) if findings is None else findings for findings in known]

    def _quarantine(self, record: Unscanned) -> None:
        """A record that cannot be scanned is not stored: it waits for somebody to look at it."""
        if self.ingest.on_error == OnError.ABORT:
            raise record.error
        if self.progress.quarantined + len(self._unscanned) >= MAX_QUARANTINED:
            raise record.error  # rather the detectors are at fault than so many records
        self._unscanned.append(record)
        self._run_bytes += len(record.body)

    def _reject_payment_data(self, record: RawRecord) -> None:
        if self.ingest.on_error == OnError.ABORT:
            raise RefusedPaymentData(f"Line {record.line} holds card authentication data", line=record.line)
        error = MalformedRecord("the record holds card authentication data", reason="payment-data", line=record.line)
        self._reject(error, b"")

    def _reject(self, error: RefusedLine, raw: bytes) -> None:
        if self.ingest.on_error == OnError.ABORT or self.progress.rejected + len(self._rejects) >= MAX_REJECTS:
            raise error
        report = {"line": error.line, "code": error.code, "reason": error.reason, "detail": error.rule}
        if isinstance(error, ShapeMismatch):
            report["pointer"] = error.pointer
        self._rejects.append(orjson.dumps(report | {"raw": raw.decode(errors="replace")}) + b"\n")
        self._run_bytes += len(self._rejects[-1])

    def _save(self, last_line: int) -> None:
        """Write what was collected and the checkpoint that says so."""
        progress = self.progress
        if self._entries:
            self._entries.sort(key=lambda entry: entry.id)
            progress.runs.append([self._write(BlobKind.RUN, len(progress.runs) + 1, pack_entries(self._entries))])
        if self._rejects:
            progress.reports.append(self._write(BlobKind.REPORT, len(progress.reports) + 1, iter(self._rejects)))
        progress.records += len(self._entries)
        progress.quarantined += len(self._unscanned)
        progress.rejected += len(self._rejects)
        progress.line = last_line
        unscanned, self._unscanned = self._unscanned, []
        self._entries, self._rejects, self._run_bytes = [], [], 0
        with self.claim.scope():
            keep_unscanned(self.ingest, self.keys, unscanned)
            self.claim.save(
                checkpoint=progress.as_checkpoint("scan"),
                progress={"stage": "scan", "records": progress.records},
                rejected_count=progress.rejected,
                quarantined_count=progress.quarantined,
            )

    def _write(self, kind: BlobKind, sequence: int, frames: Iterator[bytes]) -> str:
        blob = write_temporary(self.keys, kind=kind, job=self.ingest.id, sequence=sequence, frames=frames)
        return str(blob.id)


def _unscanned(record: RawRecord, record_id: str, content: Content, failed: DetectionFailed) -> Unscanned:
    body = assembled_record(record_id, content.data, content.metadata)
    return Unscanned(record.line, record_id, body, failed)


def _looked_into(
    records: Sequence[tuple[dict[str, Any], dict[str, Any]]],
) -> list[list[Finding] | DetectionFailed]:
    """The findings of each; where the whole batch fails, each by itself, with the failure of those that do."""
    if not records:
        return []
    try:
        return list(detect_records(records))
    except DetectionFailed:
        return [_looked_into_one(record) for record in records]


def _looked_into_one(record: tuple[dict[str, Any], dict[str, Any]]) -> list[Finding] | DetectionFailed:
    try:
        return detect_records([record])[0]
    except DetectionFailed as failed:
        return failed


def _metadata_bytes(record: RawRecord) -> bytes:
    return orjson.dumps(record.metadata, option=orjson.OPT_SORT_KEYS) if record.metadata else b"{}"


def content_keys(keys: DatasetKeys) -> Callable[[bytes, dict[str, Any]], bytes]:
    """The function of canonical data and metadata that is equal for equal contents: HMAC-SHA-256, cut to 16 bytes."""
    digest = keyed_digest(keys.content, CONTENT_KEY_BYTES)

    def content_key(canonical_data: bytes, metadata: dict[str, Any]) -> bytes:
        if not metadata:
            return digest(canonical_data)
        return digest(canonical_data + b"\0" + orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS))

    return content_key


def _batches(rows: Iterable[RawRecord | Rejected]) -> Iterator[list[RawRecord | Rejected]]:
    batch: list[RawRecord | Rejected] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row.canonical) if isinstance(row, RawRecord) else len(row.raw)
        if len(batch) >= BATCH_RECORDS or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
