"""Read a draft: what is staged over the records of its parent, on the reader's view like everything."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from access.services.authorize import authorize
from anonymization.findings import Finding, decode_findings
from datasets.errors import NotScanned, RecordNotFound, VersionNotFound
from datasets.models import Draft, StagedRecord, Version
from datasets.selectors import get_dataset, resource_of
from datasets.services.drafts.find import find_draft_or_none
from datasets.services.drafts.open import named
from datasets.services.drafts.staged import iterate_staged, open_staged
from datasets.services.ingest.entries import Entry
from datasets.services.read import ReadRecord, Release, as_shown, read_record, read_records, release_under
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.record import TreeRecord
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


@dataclass(frozen=True)
class DraftRelease:
    """A decided read of a draft: ``release`` is that of its parent, under the draft's own decision."""

    draft: Draft
    release: Release


def open_draft_release(
    principal: Principal, *, dataset_id: UUID, name: str, purpose: str | None = None
) -> DraftRelease:
    """Decide on reading the records of a draft, in the open scope.

    Raises DatasetNotFound, VersionNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation.
    """
    dataset = get_dataset(principal, dataset_id, action="record.read")
    draft = find_draft_or_none(dataset.pk, name)
    resource = named(dataset, draft) if draft else resource_of(dataset)
    decision = authorize(principal, "record.read", resource, purpose=purpose)
    if draft is None:
        raise VersionNotFound
    base = draft.version or draft.parent or Version(dataset=dataset, root=EMPTY_ROOT)
    return DraftRelease(draft, release_under(decision, dataset, base))


def read_draft_records(
    opened: DraftRelease, *, after: str | None = None, limit: int | None = None, with_findings: bool = False
) -> Iterator[ReadRecord]:
    """Records of the draft in order of id, each as the release's obligations allow. Needs no open scope."""
    base = read_records(opened.release, after=after, with_findings=with_findings)
    staged = (
        row for rows in iterate_staged(opened.release.store.keys, opened.draft.pk, after=after or "") for row in rows
    )
    for number, record in enumerate(_overlaid(opened.release, base, staged)):
        if number == limit:
            return
        yield record


def _overlaid(release: Release, base: Iterator[ReadRecord], staged: Iterator[StagedRecord]) -> Iterator[ReadRecord]:
    """Two streams in order of id as one; of the same id the staged record counts."""
    below = next(base, None)
    for row in staged:
        while below is not None and below.id < row.record_id:
            yield below
            below = next(base, None)
        if below is not None and below.id == row.record_id:
            below = next(base, None)
        shown = _shown(release, row)
        if shown is not None:
            yield shown
    if below is not None:
        yield below
    yield from base


def read_draft_record(opened: DraftRelease, record_id: str) -> ReadRecord:
    """One record by id. Raises RecordNotFound."""
    keys = opened.release.store.keys
    with tenant_scope(keys.tenant_id, Principal.system(keys.tenant_id)):
        rows = StagedRecord.objects.filter(dataset_id=keys.dataset_id, draft_id=opened.draft.pk)
        row = rows.filter(record_id=record_id).first()
    if row is None:
        return read_record(opened.release, record_id)
    shown = _shown(opened.release, row)
    if shown is None:
        raise RecordNotFound
    opened.release.note_leaving((record_id,))
    return shown


def _shown(release: Release, row: StagedRecord) -> ReadRecord | None:
    entry = open_staged(release.store.keys, row)
    if entry is None:
        return None
    if row.detector is None:
        raise NotScanned
    record = TreeRecord(entry.id, b"", entry.content_key, entry.canonical)
    return as_shown(release, record, _findings_of(entry))


def _findings_of(entry: Entry) -> list[Finding]:
    return decode_findings(entry.findings)[0] if entry.findings else []
