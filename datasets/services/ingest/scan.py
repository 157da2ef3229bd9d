"""Parse, validate and scan an upload into sealed sorted runs; resumable at every run."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from django.conf import settings

from anonymization.findings import encode_findings
from anonymization.services.detect import detect_records, forbidden_payment_data
from datasets.errors import MalformedRecord, RefusedFile, RefusedLine, RefusedPaymentData
from datasets.formats.csv import read_csv
from datasets.formats.decompress import Limits, decompressed
from datasets.formats.ids import IdRule, generated_ids
from datasets.formats.jsonl import read_jsonl
from datasets.formats.rows import RawRecord, Rejected
from datasets.models import Blob, BlobKind, Ingest, IngestFormat, OnError
from datasets.services.ingest.entries import Entry, pack_entries
from datasets.services.ingest.receive import read_parts
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys
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
    #: The set of detectors that scanned, in hex.
    detector: str = ""
    #: The blobs written so far, by id. What a killed or fenced worker wrote beside them is not among these.
    runs: list[str] = field(default_factory=list)
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
    _run_bytes: int = 0
    _rules: RecordRules = field(init=False)

    def __post_init__(self) -> None:
        with self.claim.scope():  # of when the upload was sent, so that a scan that is taken up again judges alike
            self._rules = rules_for(self.ingest.dataset_id, at=self.ingest.created_at)

    def run(self, parts: Iterable[Blob], *, deadline: float) -> bool:
        """Scan everything after ``progress.line``; False when ``deadline`` (monotonic seconds) came first.

        Raises RefusedLine or RefusedFile for bad input, DetectionFailed, JobFenced.
        """
        last_line = self.progress.line
        due = time.monotonic() + RUN_SECONDS
        for batch in _batches(checked(self._new_rows(parts), self._rules)):
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

    def _new_rows(self, parts: Iterable[Blob]) -> Iterator[RawRecord | Rejected]:
        for row in read_rows(self.ingest, self.keys, parts):
            if row.line > self.progress.line:
                yield row

    def _scan(self, batch: list[RawRecord | Rejected]) -> None:
        for row in batch:
            if isinstance(row, Rejected):
                self._reject(row.error, row.raw)
        records = [row for row in batch if isinstance(row, RawRecord)]
        name = generated_ids(self.ingest.created_at, self.ingest.id)
        content_key = content_keys(self.keys)
        found = detect_records([(record.data, record.metadata) for record in records])
        for record, detected in zip(records, found, strict=True):
            findings = self._rules.with_stated(record.data, detected)
            if forbidden_payment_data(findings):
                self._reject_payment_data(record)
                continue
            record_id = record.id or name(record.line)
            canonical = _canonical(record_id, record)
            entry = Entry(
                id=record_id,
                line=record.line,
                is_generated=record.id is None,
                content_key=content_key(record.canonical, record.metadata),
                canonical=canonical,
                findings=encode_findings([findings]) if findings else b"",
                subjects=subject_keys(self.keys.index, record.data, record.metadata, findings),
            )
            self._entries.append(entry)
            self._run_bytes += len(canonical)

    def _reject_payment_data(self, record: RawRecord) -> None:
        if self.ingest.on_error == OnError.ABORT:
            raise RefusedPaymentData(f"Line {record.line} holds card authentication data", line=record.line)
        error = MalformedRecord("the record holds card authentication data", reason="payment-data", line=record.line)
        self._reject(error, b"")

    def _reject(self, error: RefusedLine, raw: bytes) -> None:
        if self.ingest.on_error == OnError.ABORT or self.progress.rejected + len(self._rejects) >= MAX_REJECTS:
            raise error
        report = {"line": error.line, "code": error.code, "reason": error.reason, "detail": error.rule}
        self._rejects.append(orjson.dumps(report | {"raw": raw.decode(errors="replace")}) + b"\n")
        self._run_bytes += len(self._rejects[-1])

    def _save(self, last_line: int) -> None:
        """Write what was collected and the checkpoint that says so."""
        progress = self.progress
        if self._entries:
            self._entries.sort(key=lambda entry: entry.id)
            self._write(BlobKind.RUN, progress.runs, pack_entries(self._entries))
        if self._rejects:
            self._write(BlobKind.REPORT, progress.reports, iter(self._rejects))
        progress.records += len(self._entries)
        progress.rejected += len(self._rejects)
        progress.line = last_line
        self._entries, self._rejects, self._run_bytes = [], [], 0
        self.claim.save(
            checkpoint=progress.as_checkpoint("scan"),
            progress={"stage": "scan", "records": progress.records},
            rejected_count=progress.rejected,
        )

    def _write(self, kind: BlobKind, written: list[str], frames: Iterator[bytes]) -> None:
        blob = write_temporary(self.keys, kind=kind, job=self.ingest.id, sequence=len(written) + 1, frames=frames)
        written.append(str(blob.id))


def read_rows(ingest: Ingest, keys: DatasetKeys, parts: Iterable[Blob]) -> Iterator[RawRecord | Rejected]:
    """The rows of an upload in file order, bad ones as Rejected. Raises RefusedFile, WrongEncoding."""
    limits = Limits(decoded_bytes=settings.MAX_UPLOAD_BYTES)
    blocks = _naming_lines(decompressed(read_parts(keys, parts), limits))
    rule = IdRule(field=ingest.id_field, required=True) if ingest.id_field else IdRule()
    largest = settings.MAX_RECORD_BYTES
    if ingest.format == IngestFormat.CSV:
        return blocks.guard(read_csv(blocks, ids=rule, max_record_bytes=largest))
    return blocks.guard(read_jsonl(blocks, ids=rule, envelope=ingest.envelope, max_record_bytes=largest))


class _naming_lines:  # noqa: N801 - reads as what it does
    """Decoded blocks that count their lines, so that damage to the file can be reported with one."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._blocks = iter(blocks)
        self.line = 1

    def __iter__(self) -> Iterator[bytes]:
        for block in self._blocks:
            yield block
            self.line += block.count(b"\n")

    def guard(self, rows: Iterator[RawRecord | Rejected]) -> Iterator[RawRecord | Rejected]:
        try:
            yield from rows
        except RefusedFile as error:
            if error.line is not None:
                raise
            raise error.at_line(self.line) from None


def _canonical(record_id: str, record: RawRecord) -> bytes:
    if not record.metadata:
        return assembled_record(record_id, record.canonical)
    return assembled_record(record_id, record.canonical, orjson.dumps(record.metadata, option=orjson.OPT_SORT_KEYS))


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
