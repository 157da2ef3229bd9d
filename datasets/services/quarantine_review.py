"""What a reviewer does with records that could not be scanned: look, stage them after another scan, or discard them."""

from typing import Any
from uuid import UUID

import orjson
from django.db.models import QuerySet
from django.db.models.functions import Now

from access.services.authorize import authorize, shows_raw
from anonymization.errors import DetectionFailed
from datasets.errors import UnmetObligation
from datasets.errors.quarantine import QuarantinedRecordNotFound, RecordDecided, StillUnscannable
from datasets.formats.rows import RawRecord
from datasets.models import Dataset, Draft, QuarantinedRecord, RecordState
from datasets.selectors import not_visible, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.drafts.body import Incoming
from datasets.services.drafts.find import lock_open_draft
from datasets.services.drafts.open import DraftFacts, open_draft
from datasets.services.drafts.scan import scan_incoming
from datasets.services.drafts.stage import put_changes, unchanged_in_parent
from datasets.services.holds import lock_dataset, refuse_held
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackReader
from datasets.services.record_quarantine import KIND
from datasets.services.schemas import rules_for
from datasets.tree.digests import EMPTY_ROOT
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def list_quarantined(
    dataset: Dataset, *, state: str = "", after: tuple[str, ...] | None = None, limit: int
) -> list[QuarantinedRecord]:
    """Newest first, after the one whose id is ``after``; no content is opened. Raises InvalidCursor."""
    rows = _kept().filter(dataset=dataset).order_by("-id").defer("body", "secret")
    rows = rows.filter(state=state) if state else rows
    if after is not None:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


def read_quarantined(principal: Principal, record_id: UUID, *, purpose: str | None = None) -> dict[str, Any]:
    """The record as it was sent: for readers of raw data alone, since nobody knows what is in it.

    Raises QuarantinedRecordNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation, RecordDecided.
    """
    row = _find(principal, record_id, "record.read")
    decision = authorize(
        principal, "record.read", resource_of(row.dataset), purpose=purpose, facts={"quarantined": str(row.pk)}
    )
    if decision.obligations:
        raise UnmetObligation
    return _opened(row)


def discard_quarantined(principal: Principal, record_id: UUID, *, reason: str) -> QuarantinedRecord:
    """Raises QuarantinedRecordNotFound, AccessDenied, PersonalDataInText, RecordDecided, DatasetHeld."""
    row = _held(principal, record_id)
    refuse_held(row.dataset_id, [row.record_id], with_versions=False)
    refuse_personal_data(reason=reason)
    _decide(principal, row, RecordState.DISCARDED, reason)
    return row


def restore_quarantined(principal: Principal, record_id: UUID) -> Draft:
    """Scan the record again and stage it in a new draft for its branch, to be looked at and published there.

    Raises QuarantinedRecordNotFound, AccessDenied, RecordDecided, StillUnscannable, DatasetArchived, BranchNotFound.
    """
    row = _held(principal, record_id)
    keys = load_keys(row.dataset_id)
    sent = _opened(row)
    raw = RawRecord(1, row.record_id, sent["data"], sent["metadata"], _canonical(sent["data"]))
    try:
        prepared = scan_incoming(keys, rules_for(row.dataset_id), [Incoming(0, row.record_id, raw)])
    except DetectionFailed:
        raise StillUnscannable from None
    if prepared[0].error is not None:
        raise StillUnscannable(prepared[0].error.title)
    facts = DraftFacts(branch=row.branch, description=f"From quarantine, line {row.line} of an upload")
    draft = open_draft(principal, dataset_id=row.dataset_id, facts=facts)
    root = bytes(draft.parent.root) if draft.parent else EMPTY_ROOT
    same = unchanged_in_parent(PackReader(keys), root, prepared)
    blind = not shows_raw(principal, resource_of(row.dataset))
    put_changes(keys, lock_open_draft(row.dataset_id, draft.pk), prepared, same, by=principal.id, blind=blind)
    _decide(principal, row, RecordState.RESTORED, "")
    return draft


def _canonical(data: dict[str, Any]) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


def _kept() -> QuerySet[QuarantinedRecord]:
    return QuarantinedRecord.objects.filter(is_kept=True)


def _find(principal: Principal, record_id: UUID, action: str) -> QuarantinedRecord:
    visible = Dataset.objects.visible_to(principal)
    row = _kept().select_related("dataset").filter(pk=record_id, dataset__in=visible).first()
    if row is None:
        raise not_visible(QuarantinedRecordNotFound(), ResourceRef("quarantined_record", str(record_id)), action)
    return row


def _held(principal: Principal, record_id: UUID) -> QuarantinedRecord:
    """The record to be decided on, its row locked."""
    row = _find(principal, record_id, "quarantine.review")
    authorize(principal, "quarantine.review", resource_of(row.dataset), facts={"quarantined": str(row.pk)})
    lock_dataset(row.dataset_id)  # first, as by an erasure that removes the row
    held = _kept().select_for_update(no_key=True).get(pk=row.pk)
    if held.state != RecordState.PENDING or held.body is None:
        raise RecordDecided
    return held


def _opened(row: QuarantinedRecord) -> dict[str, Any]:
    if row.body is None or row.secret is None:
        raise RecordDecided
    opened = load_keys(row.dataset_id).open(KIND, row.pk.bytes, bytes(row.secret), bytes(row.body))
    record: dict[str, Any] = orjson.loads(opened)
    return record


def _decide(principal: Principal, row: QuarantinedRecord, state: RecordState, reason: str) -> None:
    row.state, row.reason, row.decided_by, row.body, row.secret = state, reason, principal.id, None, None
    row.save(update_fields=["state", "reason", "decided_by", "body", "secret"])
    QuarantinedRecord.objects.filter(pk=row.pk).update(decided_at=Now())
    facts = {"quarantined": str(row.pk), "decision": str(state), "ingest": str(row.ingest)}
    emit(
        Event(
            type=EventType.QUARANTINE_RELEASED,
            operation="update",
            resource=resource_of(row.dataset),
            metadata=facts,
        )
    )
