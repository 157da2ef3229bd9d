"""Branches that part, and merges of them, as the services make them."""

from typing import Any

from access.models import Tenant
from datasets.models import Blob, BlobState, Branch, Chunk, Dataset, FindingsBlob, Merge, SubjectIndexEntry, Version
from datasets.services.merges.start import Wish, start_merge
from datasets.services.merges.work import run_merge
from datasets.services.sweep import remove_dead_blobs
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, queue_upload, reload, someone
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def put_on(tenant: Tenant, dataset: Dataset, branch: str, rows: list[Any], author: Principal | None = None) -> Version:
    """A version on the branch that holds exactly these rows; the branch must be there."""
    ingest = queue_upload(tenant, dataset, jsonl(rows), author, branch=branch)
    run_ingest(tenant.pk, ingest.pk)
    done = reload(tenant, ingest)
    assert done.status == "succeeded", done.error
    return done.version


def fork(tenant: Tenant, dataset: Dataset, name: str, source: str = "main") -> Branch:
    with acting(tenant):
        head = Branch.objects.get(dataset=dataset, name=source).head
        return Branch.objects.create(dataset=dataset, name=name, head=head)


def parted(
    tenant: Tenant, base: list[Any], ours: list[Any], theirs: list[Any], author: Principal | None = None
) -> Dataset:
    """A dataset with ``base`` and then ``ours`` on main, and ``theirs`` on the branch "work" that began at base."""
    dataset = make_dataset(tenant)
    put_on(tenant, dataset, "main", base, author)
    fork(tenant, dataset, "work")
    if theirs != base:
        put_on(tenant, dataset, "work", theirs, author)
    if ours != base:
        put_on(tenant, dataset, "main", ours, author)
    return dataset


def queue_merge(tenant: Tenant, dataset: Dataset, by: Principal | None = None, **wish: Any) -> Merge:
    """A merge of "work" into main that waits for a worker."""
    by = by or someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, by):
        return start_merge(by, dataset_id=dataset.pk, wish=Wish(**({"source": "work", "target": "main"} | wish)))


def merged(tenant: Tenant, dataset: Dataset, by: Principal | None = None, **wish: Any) -> Merge:
    """A merge with the worker's part done here."""
    merge = queue_merge(tenant, dataset, by, **wish)
    run_merge(tenant.pk, merge.pk)
    return reload_merge(tenant, merge)


def reload_merge(tenant: Tenant, merge: Merge) -> Merge:
    with acting(tenant):
        return Merge.objects.select_related("version", "source", "ours", "base", "dataset").get(pk=merge.pk)


def forget_merge(tenant: Tenant, merge: Merge, seed: bytes) -> None:
    """Forget all that came of a merge that made a version; it waits for a worker again, with the seed it had."""
    with acting(tenant):
        blobs = Blob.objects.filter(created_at__gte=merge.created_at, dataset_id=merge.dataset_id)
        blobs.update(job=merge.pk, state=BlobState.DEAD)
        for model in (FindingsBlob, Chunk):
            model.objects.filter(blob__in=blobs).delete()
        SubjectIndexEntry.objects.filter(job=merge.pk).delete()
        Branch.objects.filter(dataset_id=merge.dataset_id, name=merge.target).update(head=merge.ours)
        made = merge.version_id
        Merge.objects.filter(pk=merge.pk).update(
            status=JobStatus.QUEUED, outcome="", version=None, seed=seed, attempt=0, finished_at=None, checkpoint={}
        )
        Version.objects.get(pk=made).delete()
    remove_dead_blobs(tenant.pk, job=merge.pk)
