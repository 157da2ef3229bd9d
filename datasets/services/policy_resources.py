"""What access policies may ask of a dataset, as it stands now."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from access.ports import ResourceSource
from datasets.models import ConsentLink, Dataset, DatasetTag, QuarantineCause, Version
from datasets.models.dataset import Classification
from datasets.selectors import resource_of
from datasets.services.consent_links import named_by
from datasets.services.row_conditions import problem_of
from datasets.services.version_quarantine import place
from vaultsite.kernel.events.event import ResourceRef


class DescribedDatasets(ResourceSource):
    """Datasets with their tags."""

    def described(self, resource: ResourceRef) -> ResourceRef:
        """What was stated of the resource stays as it is; three queries at most."""
        if resource.dataset_id is None:
            return resource
        if not (resource.classification and resource.owner):
            row = Dataset.objects.filter(pk=resource.dataset_id).first()
            if row is None:
                return resource
            known = resource_of(row)
            resource = replace(
                resource,
                classification=resource.classification or known.classification,
                owner=resource.owner or known.owner,
                residency=resource.residency or known.residency,
            )
        (described,) = _with_consent([next(_with_tags([resource]))])
        return described

    def find_dataset(self, dataset_id: UUID) -> ResourceRef | None:
        row = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
        return _with_consent(list(_with_tags([resource_of(row)])))[0] if row else None

    def datasets(self, *, after: UUID | None, limit: int) -> Sequence[ResourceRef]:
        rows = Dataset.objects.filter(deleted_at=None).order_by("pk")
        rows = rows if after is None else rows.filter(pk__gt=after)
        return _with_consent(list(_with_tags([resource_of(row) for row in rows[:limit]])))

    def classifications(self) -> Collection[str]:
        return Classification.values

    def row_condition_problem(self, condition: str) -> str:
        return problem_of(condition)

    def quarantine(self, dataset_id: UUID, *, policy: str, by: UUID) -> int:
        dataset = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
        if dataset is None:
            return 0
        versions = Version.objects.filter(dataset=dataset)
        return len(place(dataset, versions, cause=QuarantineCause.VIOLATION, by=by, reason=f"access {policy}"))


def _with_consent(resources: Sequence[ResourceRef]) -> list[ResourceRef]:
    """How records of each name the people whose consent they need: what ``resource.consent`` says to policies."""
    rows = ConsentLink.objects.filter(dataset__in=[one.dataset_id for one in resources if one.dataset_id])
    links: dict[UUID | None, ConsentLink] = {row.dataset_id: row for row in rows}
    return [replace(one, consent=one.consent or str(named_by(links.get(one.dataset_id)))) for one in resources]


def _with_tags(resources: Sequence[ResourceRef]) -> Iterator[ResourceRef]:
    tags: dict[UUID, list[str]] = {}
    wanted = [one.dataset_id for one in resources]
    for dataset_id, tag in DatasetTag.objects.filter(dataset__in=wanted).values_list("dataset_id", "tag"):
        tags.setdefault(dataset_id, []).append(tag)
    for one in resources:
        found = tags.get(one.dataset_id, []) if one.dataset_id else []
        yield replace(one, tags=tuple(sorted(found)) if one.tags is None else one.tags)
