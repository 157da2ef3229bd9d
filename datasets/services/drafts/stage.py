"""Stage changes in a draft: scanned first, then sealed, each record with a result of its own."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Now

from access.services.authorize import authorize, shows_raw
from access.services.idempotency import Attempt, begin_attempt, freed_on_failure, store_answer
from anonymization.services.detect import detector_hash
from datasets.errors import RecordNotFound
from datasets.models import Dataset, Draft, StagedKind, StagedRecord
from datasets.selectors import get_dataset, resource_of
from datasets.services.drafts.find import find_open_draft, lock_open_draft
from datasets.services.drafts.open import named, next_expiry, told
from datasets.services.drafts.parent import find_many
from datasets.services.drafts.scan import Prepared, RecordResult
from datasets.services.drafts.staged import open_staged, seal_staged
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_store import PackReader
from datasets.services.quotas import require_upload_room
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.writable import require_open
from datasets.tree.digests import EMPTY_ROOT
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Rows of one INSERT: a statement takes at most 65,535 parameters.
_INSERTED: Final = 2000
_COLUMNS: Final = ("kind", "body", "key_id", "secret", "detector", "size", "updated_at")


@dataclass(frozen=True)
class Staging:
    """The right to change one draft, and what that takes outside of a scope; ``blind`` see ``put_changes``."""

    dataset: Dataset
    draft: Draft
    keys: DatasetKeys
    rules: RecordRules
    purpose: str
    blind: bool
    attempt: Attempt | None = None

    @property
    def root(self) -> bytes:
        return bytes(self.draft.parent.root) if self.draft.parent else EMPTY_ROOT


def begin_staging(principal: Principal, *, dataset_id: UUID, name: str, key: str = "", route: str = "") -> Staging:
    """Decide whether ``principal`` may change the draft, before its changes are read. Runs in the request's scope.

    Raises DatasetNotFound, AccessDenied, DatasetArchived, QuotaExceeded, VersionNotFound, VersionSealed, DraftBusy,
    RequestInFlight.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    decision = authorize(principal, "record.write", resource_of(dataset))
    require_open(dataset)
    require_upload_room(adds_records=False)
    draft = find_open_draft(dataset, name)
    attempt = begin_attempt(principal, route=f"{route} {draft.pk}", key=key) if key else None
    keys, rules, blind = load_keys(dataset.pk), rules_for(dataset.pk), not shows_raw(principal, resource_of(dataset))
    return Staging(dataset, draft, keys, rules, decision.purpose or "", blind, attempt)


def stage(
    principal: Principal,
    staging: Staging,
    body: bytes,
    prepare: Callable[[], Sequence[Prepared]],
    request: RequestFacts | None = None,
) -> list[dict[str, Any]]:
    """Store what ``prepare`` reads out of ``body`` and scans; the result of each record, in order, as JSON.

    Opens short scopes of its own; none may be open. A failed record stores nothing, the others are kept. A repetition
    of an earlier request stores nothing and gives the results of that one. Raises as ``prepare`` does, and
    VersionNotFound, VersionSealed or DraftBusy when the draft went away meanwhile.
    """
    fingerprint = hashlib.sha256(body).digest()
    if staging.attempt is not None:
        staging.attempt.require_same(fingerprint)
        if staging.attempt.answer is not None:
            answered: list[dict[str, Any]] = staging.attempt.answer["results"]
            return answered
    with freed_on_failure(principal, staging.attempt):
        prepared = prepare()
        same = unchanged_in_parent(PackReader(staging.keys), staging.root, prepared)
        with tenant_scope(principal.tenant_id, principal, request):
            draft = lock_open_draft(staging.dataset.pk, staging.draft.pk)
            results = put_changes(staging.keys, draft, prepared, same, by=principal.id, blind=staging.blind)
            done = [result.as_json() for result in results]
            _announce(staging, draft, done)
            if staging.attempt is not None:
                store_answer(staging.attempt, fingerprint=fingerprint, answer={"results": done})
    return done


def unchanged_in_parent(store: PackReader, root: bytes, prepared: Sequence[Prepared]) -> dict[str, bool]:
    """Of the ids of the changes those that the version has, and whether its record equals the one to be staged."""
    asked = {item.id: item.entry for item in prepared if item.id and not item.error}
    found = find_many(store, root, sorted(asked))
    return {
        record.id: (entry := asked[record.id]) is not None and entry.canonical == record.canonical for record in found
    }


