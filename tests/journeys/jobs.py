"""Long jobs seen from outside: waiting for them, and doing the same one again from its beginning."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from access.models import Tenant
from datasets.models import Blob, BlobKind, BlobState, Branch, Chunk, FindingsBlob, Ingest, SubjectIndexEntry, Version
from datasets.services.sweep import remove_dead_blobs, sweep_blobs
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.datasets import reload
from tests.journeys.waiting import until
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import FINAL, JobStatus, reap


def finished(tenant: Tenant, ingest: Ingest) -> Ingest:
    """The ingest once it is final."""
    return _once(tenant, ingest, lambda found: found.status in FINAL, every=0.3)


def arrived(tenant: Tenant, ingest: Ingest, *stages: str) -> Ingest:
    """The ingest once it is in one of these stages, noticed at once."""
    return _once(tenant, ingest, lambda found: found.progress["stage"] in stages, every=0.02)


def _once(tenant: Tenant, ingest: Ingest, condition: Callable[[Ingest], bool], *, every: float) -> Ingest:
    """Waits while overdue jobs are woken as beat does."""

    def look() -> Ingest | None:
        reap()
        found = reload(tenant, ingest)
        return found if condition(found) else None

    return until(look, every=every)


@dataclass(frozen=True)
class Beginning:
    """Everything a job is given: its row with the seed, and its sealed parts."""

    row: dict[str, Any]
    parts: list[tuple[dict[str, Any], bytes]]


def remember(tenant: Tenant, ingest: Ingest) -> Beginning:
    """Before the job runs."""
    store = BlobStore.default()
    with acting(tenant):
        (row,) = Ingest.objects.filter(pk=ingest.pk).values("seed", "checkpoint", "progress", "rejected_count")
        parts = list(Blob.objects.filter(job=ingest.pk).order_by("sequence").values())
    return Beginning(row, [(part, store.get(part["name"])) for part in parts])


def do_again(tenant: Tenant, ingest: Ingest, beginning: Beginning) -> Version:
    """Forget all that came of the job and do the very same one once more, in this process, undisturbed."""
    with acting(tenant):
        for model in (SubjectIndexEntry, FindingsBlob, Chunk):
            model.objects.filter(dataset_id=ingest.dataset_id).delete()
        Branch.objects.filter(dataset_id=ingest.dataset_id).update(head=None)
        Ingest.objects.filter(pk=ingest.pk).update(
            status=JobStatus.QUEUED, version=None, attempt=0, finished_at=None, **beginning.row
        )
        Version.objects.filter(dataset_id=ingest.dataset_id).delete()
        Blob.objects.filter(dataset_id=ingest.dataset_id).update(state=BlobState.DEAD, job=ingest.pk)
    remove_dead_blobs(tenant.pk, job=ingest.pk)
    for part, body in beginning.parts:
        with acting(tenant):
            Blob.objects.create(**part)
        BlobStore.default().put(part["name"], body)
    run_ingest(tenant.pk, ingest.pk)
    return reload(tenant, ingest).version


def assert_no_orphan(tenant: Tenant, before: set[str]) -> None:
    """After a sweep the store holds what rows name and nothing else, and the tenant's are packs in use."""
    until(lambda: sweep_blobs() == 0)
    stored = set(BlobStore.default().names())
    with acting(tenant):
        names = set(Blob.objects.values_list("name", flat=True))
        states = set(Blob.objects.values_list("kind", "state", "job"))
        used = set(Chunk.objects.values_list("blob__name", flat=True))
        used |= set(FindingsBlob.objects.values_list("blob__name", flat=True))
    everybodys = set(Blob.objects.using("system").values_list("name", flat=True))
    assert states == {(BlobKind.PACK, BlobState.SEALED, None)}
    assert names == used
    assert names <= stored
    assert stored - before - everybodys == set()
