"""Tags: second names of versions, which never move."""

from uuid import UUID

from datasets.errors.branches import TagNotFound
from datasets.models import Dataset, VersionTag
from datasets.selectors import find_version
from datasets.services.branches import ref_event
from datasets.services.descriptions import refuse_personal_data
from datasets.services.ref_names import require_new_name
from datasets.services.writable import hold_dataset
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.tenancy.principal import Principal


def list_tags(dataset: Dataset, *, after: str = "", limit: int) -> list[VersionTag]:
    """Tags in order of name, at most ``limit`` after the one called ``after``."""
    rows = VersionTag.objects.filter(dataset=dataset, name__gt=after).select_related("version")
    return list(rows.order_by("name")[:limit])


def create_tag(principal: Principal, *, dataset_id: UUID, name: str, version: str, message: str = "") -> VersionTag:
    """Give the version a second name.

    Raises DatasetNotFound, AccessDenied, VersionNotFound, InvalidRefName, RefNameTaken, PersonalDataInText.
    """
    dataset = hold_dataset(principal, dataset_id, action="branch.write")
    require_new_name(dataset, name)
    refuse_personal_data(message=message)
    tagged = find_version(dataset, version)
    tag = VersionTag.objects.create(
        dataset=dataset, name=name, version=tagged, message=message, created_by=principal.id
    )
    emit(ref_event(dataset, tagged, change="created", tag=name))
    return tag


def delete_tag(principal: Principal, *, dataset_id: UUID, name: str) -> None:
    """Remove the name; the version stays. Raises DatasetNotFound, AccessDenied, TagNotFound."""
    dataset = hold_dataset(principal, dataset_id, action="branch.write")
    tag = VersionTag.objects.filter(dataset=dataset, name=name).select_related("version").first()
    if tag is None:
        raise TagNotFound
    tag.delete()
    emit(ref_event(dataset, tag.version, change="deleted", tag=name))
