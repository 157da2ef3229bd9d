"""Which draft a name means, and what is staged in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from datasets.errors import VersionNotFound
from datasets.errors.drafts import DraftBusy, VersionSealed
from datasets.models import Dataset, Draft, DraftStatus, StagedKind, StagedRecord
from datasets.selectors import find_version_or_none
from datasets.services.writable import hold_open
from vaultsite.kernel.errors import InvalidCursor


@dataclass(frozen=True)
class StagedCounts:
    """How many records a draft adds to its parent, changes in it and leaves out of it."""

    added: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        return self.added + self.updated + self.deleted


def find_draft_or_none(dataset_id: UUID, name: str) -> Draft | None:
    """A draft by id, or an unpublished one by its label; the caller has decided, or decides next."""
    if "\0" in name:
        return None
    drafts = Draft.objects.filter(dataset_id=dataset_id).select_related("dataset", "parent", "version")
    identifier = _uuid_or_none(name)
    if identifier is not None:
        return drafts.filter(pk=identifier).first()
    return drafts.filter(label=name).exclude(status=DraftStatus.PUBLISHED).first() if name else None


def find_open_draft(dataset: Dataset, name: str) -> Draft:
    """The draft that can still be changed.

    Raises VersionNotFound when nothing has this name, VersionSealed when it is a published version's, DraftBusy.
    """
    version = find_version_or_none(dataset, name)
    draft = find_draft_or_none(dataset.pk, name) if version is None else None
    if draft is None:
        raise VersionNotFound if version is None else VersionSealed
    require_unpublished(draft)
    return draft


def require_unpublished(draft: Draft) -> None:
    """Raises VersionSealed, DraftBusy."""
    if draft.status == DraftStatus.PUBLISHED:
        raise VersionSealed
    if draft.status == DraftStatus.PUBLISHING:
        raise DraftBusy


def lock_open_draft(dataset_id: UUID, draft_id: UUID) -> Draft:
    """The draft, held with its dataset until the open scope ends.

    The dataset is locked first, as by everything that changes one. Raises DatasetNotFound, DatasetArchived,
    VersionNotFound, VersionSealed, DraftBusy.
    """
    hold_open(dataset_id)
    draft = Draft.objects.select_for_update(no_key=True).filter(dataset_id=dataset_id, pk=draft_id).first()
    if draft is None:
        raise VersionNotFound
    require_unpublished(draft)
    return draft


def list_drafts(dataset: Dataset, *, after: tuple[str, ...] | None, limit: int) -> list[Draft]:
    """Drafts that are not published, newest first, at most ``limit`` after the one whose id is ``after``."""
    rows = Draft.objects.filter(dataset=dataset).exclude(status=DraftStatus.PUBLISHED)
    rows = rows.select_related("parent", "version").order_by("-id")
    if after:
        last = _uuid_or_none(after[0])
        if last is None:
            raise InvalidCursor
        rows = rows.filter(id__lt=last)
    return list(rows[:limit])


def count_staged(dataset_id: UUID, drafts: Sequence[Draft]) -> dict[UUID, StagedCounts]:
    """What is staged in each of the drafts, by id."""
    rows = StagedRecord.objects.filter(dataset_id=dataset_id, draft__in=drafts)
    found: dict[UUID, dict[str, int]] = {draft.pk: {} for draft in drafts}
    for draft_id, kind, count in rows.values_list("draft_id", "kind").annotate(Count("record_id")).order_by():
        found[draft_id][kind] = count
    return {draft_id: StagedCounts(**counts) for draft_id, counts in found.items()}


def list_changes(draft: Draft, *, after: str = "", limit: int) -> list[tuple[str, StagedKind]]:
    """Record id and kind of the staged changes in order of id, at most ``limit`` after the id ``after``."""
    rows = StagedRecord.objects.filter(dataset_id=draft.dataset_id, draft=draft, record_id__gt=after)
    return [
        (name, StagedKind(kind)) for name, kind in rows.order_by("record_id").values_list("record_id", "kind")[:limit]
    ]


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
