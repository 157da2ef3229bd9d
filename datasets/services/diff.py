"""What changed between two versions, as one reader may see it.

Both sides of a record are made ready for the reader before they are compared: a change that the reader's view hides is
no change to this reader, neither listed nor counted.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from access.services.authorize import authorize
from anonymization.findings import Finding
from datasets.errors import NotScanned, VersionNotFound
from datasets.json_merge import ABSENT, MemberChange, diff_members
from datasets.models import Version
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.read import (
    ReadRecord,
    Release,
    as_shown,
    findings_of,
    release_under,
    scanned_chunk,
    stream_lines,
)
from datasets.services.version_quarantine import refuse_quarantined
from datasets.tree.chunk import ChunkCodec
from datasets.tree.diff import Place, RecordChange, diff
from datasets.tree.digests import EMPTY_ROOT
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

#: Every way in which a record can differ.
KINDS: Final = ("added", "removed", "modified", "erased")
#: Chunks whose findings are kept while neighbouring changes are shown.
_CACHED_CHUNKS: Final = 8
#: Changed records whose people's consent is asked for at once, where it is asked for.
_ASKED_AT_ONCE: Final = 256


class ShownChange(NamedTuple):
    """One changed record on the reader's view.

    ``members`` are those that differ, by pointers into ``{"data": .., "metadata": ..}``, of a modified record. Of an
    erased record nothing is shown but its id, and what stands in its place since.
    """

    id: str
    kind: str
    members: tuple[MemberChange, ...] = ()
    before: ReadRecord | None = None
    after: ReadRecord | None = None

    def as_json(self, *, is_whole: bool = False) -> dict[str, Any]:
        """``is_whole`` gives both sides of a modified record beside the members that differ."""
        shown: dict[str, Any] = {"id": self.id, "change": self.kind, "members": [_member(m) for m in self.members]}
        if self.before is not None and (is_whole or self.after is None):
            shown["before"] = self.before.as_json()
        if self.after is not None and (is_whole or self.before is None):
            shown["after"] = self.after.as_json()
        return shown


@dataclass(frozen=True)
class Comparison:
    """A decided comparison of two versions of one dataset; ``before`` is None for the state before the first."""

    release: Release
    before: Version | None

    @property
    def after(self) -> Version:
        return self.release.version

    @cached_property
    def view(self) -> "ChangeView":
        return ChangeView(self.release)


def open_comparison(
    principal: Principal, *, dataset_id: UUID, before: str, after: str, purpose: str | None = None
) -> Comparison:
    """Decide on reading both versions, in the open scope. An empty ``before`` is the first parent of ``after``.

    Raises DatasetNotFound, VersionNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation.
    """
    dataset = get_dataset(principal, dataset_id, action="record.read")
    # Who is denied does not learn which versions there are.
    new = find_version_or_none(dataset, after)
    old = find_version_or_none(dataset, before) if before else None
    facts = {"compared_with": old.label} if old else {}
    decision = authorize(principal, "record.read", resource_of(dataset, new), purpose=purpose, facts=facts)
    if new is None or (before and old is None):
        raise VersionNotFound
    source = old if before else new.parent
    if source is not None:
        refuse_quarantined(source)
    return Comparison(release_under(decision, dataset, new), source)


@dataclass
class ChangeView:
    """Turns changes of the tree into what the release's reader may see of them."""

    release: Release
    #: By chunk and the number of its records when they were compared.
    _findings: dict[tuple[bytes, int], list[list[Finding]] | dict[str, list[Finding]]] = field(default_factory=dict)

    def shown(self, change: RecordChange) -> ShownChange | None:
        """The change on the reader's view; None when the view hides it. Raises NotScanned, FindingMismatch."""
        if not self.release.has_every_record:
            within = self._within(change)
            if within is None:
                return None
            change = within
        if change.kind == "erased":  # a record that stands there now came later, under the same id
            return ShownChange(change.id, "erased", after=self.record_at(change.after))
        before = self.record_at(change.before)
        after = self.record_at(change.after)
        if (before is None and change.before is not None) or (after is None and change.after is not None):
            return ShownChange(change.id, "erased", after=after)  # since they were compared
        if before is None or after is None:
            return ShownChange(change.id, change.kind, before=before, after=after)
        members = tuple(diff_members(_content(before), _content(after)))
        return ShownChange(change.id, change.kind, members, before, after) if members else None

    def _within(self, change: RecordChange) -> RecordChange | None:
        """The change among the records that are released: one that leaves them was removed, one that joins them added.

        Of what was erased nobody can say any more whether it was released.
        """
        before, after = (
            place if place is not None and self.release.admits(place.record) else None
            for place in (change.before, change.after)
        )
        if before is None and after is None:
            return None
        if change.kind == "erased" or (before is not None and after is not None):
            return change._replace(before=before, after=after)
        return RecordChange("removed" if after is None else "added", change.id, before, after)

    def record_at(self, place: Place | None) -> ReadRecord | None:
        """The record at a place of the tree, as the reader may see it; None where it was erased in the meantime."""
        if place is None:
            return None
        findings = [] if self.release.is_raw else self._findings_of(place)
        return None if findings is None else as_shown(self.release, place.record, findings)

    def _findings_of(self, place: Place) -> list[Finding] | None:
        key = (place.chunk_digest, place.chunk_length)
        if key not in self._findings:
            while len(self._findings) >= _CACHED_CHUNKS:
                self._findings.pop(next(iter(self._findings)))
            self._findings[key] = self._of_chunk(place)
        found = self._findings[key]
        return found[place.index] if isinstance(found, list) else found.get(place.record.id)

    def _of_chunk(self, place: Place) -> list[list[Finding]] | dict[str, list[Finding]]:
        """In order of the records; by id where some were erased since they were compared. Raises NotScanned."""
        digest = place.chunk_digest
        try:
            return findings_of(self.release, digest, place.chunk_length)
        except NotScanned:
            chunk = ChunkCodec().decode(self.release.store.load(digest).body)
            if len(chunk) == place.chunk_length:
                raise
        chunk, findings = scanned_chunk(self.release, digest, chunk)
        return dict(zip(chunk.ids, findings, strict=True))