def put_changes(
    keys: DatasetKeys,
    draft: Draft,
    prepared: Sequence[Prepared],
    in_parent: Mapping[str, bool],
    *,
    by: UUID,
    blind: bool,
) -> list[RecordResult]:
    """Write the changes over what is staged already; the draft is locked in the open scope.

    ``by`` is whose changes they are; ``in_parent`` is what ``unchanged_in_parent`` said. A record that becomes
    what the parent has leaves no row. Of one who is ``blind``, who may not read records raw, every record counts as
    changed: who could tell would learn whether a guess at a hidden value is right.
    """
    ids = [item.id for item in prepared if item.id and not item.error]
    rows = StagedRecord.objects.filter(dataset_id=draft.dataset_id, draft=draft)
    staged = {row.record_id: row for row in rows.filter(record_id__in=ids)}
    changes = _Changes(keys, draft, in_parent, staged, detector_hash(), blind=blind)
    results = [changes.put(item) for item in prepared]
    rows.filter(record_id__in=changes.dropped).delete()
    StagedRecord.objects.bulk_create(
        changes.rows,
        batch_size=_INSERTED,
        update_conflicts=True,
        unique_fields=["tenant", "dataset", "draft", "record_id"],
        update_fields=_COLUMNS,
    )
    if changes.rows or changes.dropped:
        hands = sorted({*draft.contributors, str(by)})
        touched = {"updated_at": Now(), "expires_at": next_expiry(), "warned_at": None, "contributors": hands}
        Draft.objects.filter(pk=draft.pk).update(**touched)
    return results


class _Changes:
    """Changes judged one by one against what the draft shows now; ``rows`` and ``dropped`` are what to write."""

    def __init__(
        self,
        keys: DatasetKeys,
        draft: Draft,
        in_parent: Mapping[str, bool],
        staged: Mapping[str, StagedRecord],
        detector: bytes,
        *,
        blind: bool,
    ) -> None:
        self.rows: list[StagedRecord] = []
        self.dropped: list[str] = []
        self._keys = keys
        self._draft = draft
        self._in_parent = in_parent
        self._staged = staged
        self._detector = detector
        self._blind = blind

    def put(self, item: Prepared) -> RecordResult:
        if item.error is not None or item.id is None:
            return RecordResult(item.index, item.id, "failed", item.error)
        row = self._staged.get(item.id)
        is_shown = row.kind != StagedKind.DELETED if row else item.id in self._in_parent
        if item.entry is not None:
            return RecordResult(item.index, item.id, self._upsert(item.id, item, row, is_shown=is_shown))
        if not is_shown:
            return RecordResult(item.index, item.id, "failed", RecordNotFound())
        self._delete(item.id)
        return RecordResult(item.index, item.id, "deleted")

    def _upsert(self, record_id: str, item: Prepared, row: StagedRecord | None, *, is_shown: bool) -> str:
        assert item.entry is not None
        if self._in_parent.get(record_id) and not self._blind:
            if row is not None:
                self.dropped.append(record_id)
            return "unchanged" if row is None else "updated" if is_shown else "created"
        before = open_staged(self._keys, row) if row is not None and not self._blind else None
        if before is not None and before.canonical == item.entry.canonical:
            return "unchanged"
        kind = StagedKind.UPDATED if record_id in self._in_parent else StagedKind.ADDED
        self.rows.append(seal_staged(self._keys, self._draft, kind, item.entry, self._detector))
        return "updated" if is_shown else "created"

    def _delete(self, record_id: str) -> None:
        if record_id not in self._in_parent:
            self.dropped.append(record_id)
            return
        self.rows.append(
            StagedRecord(
                dataset_id=self._draft.dataset_id, draft=self._draft, record_id=record_id, kind=StagedKind.DELETED
            )
        )


def _announce(staging: Staging, draft: Draft, done: Sequence[Mapping[str, Any]]) -> None:
    emit(
        Event(
            type=EventType.DRAFT_STAGED,
            operation="write",
            resource=named(staging.dataset, draft),
            purpose=staging.purpose,
            metadata=told(draft) | dict(Counter(result["status"] for result in done)),
        )
    )
