"""Reading of datasets, versions and ingests: what a principal may not see does not exist."""

import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from access.policy.builtin import RULES
from access.selectors import may
from access.services.policies_in_force import policies_in_force
from datasets.errors import DatasetNotFound, IngestNotFound, VersionNotFound
from datasets.models import Branch, Dataset, Ingest, Version
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

#: Tags of one listing.
MAX_TAGS: Final = 16
_DIGEST_HEX: Final = 64
#: A sequence number, as long as its column holds.
_SEQUENCE: Final = re.compile(r"[0-9]{1,9}")


def resource_of(dataset: Dataset, version: Version | None = None) -> ResourceRef:
    """How decisions and the audit name a dataset, or one version of it."""
    return ResourceRef(
        type="dataset",
        id=str(dataset.pk),
        dataset_id=dataset.pk,
        classification=dataset.classification,
        version=version.label if version else "",
        owner=str(dataset.created_by),
        residency=dataset.region,
        name=dataset.name,
    )


def get_dataset(principal: Principal, dataset_id: UUID, *, action: str, with_deleted: bool = False) -> Dataset:
    """The dataset, if ``principal`` may know of it; ``with_deleted`` also one that ``principal`` may restore.

    Raises DatasetNotFound, after recording the denied ``action``, whether the dataset belongs to another tenant, is
    hidden, or never was.
    """
    known = Dataset.objects.visible_to(principal)
    if with_deleted:
        known |= Dataset.objects.deleted_to(principal)
    dataset = known.filter(pk=dataset_id).first()
    if dataset is None:
        raise not_visible(DatasetNotFound(), ResourceRef(type="dataset", id=str(dataset_id)), action)
    return dataset


def not_visible(error: VaultError, resource: ResourceRef, action: str) -> VaultError:
    """Record that ``action`` on what the principal may not know of, or what never was, was denied; ``error`` again."""
    rule = RULES[action]
    event = Event(
        type=rule.event,
        operation=rule.operation,
        resource=resource,
        purpose=current_scope().purpose or "",
        metadata={"action": action, "reason": "not visible", "policy_epoch": policies_in_force().number},
    )
    emit(event.ended_by(error), primary=True)
    return error


def find_resource(principal: Principal, dataset_id: UUID, *, action: str) -> ResourceRef:
    """For the apps below: the dataset as decisions name it. Raises as get_dataset does."""
    return resource_of(get_dataset(principal, dataset_id, action=action))


def list_datasets(
    principal: Principal,
    *,
    tags: Sequence[str] = (),
    prefix: str = "",
    classification: str = "",
    after: tuple[str, ...] | None,
    limit: int,
) -> list[Dataset]:
    """Datasets with all of ``tags``, newest first, at most ``limit`` of them after the one whose id is ``after``.

    Raises InvalidInput for more than MAX_TAGS of them: each is a condition of its own in the database.
    """
    if len(tags) > MAX_TAGS:
        raise InvalidInput(errors=[FieldProblem("tag", f"at most {MAX_TAGS} of them")])
    rows: QuerySet[Dataset] = Dataset.objects.visible_to(principal).prefetch_related("tags").order_by("-id")
    for tag in tags:
        rows = rows.filter(tags__tag=tag)
    if prefix:
        rows = rows.filter(name__startswith=prefix)
    if classification:
        rows = rows.filter(classification=classification)
    if after:
        last = _uuid_or_none(after[0])
        if last is None:
            raise InvalidCursor
        rows = rows.filter(id__lt=last)
    return list(rows[:limit])


def find_version(dataset: Dataset, name: str) -> Version:
    """A version by label, sequence number, id (digest in hex, or UUID), branch or tag. Raises VersionNotFound."""
    found = find_version_or_none(dataset, name)
    if found is None:
        raise VersionNotFound
    return found


def find_version_or_none(dataset: Dataset, name: str) -> Version | None:
    if "\0" in name:
        return None  # no text of the database holds one
    versions = Version.objects.filter(dataset=dataset).select_related("parent", "merge_parent")
    found = versions.filter(_names_version(name)).first()
    # No branch has the name of a tag: which is asked first is the same.
    if found is None:
        found = versions.filter(pk__in=Branch.objects.filter(dataset=dataset, name=name).values("head")).first()
    return found or versions.filter(tags__dataset=dataset, tags__name=name).first()


def _names_version(name: str) -> Q:
    wanted = Q(label=name)
    if _SEQUENCE.fullmatch(name):
        wanted |= Q(sequence=int(name))
    digest = _bytes_or_none(name) if len(name) == _DIGEST_HEX else None
    if digest is not None:
        wanted |= Q(digest=digest)
    identifier = _uuid_or_none(name)
    return wanted | Q(pk=identifier) if identifier else wanted


def _bytes_or_none(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def list_versions(dataset: Dataset, *, after: tuple[str, ...] | None, limit: int) -> list[Version]:
    """Versions, newest first, at most ``limit`` before the one whose sequence number is ``after``."""
    rows = Version.objects.filter(dataset=dataset).select_related("parent", "merge_parent").order_by("-sequence")
    if after:
        if not _SEQUENCE.fullmatch(after[0]):
            raise InvalidCursor
        rows = rows.filter(sequence__lt=int(after[0]))
    return list(rows[:limit])


def head_of(dataset: Dataset, branch: str = "main") -> Version | None:
    row = Branch.objects.filter(dataset=dataset, name=branch).select_related("head").first()
    return row.head if row else None


def heads_of(datasets: Sequence[Dataset], branch: str = "main") -> dict[UUID, Version]:
    """The newest version of each dataset that has one, by dataset id."""
    rows = Branch.objects.filter(dataset__in=datasets, name=branch, head__isnull=False).select_related("head")
    return {row.dataset_id: row.head for row in rows if row.head}


def get_ingest(principal: Principal, ingest_id: UUID) -> Ingest:
    """The ingest, if its dataset is visible to ``principal``. Raises IngestNotFound."""
    ingest = Ingest.objects.filter(pk=ingest_id).select_related("dataset", "version").first()
    if ingest is None or not _may_see_ingests(principal, ingest.dataset_id):
        error = IngestNotFound()
        rule = RULES["ingest.read"]
        event = Event(
            type=rule.event,
            operation=rule.operation,
            resource=ResourceRef(type="ingest", id=str(ingest_id)),
            purpose=current_scope().purpose or "",
        )
        emit(event.ended_by(error), primary=True)
        raise error
    return ingest


def _may_see_ingests(principal: Principal, dataset_id: UUID) -> bool:
    may_any = may(principal, "ingest.read") or may(principal, "ingest.rejects.read")
    return may_any and Dataset.objects.visible_to(principal).filter(pk=dataset_id).exists()


def ingest_status(ingest_id: UUID) -> str:
    """The status only, for polling."""
    return Ingest.objects.values_list("status", flat=True).get(pk=ingest_id)
