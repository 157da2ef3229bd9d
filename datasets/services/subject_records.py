"""Records of one person, by id, as they are: for who answers that person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from access.services.authorize import authorize
from datasets.models import Branch, Dataset, Version
from datasets.models.version import DEFAULT_BRANCH
from datasets.selectors import get_dataset, resource_of
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
    """A branch of a dataset from which somebody may be given records raw; ``epoch`` is the dataset's erasure epoch.

    ``version_id`` and ``label`` are of its head when that was decided; None and empty where it has none.
    """

    dataset_id: UUID
    name: str
    branch: str
    version_id: UUID | None
    label: str
    epoch: int


def open_sources(principal: Principal, dataset_id: UUID, *, purpose: str | None = None) -> tuple[list[Source], bool]:
    """The heads of all branches, the default branch first; and whether the principal is shown all records as they are.

    In the open scope; each decision is recorded. ``purpose`` overrides the scope's. Raises DatasetNotFound,
    AccessDenied, PurposeRequired, UnknownPurpose, VersionQuarantined, LeaseEnded, UnmetObligation.
    """
    dataset = get_dataset(principal, dataset_id, action="record.read")
    branches = Branch.objects.filter(dataset=dataset).select_related("head").order_by("name")
    heads = sorted((one for one in branches if one.head), key=lambda one: one.name != DEFAULT_BRANCH)
    if not heads:
        decision = authorize(principal, "record.read", resource_of(dataset, None), purpose=purpose)
        is_raw = all(one.type == RESTRICTION for one in decision.obligations)
        return [Source(dataset.pk, dataset.name, DEFAULT_BRANCH, None, "", dataset.erasure_epoch)], is_raw
    shown: dict[UUID, bool] = {}
    for head in {one.head.pk: one.head for one in heads if one.head}.values():
        decision = authorize(principal, "record.read", resource_of(dataset, head), purpose=purpose)
        shown[head.pk] = release_under(decision, dataset, head, counts_rows=False).for_subject().is_whole
    return [_source(dataset, one) for one in heads], all(shown.values())


def _source(dataset: Dataset, branch: Branch) -> Source:
    label = branch.head.label if branch.head else ""
    return Source(dataset.pk, dataset.name, branch.name, branch.head_id, label, dataset.erasure_epoch)


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


def collect(source: Source, record_ids: Sequence[str], *, reader_id: UUID) -> Iterator[bytes]:
    """Those of the records that the version has, canonical, in order of id: ``id``, ``data`` and ``metadata``.

    Inside a scope. What is handed out counts as released to ``reader_id``.
    """
    if source.version_id is None:
        return
    version, dataset = Version.objects.get(pk=source.version_id), Dataset.objects.get(pk=source.dataset_id)
    watch = watch_of(dataset)
    for record in find_many(PackReader(load_keys(dataset.pk)), bytes(version.root), sorted(set(record_ids))):
        if watch is not None:
            watch.note((record.id,), reader_id=reader_id)
        yield record.canonical
