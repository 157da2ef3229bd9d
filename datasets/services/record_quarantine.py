"""Records of uploads that could not be scanned: kept sealed, and out of every reader's reach."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q

from anonymization.errors import DetectionFailed
from datasets.models import Dataset, ErasedRecord, Ingest, QuarantinedRecord, RecordState
from datasets.selectors import resource_of
from datasets.services.keys import DatasetKeys
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.identifiers import uuid7

#: So many records of one upload; with more the upload fails.
MAX_QUARANTINED: Final = 1_000
KIND: Final = "quarantined-record"


class Unscanned(NamedTuple):
    """A record as it would have been stored (``body``, canonical), and why it was not."""

    line: int
    record_id: str
    body: bytes
    error: DetectionFailed


def keep_unscanned(ingest: Ingest, keys: DatasetKeys, records: Sequence[Unscanned]) -> None:
    """Inside the scope that notes the progress of the upload; a line that is kept already stays as it is."""
    rows = []
    for record in records:
        pk, secret = uuid7(), secrets.token_bytes(32)
        rows.append(
            QuarantinedRecord(
                id=pk,
                dataset_id=ingest.dataset_id,
                ingest=ingest.pk,
                branch=ingest.branch,
                line=record.line,
                record_id=record.record_id,
                code=record.error.code,
                detail=record.error.detail[:300],
                body=keys.seal_row(KIND, pk.bytes, secret, record.body),
                secret=secret,
            )
        )
    QuarantinedRecord.objects.bulk_create(rows, ignore_conflicts=True)


def release_unscanned(ingest: Ingest) -> None:
    """Inside the scope that ends the upload well: what was kept back shows to reviewers, and is announced.

    What was erased since the upload began is dropped: the erasure may have been over before it was kept.
    """
    erased = ErasedRecord.objects.filter(dataset_id=ingest.dataset_id, erased_at__gte=ingest.created_at)
    erased = erased.filter(erasure__spares=False)
    QuarantinedRecord.objects.filter(ingest=ingest.pk, record_id__in=erased.values("record_id")).delete()
    kept = QuarantinedRecord.objects.filter(ingest=ingest.pk).update(is_kept=True)
    if kept:
        emit(
            Event(
                type=EventType.QUARANTINED,
                operation="write",
                severity="warning",
                resource=resource_of(Dataset.objects.get(pk=ingest.dataset_id)),
                metadata={"ingest": str(ingest.pk), "records": kept, "cause": "not_scanned"},
            )
        )


def drop_unscanned(ingest: Ingest) -> None:
    """Inside a scope: an upload that failed keeps nothing back."""
    QuarantinedRecord.objects.filter(ingest=ingest.pk, is_kept=False).delete()


def forget_quarantined(dataset_id: UUID, record_ids: Sequence[str], *, until: datetime | None = None) -> int:
    """Inside a scope: drop what is kept of these records, which are erased. Returns how many.

    With ``until`` only what uploads brought that had ended by then.
    """
    rows = QuarantinedRecord.objects.filter(dataset_id=dataset_id, record_id__in=record_ids, body__isnull=False)
    if until is not None:
        later = Ingest.objects.filter(Q(finished_at=None) | Q(finished_at__gt=until), dataset_id=dataset_id)
        rows = rows.filter(created_at__lte=until).exclude(ingest__in=later.values("pk"))
    return rows.update(body=None, secret=None, state=RecordState.DISCARDED, reason="erased")
