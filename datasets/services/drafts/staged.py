"""A staged record on its way into its row and out of it: sealed, with everything the tree will want to know of it."""

import secrets
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from datasets.models import Draft, StagedKind, StagedRecord
from datasets.services.ingest.entries import Entry, pack_entries, unpack_entries
from datasets.services.keys import DatasetKeys
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_SECRET_BYTES: Final = 32
#: Rows read at once, and about how many sealed bytes of them.
_BATCH: Final = 256


def seal_staged(keys: DatasetKeys, draft: Draft, kind: StagedKind, entry: Entry, detector: bytes) -> StagedRecord:
    """The row of a record that a draft adds or changes; not saved."""
    secret = secrets.token_bytes(_SECRET_BYTES)
    packed = b"".join(pack_entries([entry]))
    return StagedRecord(
        dataset_id=draft.dataset_id,
        draft=draft,
        record_id=entry.id,
        kind=kind,
        body=keys.seal_row("staged", _place(draft.pk, entry.id), secret, packed),
        key_id=keys.key_id,
        secret=secret,
        detector=detector,
        size=len(entry.canonical),
    )


def open_staged(keys: DatasetKeys, row: StagedRecord) -> Entry | None:
    """The record as it was staged, None for a deletion. Raises IntegrityFailure."""
    if row.body is None or row.secret is None:
        return None
    place = _place(row.draft_id, row.record_id)
    (entry,) = unpack_entries(keys.open("staged", place, bytes(row.secret), bytes(row.body)))
    return entry


def iterate_staged(keys: DatasetKeys, draft_id: UUID, *, after: str = "") -> Iterator[list[StagedRecord]]:
    """The rows of a draft in order of record id, in batches, each read in a short scope."""
    rows = StagedRecord.objects.filter(dataset_id=keys.dataset_id, draft_id=draft_id).order_by("record_id")
    while True:
        with tenant_scope(keys.tenant_id, Principal.system(keys.tenant_id)):
            batch = list(rows.filter(record_id__gt=after)[:_BATCH])
        if not batch:
            return
        yield batch
        after = batch[-1].record_id


def _place(draft_id: UUID, record_id: str) -> bytes:
    """A body opens for its own draft and record only."""
    return draft_id.bytes + record_id.encode()