def _content(record: ReadRecord) -> dict[str, Any]:
    return {"data": record.data, "metadata": record.metadata}


def _member(change: MemberChange) -> dict[str, Any]:
    sides = {name: value for name, value in (("before", change.before), ("after", change.after)) if value is not ABSENT}
    return {"pointer": change.pointer, "change": change.kind} | sides


def shown_changes(
    comparison: Comparison, *, after_id: str | None = None, kinds: Collection[str] = KINDS
) -> Iterator[ShownChange]:
    """The changes of these kinds in order of id, from the first id greater than ``after_id`` on. Needs no open scope.

    Only what differs is loaded. Raises NotScanned before anything leaves of a chunk that lacks findings.
    """
    together = 1 if comparison.release.consent is None else _ASKED_AT_ONCE
    found = _tree_changes(comparison, after_id)
    while changes := list(islice(found, together)):
        places = (place for change in changes for place in (change.before, change.after) if place is not None)
        comparison.release.look_ahead(place.record for place in places)
        for change in changes:
            shown = comparison.view.shown(change) if change.kind in kinds else None
            if shown is not None:
                yield shown


def count_changes(comparison: Comparison, *, kinds: Collection[str] = KINDS) -> dict[str, int]:
    """How many records of each kind ``shown_changes`` gives."""
    counted = Counter(change.kind for change in shown_changes(comparison, kinds=kinds))
    return {kind: counted[kind] for kind in KINDS}


def _tree_changes(comparison: Comparison, after_id: str | None) -> Iterator[RecordChange]:
    old, new = comparison.before, comparison.after
    root = bytes(old.root) if old else EMPTY_ROOT
    return diff(comparison.release.store, root, bytes(new.root), after_id=after_id)


def summary_of(comparison: Comparison, counts: dict[str, int]) -> dict[str, Any]:
    """What a difference begins with: the versions by label, and the counts."""
    return {"from": comparison.before.label if comparison.before else None, "to": comparison.after.label} | counts


def stream_changes(
    comparison: Comparison,
    principal: Principal,
    request: RequestFacts,
    *,
    kinds: Collection[str] = KINDS,
    is_whole: bool = False,
) -> Iterator[bytes]:
    """The summary, then every change, as one JSON line each; the end is an event of its own. Needs no open scope."""

    def lines() -> Iterator[bytes]:
        summary = summary_of(comparison, count_changes(comparison, kinds=kinds))
        yield orjson.dumps(summary, option=orjson.OPT_APPEND_NEWLINE)
        for change in shown_changes(comparison, kinds=kinds):
            comparison.release.note_leaving((change.id,))
            yield orjson.dumps(change.as_json(is_whole=is_whole), option=orjson.OPT_APPEND_NEWLINE)

    return stream_lines(comparison.release, principal, request, lines(), headings=1)
