"""Open a draft over a version, and drop it again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from access.services.authorize import authorize
from access.terms import Store, end_of_new
from datasets.errors import VersionLabelTaken
from datasets.models import Branch, Dataset, Draft, StagedRecord, Version
from datasets.selectors import find_version, get_dataset, resource_of
from datasets.services.branches import DEFAULT_BRANCH, get_branch
from datasets.services.descriptions import refuse_personal_data
from datasets.services.drafts.find import StagedCounts, count_staged, find_open_draft, lock_open_draft
from datasets.services.holds import refuse_held
from datasets.services.writable import require_open
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class DraftFacts:
    """What a caller says of a new draft. ``parent`` names a version or branch, empty: the head of ``branch``.

    Without ``branch`` it is the one that ``parent`` names, else the default branch.
    """

    label: str = ""
    parent: str = ""
    branch: str = ""
    description: str = ""


def open_draft(principal: Principal, *, dataset_id: UUID, facts: DraftFacts) -> Draft:
    """A new, empty draft.

    Raises DatasetNotFound, AccessDenied, DatasetArchived, PersonalDataInText, BranchNotFound, VersionNotFound,
    VersionLabelTaken.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    authorize(principal, "record.write", resource_of(dataset))
    require_open(dataset)
    refuse_personal_data(description=facts.description)
    branch = get_branch(dataset, _branch_name(dataset, facts))
    draft = Draft(
        dataset=dataset,
        branch=branch.name,
        parent=find_version(dataset, facts.parent) if facts.parent and facts.parent != branch.name else branch.head,
        label=facts.label,
        description=facts.description,
        opened_by=principal.id,
        expires_at=next_expiry(),
    )
    _saving_label(draft)
    emit(Event(type=EventType.DRAFT_OPENED, operation="write", resource=named(dataset, draft), metadata=told(draft)))
    return draft


def _branch_name(dataset: Dataset, facts: DraftFacts) -> str:
    if facts.branch:
        return facts.branch
    names_branch = facts.parent and "\0" not in facts.parent
    if names_branch and Branch.objects.filter(dataset=dataset, name=facts.parent).exists():
        return facts.parent
    return DEFAULT_BRANCH


def _saving_label(draft: Draft) -> None:
    if draft.label and Version.objects.filter(dataset_id=draft.dataset_id, label=draft.label).exists():
        raise VersionLabelTaken(label=draft.label)
    try:
        with transaction.atomic():
            draft.save(force_insert=True)
    except IntegrityError as exc:
        raise VersionLabelTaken("An open draft has this label", label=draft.label) from exc


def discard_draft(principal: Principal, *, dataset_id: UUID, name: str) -> None:
    """Remove a draft and everything staged in it.

    Raises DatasetNotFound, AccessDenied, VersionNotFound, VersionSealed, DraftBusy, DatasetHeld.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    authorize(principal, "record.write", resource_of(dataset))
    draft = lock_open_draft(dataset.pk, find_open_draft(dataset, name).pk)
    refuse_held(dataset.pk, staged_ids(draft), with_versions=False)
    counts = remove_draft(draft)
    facts = told(draft) | {"staged": counts.total}
    emit(Event(type=EventType.DRAFT_DISCARDED, operation="delete", resource=named(dataset, draft), metadata=facts))


def staged_ids(draft: Draft) -> list[str]:
    """The ids of the records staged in a draft."""
    rows = StagedRecord.objects.filter(dataset_id=draft.dataset_id, draft=draft)
    return list(rows.order_by("record_id").values_list("record_id", flat=True))


def remove_draft(draft: Draft) -> StagedCounts:
    """Delete the rows of a draft that the open scope holds locked; what was staged in it."""
    counts = count_staged(draft.dataset_id, [draft])[draft.pk]
    StagedRecord.objects.filter(dataset_id=draft.dataset_id, draft=draft).delete()
    Draft.objects.filter(pk=draft.pk).delete()
    return counts


def next_expiry() -> datetime:
    """When a draft that is changed now expires."""
    return end_of_new(Store.DRAFTS)


def named(dataset: Dataset, draft: Draft) -> ResourceRef:
    """How the audit names a draft: by the dataset and the draft's id in place of a version."""
    return ResourceRef(
        type="dataset",
        id=str(dataset.pk),
        dataset_id=dataset.pk,
        classification=dataset.classification,
        version=str(draft.pk),
    )


def told(draft: Draft) -> dict[str, str]:
    """What events say of a draft."""
    return {"draft": str(draft.pk), "branch": draft.branch, "opened_by": str(draft.opened_by)}
