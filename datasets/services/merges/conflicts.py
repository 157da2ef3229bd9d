"""Conflicts as people see and resolve them: every side on the reader's view."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.conf import settings
from django.db.models.functions import Now

from access.services.authorize import authorize
from anonymization.services.detect import detect_records, forbidden_payment_data
from datasets.errors import RecordTooLong, RefusedPaymentData, UnmetObligation
from datasets.errors.merges import MergeConflictNotFound
from datasets.errors.schemas import SchemaViolation
from datasets.formats.strict_json import parse_object
from datasets.json_merge import ABSENT, MemberConflict, merge_members
from datasets.models import Merge, MergeConflict, Resolution, Version
from datasets.selectors import resource_of
from datasets.services.consent import KIND as CONSENT
from datasets.services.keys import load_keys
from datasets.services.merges.lookup import get_merge
from datasets.services.merges.resolutions import seal_resolution
from datasets.services.merges.start import waiting_merge
from datasets.services.read import ReadRecord, Release, as_shown, release_under, scanned_chunk
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.row_conditions import KIND
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.version_quarantine import refuse_quarantined
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.reader import locate
from datasets.tree.record import canonical_record
from vaultsite.kernel.tenancy.principal import Principal

_SIDES: Final = ("base", "ours", "theirs")


@dataclass(frozen=True)
class ShownConflict:
    """A conflict with the records of its sides as the reader may see them; None where a side has none.

    ``members`` are those in conflict on the reader's view: none, where the view hides what differs.
    """

    row: MergeConflict
    base: ReadRecord | None
    ours: ReadRecord | None
    theirs: ReadRecord | None
    members: tuple[MemberConflict, ...]

    @property
    def is_hidden(self) -> bool:
        """Whether this reader cannot see what the sides disagree about."""
        return not self.members

    def as_json(self) -> dict[str, Any]:
        sides = {"base": self.base, "ours": self.ours, "theirs": self.theirs}
        return {
            "id": str(self.row.pk),
            "record_id": self.row.record_id,
            "kind": self.row.kind,
            "resolution": self.row.resolution or None,
            "resolved_by": str(self.row.resolved_by) if self.row.resolved_by else None,
            "hidden": self.is_hidden,
            "pointers": [member.pointer for member in self.members],
            "sides": {name: side.as_json() if side else None for name, side in sides.items()},
        }


@dataclass(frozen=True)
class ConflictReader:
    """A decided read of the sides of a merge's conflicts."""

    merge: Merge
    release: Release

    def shown(self, rows: Sequence[MergeConflict]) -> Iterator[ShownConflict]:
        """Needs no open scope. Raises NotScanned, FindingMismatch."""
        versions = (self.merge.base, self.merge.ours, self.merge.source)
        for row in rows:
            sides = [self._record(version, row.record_id) for version in versions]
            self.release.note_leaving((row.record_id,))
            base, ours, theirs = sides
            _, members = merge_members(_content(base), _content(ours), _content(theirs))
            yield ShownConflict(row, base, ours, theirs, tuple(members))

    def _record(self, version: Version | None, record_id: str) -> ReadRecord | None:
        root = bytes(version.root) if version else EMPTY_ROOT
        place = locate(self.release.store, root, record_id)
        if place is None:
            return None
        child, chunk, index = place
        if self.release.is_raw:
            return as_shown(self.release, chunk[index], [])
        chunk, findings = scanned_chunk(self.release, child.digest, chunk)
        index = chunk.after(record_id) - 1
        if index < 0 or chunk.ids[index] != record_id:
            return None  # erased while it was read
        return as_shown(self.release, chunk[index], findings[index])


def _content(record: ReadRecord | None) -> Any:
    return ABSENT if record is None else {"data": record.data, "metadata": record.metadata}


def open_conflicts(principal: Principal, *, merge_id: UUID, purpose: str | None = None) -> ConflictReader:
    """Decide on reading the sides of a merge's conflicts, in the open scope.

    Nobody who may not see every record is shown sides to choose between. Raises MergeNotFound, AccessDenied,
    PurposeRequired, UnknownPurpose, UnmetObligation, VersionQuarantined.
    """
    merge = get_merge(principal, merge_id, action="record.read")
    assert merge.source is not None
    resource = resource_of(merge.dataset, merge.source)
    decision = authorize(principal, "record.read", resource, purpose=purpose, facts={"merge": str(merge.pk)})
    for side in (merge.base, merge.ours):
        if side is not None:
            refuse_quarantined(side)
    release = release_under(decision, merge.dataset, merge.source)
    if not release.has_every_record:
        raise UnmetObligation(obligation=_left_out_by(release))
    return ConflictReader(merge, release)


def _left_out_by(release: Release) -> str:
    if release.rows.node is not None:
        return KIND
    return CONSENT if release.consent is not None else RESTRICTION


def get_conflict(merge: Merge, conflict_id: UUID) -> MergeConflict:
    """Raises MergeConflictNotFound."""
    row = MergeConflict.objects.filter(merge=merge, pk=conflict_id).first()
    if row is None:
        raise MergeConflictNotFound
    return row


def resolve_conflict(
    principal: Principal,
    *,
    merge_id: UUID,
    conflict_id: UUID,
    resolution: Resolution,
    data: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> MergeConflict:
    """Say what shall stand in the merge: a side's record, or with RECORD this one, which is looked through first.

    Raises MergeNotFound, AccessDenied, MergeNotWaiting, MergeConflictNotFound, MalformedRecord, RecordTooLong,
    SchemaViolation, RefusedPaymentData, DetectionFailed.
    """
    merge = waiting_merge(principal, merge_id)
    row = get_conflict(merge, conflict_id)
    row.record = row.secret = None
    if resolution == Resolution.RECORD:
        canonical = _checked(row.record_id, data or {}, metadata or {}, rules_for(merge.dataset_id))
        seal_resolution(load_keys(merge.dataset_id), row, canonical)
    row.resolution = resolution
    row.resolved_by, row.resolved_at = principal.id, Now()
    row.save(update_fields=["record", "secret", "resolution", "resolved_by", "resolved_at"])
    row.refresh_from_db(fields=["resolved_at"])
    return row


def _checked(record_id: str, data: dict[str, Any], metadata: dict[str, Any], rules: RecordRules) -> bytes:
    """The canonical bytes of a record that may be stored."""
    canonical = canonical_record(record_id, data, metadata)
    if len(canonical) > settings.MAX_RECORD_BYTES:
        raise RecordTooLong("the record is longer than allowed", reason="too-long", line=1)
    parse_object(orjson.dumps({"data": data, "metadata": metadata}))
    problems = rules.problems(data)
    if problems:
        raise SchemaViolation(problems, line=1)
    [detected] = detect_records([(data, metadata)])
    if forbidden_payment_data(rules.with_stated(data, detected)):
        raise RefusedPaymentData("The record holds card authentication data")
    return canonical
