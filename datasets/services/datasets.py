"""Create datasets and change what they say of themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.services.authorize import authorize
from datasets.errors import DatasetNameTaken
from datasets.models import Dataset, DatasetTag
from datasets.selectors import resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.quotas import require_dataset_room
from datasets.services.residency import region_change, region_for
from datasets.services.writable import hold_dataset
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

_COLUMNS: Final = ("name", "description", "classification", "retention_days", "region")


@dataclass(frozen=True)
class DatasetFacts:
    """What a user says of a dataset; None leaves a member as it is."""

    name: str | None = None
    description: str | None = None
    classification: str | None = None
    tags: tuple[str, ...] | None = None
    retention_days: int | None = None
    region: str | None = None
    #: Set the retention to "none" although ``retention_days`` is None.
    clears_retention: bool = False

    def columns(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in _COLUMNS if getattr(self, name) is not None}
        return given | ({"retention_days": None} if self.clears_retention else {})


def create_dataset(principal: Principal, *, facts: DatasetFacts) -> Dataset:
    """A new, empty dataset.

    Raises AccessDenied, UnknownRegion, PersonalDataInText, QuotaExceeded, DatasetNameTaken.
    """
    facts = replace(facts, region=region_for(facts.region or ""))
    wanted = ResourceRef(
        type="dataset",
        classification=facts.classification or "",
        tags=facts.tags or (),
        owner=str(principal.id),
        residency=facts.region or "",
    )
    authorize(principal, "dataset.create", wanted)
    _refuse_personal_facts(facts)
    require_dataset_room()
    dataset = Dataset(created_by=principal.id, **facts.columns())
    _saving_name(dataset, force_insert=True)
    _set_tags(dataset, facts.tags or ())
    emit(_fact(EventType.CREATED, "write", dataset))
    return dataset


def update_dataset(principal: Principal, *, dataset_id: UUID, facts: DatasetFacts) -> Dataset:
    """Change what a dataset says of itself.

    Raises DatasetNotFound, AccessDenied, DatasetArchived, RegionFixed, PersonalDataInText, DatasetNameTaken.
    """
    dataset = hold_dataset(principal, dataset_id, action="dataset.update")
    facts = replace(facts, region=region_change(dataset, facts.region))
    _refuse_personal_facts(facts)
    for name, value in facts.columns().items():
        setattr(dataset, name, value)
    dataset.updated_at = timezone.now()
    _saving_name(dataset)
    if facts.tags is not None:
        _set_tags(dataset, facts.tags)
    changed = sorted(item.name for item in fields(facts) if getattr(facts, item.name) not in (None, False))
    emit(_fact(EventType.UPDATED, "update", dataset, changed=changed))
    return dataset


def _refuse_personal_facts(facts: DatasetFacts) -> None:
    tags: Sequence[str] = facts.tags or ()
    refuse_personal_data(
        name=facts.name or "",
        description=facts.description or "",
        region=facts.region or "",
        **{f"tags/{index}": tag for index, tag in enumerate(tags)},
    )


def _saving_name(dataset: Dataset, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            dataset.save(force_insert=force_insert)
    except IntegrityError as exc:
        raise DatasetNameTaken from exc


def _set_tags(dataset: Dataset, tags: Sequence[str]) -> None:
    DatasetTag.objects.filter(dataset=dataset).delete()
    DatasetTag.objects.bulk_create(DatasetTag(dataset=dataset, tag=tag) for tag in sorted(set(tags)))


def _fact(kind: EventType, operation: str, dataset: Dataset, **facts: Any) -> Event:
    return Event(type=kind, operation=operation, resource=resource_of(dataset), metadata=facts)
