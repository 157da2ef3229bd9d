"""Start and continue garbage collections and scrubs: by hand, or when they are due."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from access.services.authorize import authorize
from datasets.errors import CorruptTree, TreeObjectMissing
from datasets.errors.upkeep import DataCorruption
from datasets.models import Blob, BlobKind, BlobState, Dataset, GarbageCollection, Scrub
from datasets.selectors import get_dataset, resource_of
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.sweep import remove_dead_blobs
from datasets.services.upkeep.collect import Collection
from datasets.services.upkeep.verify import Verification
from vaultsite.kernel.errors import KeyDestroyed
from vaultsite.kernel.jobs import FINAL, Claim, Pulse, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.turn import take_turn
from vaultsite.kernel.upkeep import add_up

J = TypeVar("J", GarbageCollection, Scrub)
#: What no further try will mend.
_HOPELESS: Final = (DataCorruption, TreeObjectMissing, CorruptTree, KeyDestroyed)


def start_collection(principal: Principal, *, dataset_id: UUID) -> GarbageCollection:
    """Queue a garbage collection; the one that has not ended, if any. Raises DatasetNotFound, AccessDenied."""
    return _start(GarbageCollection, principal, dataset_id)


def start_scrub(principal: Principal, *, dataset_id: UUID) -> Scrub:
    """Queue a scrub; the one that has not ended, if any. Raises DatasetNotFound, AccessDenied."""
    return _start(Scrub, principal, dataset_id)


def _start(model: type[J], principal: Principal, dataset_id: UUID) -> J:
    dataset = get_dataset(principal, dataset_id, action="storage.manage")
    authorize(principal, "storage.manage", resource_of(dataset))
    return _queue(model, dataset.pk, principal.id)


def _queue(model: type[J], dataset_id: UUID, requested_by: UUID) -> J:
    """One of a kind at a time: the dataset's row is locked while it is looked for."""
    dataset = Dataset.objects.select_for_update(no_key=True).get(pk=dataset_id)
    under_way = model._default_manager.filter(dataset=dataset).exclude(status__in=FINAL).first()  # noqa: SLF001
    if under_way is not None:
        return under_way
    job = model(
        dataset=dataset,
        requested_by=requested_by,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued"},
    )
    job.save(force_insert=True)
    enqueue(job)
    return job


def run_collection(tenant_id: UUID, collection_id: UUID) -> None:
    """Collect from the beginning: what an interrupted run has done needs no doing again."""

    def collect(row: GarbageCollection, held: Claim, reader: PackReader) -> None:
        Collection(row, held, reader, Pulse(held)).run()
        held.finish(progress={"stage": "done"})

    _run(GarbageCollection, tenant_id, collection_id, collect)


def run_scrub(tenant_id: UUID, scrub_id: UUID) -> None:
    """Continue a scrub from its checkpoint for one turn."""

    def verify(row: Scrub, held: Claim, reader: PackReader) -> None:
        if Verification(row, held, reader).run():
            held.finish(progress={"stage": "done"})
        else:
            held.give_turn_back(row)

    _run(Scrub, tenant_id, scrub_id, verify)


def _run(model: type[J], tenant_id: UUID, pk: UUID, work: Callable[[J, Claim, PackReader], None]) -> None:
    def read(row: J, held: Claim) -> None:
        with held.scope():
            reader = PackReader(load_keys(row.dataset_id))
        work(row, held, reader)

    take_turn(model, tenant_id, pk, read, ends=lambda error: isinstance(error, _HOPELESS))
    remove_dead_blobs(tenant_id, job=pk)


def plan_upkeep() -> int:
    """Over all tenants, as vault_system: queue what is due for datasets that have packs. Returns how many jobs."""
    packs = Blob.objects.using("system").filter(kind=BlobKind.PACK, state=BlobState.SEALED)
    stored = packs.order_by().values_list("tenant_id", "dataset_id").distinct()
    return add_up(_plan, list(stored))


def _plan(tenant_id: UUID, dataset_id: UUID) -> int:
    system = Principal.system(tenant_id)
    with tenant_scope(tenant_id, system):
        dataset = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
        if dataset is None:
            return 0
        planned = 0
        if _is_due(GarbageCollection, dataset, timedelta(hours=settings.GC_HOURS)):
            _queue(GarbageCollection, dataset.pk, system.id)
            planned += 1
        if _is_due(Scrub, dataset, timedelta(days=settings.SCRUB_DAYS)):
            _queue(Scrub, dataset.pk, system.id)
            planned += 1
        return planned


def _is_due(model: type[J], dataset: Dataset, every: timedelta) -> bool:
    """Whether the last one, or the dataset's beginning, is so long ago."""
    rows = model._default_manager.filter(dataset=dataset).order_by("-created_at")  # noqa: SLF001
    last = rows.values_list("created_at", flat=True).first()
    return (last or dataset.created_at) + every <= timezone.now()
