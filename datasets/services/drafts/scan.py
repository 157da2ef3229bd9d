"""Look through incoming records before any of them is stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from anonymization.findings import encode_findings
from anonymization.services.detect import detect_records, forbidden_payment_data
from datasets.errors import RefusedLine, RefusedPaymentData
from datasets.errors.schemas import SchemaViolation
from datasets.formats.rows import RawRecord
from datasets.services.drafts.body import Incoming
from datasets.services.ingest.entries import Entry
from datasets.services.ingest.scan import content_keys
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys
from datasets.services.schemas import RecordRules
from datasets.tree.record import canonical_record
from vaultsite.kernel.errors import VaultError

_BATCH: Final = 256


@dataclass(frozen=True)
class Prepared:
    """One asked-for change: ``entry`` is the scanned record, None for a deletion or when ``error`` says why not."""

    index: int
    id: str | None
    entry: Entry | None = None
    error: VaultError | None = None


@dataclass(frozen=True)
class RecordResult:
    """What became of one record of a request; ``status`` is created, updated, unchanged, deleted or failed."""

    index: int
    id: str | None
    status: str
    error: VaultError | None = None

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {"index": self.index, "id": self.id, "status": self.status}
        if self.error is None:
            return told
        return told | {"code": self.error.code, "detail": detail_of(self.error)}


def detail_of(error: VaultError) -> str:
    """What was wrong with one record, without the line that its place in the body would be in a file."""
    return error.rule if isinstance(error, RefusedLine) else error.detail or error.title


def scan_incoming(keys: DatasetKeys, rules: RecordRules, incoming: Sequence[Incoming]) -> list[Prepared]:
    """Every record with its findings, or the reason why it cannot be stored. Raises DetectionFailed."""
    incoming = [_checked(item, rules) for item in incoming]
    prepared = {item.index: Prepared(item.index, item.id, error=item.error) for item in incoming if item.error}
    good = [(item.index, item.id, item.record) for item in incoming if item.id and item.record and not item.error]
    for start in range(0, len(good), _BATCH):
        for item in _scanned(keys, rules, good[start : start + _BATCH]):
            prepared[item.index] = item
    return [prepared[item.index] for item in incoming]


def _checked(item: Incoming, rules: RecordRules) -> Incoming:
    """A record that breaks the active schema fails."""
    problems = rules.problems(item.record.data) if item.record else []
    return replace(item, error=SchemaViolation(problems, line=item.index + 1)) if problems else item


def _scanned(keys: DatasetKeys, rules: RecordRules, batch: Sequence[tuple[int, str, RawRecord]]) -> Iterator[Prepared]:
    found = detect_records([(record.data, record.metadata) for _, _, record in batch])
    content_key = content_keys(keys)
    for (index, record_id, record), detected in zip(batch, found, strict=True):
        findings = rules.with_stated(record.data, detected)
        if forbidden_payment_data(findings):
            yield Prepared(index, record_id, error=RefusedPaymentData("The record holds card authentication data"))
            continue
        entry = Entry(
            id=record_id,
            line=index,
            is_generated=False,
            content_key=content_key(record.canonical, record.metadata),
            canonical=canonical_record(record_id, record.data, record.metadata),
            findings=encode_findings([findings]) if findings else b"",
            subjects=subject_keys(keys.index, record.data, record.metadata, findings),
        )
        yield Prepared(index, record_id, entry)
