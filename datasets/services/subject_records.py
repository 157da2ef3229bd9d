"""Records of one person, by id, as they are: for who answers that person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from access.services.authorize import authorize
from datasets.models import Dataset, Version
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.canaries import watch_of
from datasets.services.drafts.parent import find_many
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.read import release_under
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.version_quarantine import refuse_quarantined
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class Source:
    """A version of a dataset from which somebody may be given records raw; ``epoch`` is the dataset's erasure epoch."""

    dataset_id: UUID
    name: str
    version_id: UUID | None
    label: str
    epoch: int


def open_source(principal: Principal, dataset_id: UUID, *, purpose: str | None = None) -> tuple[Source, bool]:
    """The head of the default branch, and whether the principal is shown all its records as they are.

    In the open scope; the decision is recorded. ``purpose`` overrides the scope's. Raises DatasetNotFound,
    AccessDenied, PurposeRequired, UnknownPurpose, VersionQuarantined, LeaseEnded, UnmetObligation.
    """
    dataset = get_dataset(principal, dataset_id, action="record.read")
    version = find_version_or_none(dataset, "main")
    decision = authorize(principal, "record.read", resource_of(dataset, version), purpose=purpose)
    if version is None:
        is_raw = all(one.type == RESTRICTION for one in decision.obligations)
        return Source(dataset.pk, dataset.name, None, "", dataset.erasure_epoch), is_raw
    release = release_under(decision, dataset, version, counts_rows=False)
    source = Source(dataset.pk, dataset.name, version.pk, version.label, dataset.erasure_epoch)
    return source, release.for_subject().is_whole


def is_current(source: Source) -> bool:
    """Whether nothing was erased from the dataset since, and its version is still there to read, in the open scope.

    Raises VersionQuarantined.
    """
    if source.version_id is not None:
        version = Version.objects.filter(pk=source.version_id).first()
        if version is None:
            return False
        refuse_quarantined(version)
    return Dataset.objects.filter(pk=source.dataset_id, erasure_epoch=source.epoch, purged_at=None).exists()


def collect(source: Source, record_ids: Sequence[str], *, reader_id: UUID) -> Iterator[tuple[int, dict[str, Any]]]:
    """Those of the records that the version has, in order of id: the size, and ``id``, ``data`` and ``metadata``.

    Inside a scope. What is handed out counts as released to ``reader_id``.
    """
    if source.version_id is None:
        return
    version, dataset = Version.objects.get(pk=source.version_id), Dataset.objects.get(pk=source.dataset_id)
    watch = watch_of(dataset)
    for record in find_many(PackReader(load_keys(dataset.pk)), bytes(version.root), sorted(set(record_ids))):
        if watch is not None:
            watch.note((record.id,), reader_id=reader_id)
        yield len(record.canonical), orjson.loads(record.canonical)
