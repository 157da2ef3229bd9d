"""Datasets, versions and merge requests by how their names begin, or by their ids: only what somebody may know of."""

from uuid import UUID

from django.db.models import F, Q

from datasets.models import Dataset, MergeRequest, Version, VersionTag
from vaultsite.kernel.prefix import BeginsWith
from vaultsite.kernel.tenancy.principal import Principal

#: Between the name of a dataset and that of a version of it.
AT = "@"


def datasets_found(principal: Principal, text: str, limit: int) -> list[Dataset]:
    """Datasets whose name begins with ``text``, by name."""
    rows = Dataset.objects.visible_to(principal).filter(BeginsWith(F("name"), text))
    return list(rows.order_by("name")[:limit])


def dataset_of_id(principal: Principal, identifier: UUID) -> list[Dataset]:
    return list(Dataset.objects.visible_to(principal).filter(pk=identifier))


def versions_found(principal: Principal, text: str, limit: int) -> list[Version]:
    """Versions of the dataset before the AT whose label begins with what follows it, newest first; else none."""
    name, at, label = text.rpartition(AT)
    if not at:
        return []
    dataset = Dataset.objects.visible_to(principal).filter(name=name)
    rows = Version.objects.filter(BeginsWith(F("label"), label), dataset__in=dataset)
    return list(rows.select_related("dataset").order_by("-sequence")[:limit])


def version_of_id(principal: Principal, identifier: UUID) -> list[Version]:
    visible = Dataset.objects.visible_to(principal)
    return list(Version.objects.filter(pk=identifier, dataset__in=visible).select_related("dataset"))


def tags_found(principal: Principal, text: str, limit: int) -> list[VersionTag]:
    """Tags of versions whose name begins with ``text``, by name."""
    visible = Dataset.objects.visible_to(principal)
    rows = VersionTag.objects.filter(BeginsWith(F("name"), text), dataset__in=visible)
    return list(rows.select_related("dataset", "version").order_by("name")[:limit])


def merge_requests_found(principal: Principal, text: str, limit: int) -> list[MergeRequest]:
    """Merge requests whose title or source branch begins with ``text``, newest first."""
    return _merge_requests(principal, Q(title__istartswith=text) | Q(source__startswith=text), limit)


def merge_request_of_id(principal: Principal, identifier: UUID) -> list[MergeRequest]:
    return _merge_requests(principal, Q(pk=identifier), 1)


def _merge_requests(principal: Principal, wanted: Q, limit: int) -> list[MergeRequest]:
    visible = Dataset.objects.visible_to(principal)
    rows = MergeRequest.objects.filter(wanted, dataset__in=visible).select_related("dataset")
    return list(rows.order_by("-id")[:limit])
