"""Remove what nobody owns any more: dead objects, uploads that were never finished, remains of failed ingests."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from datasets.models import Blob, BlobKind, BlobState, Ingest
from datasets.services.ingest.commit import discard
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.jobs import FINAL, JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: An upload whose ingest does not exist after this long was abandoned.
UPLOAD_GRACE: Final = timedelta(hours=1)
_BATCH: Final = 200


def remove_dead_blobs(tenant_id: UUID, *, job: UUID) -> int:
    """Delete the dead objects of one job now; what fails to go is swept later. Returns how many went."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        dead = list(Blob.objects.filter(job=job, state=BlobState.DEAD).values_list("pk", "name"))
    _delete(name for _, name in dead)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        Blob.objects.filter(pk__in=[pk for pk, _ in dead]).delete()
    return len(dead)


def sweep_blobs() -> int:
    """As vault_system, over all tenants: mark what is abandoned, then delete what is dead. Returns how many went."""
    _clean_failed_ingests()
    _mark_abandoned()
    BlobStore.default().remove_stale_temporaries()
    dead = list(Blob.objects.using("system").filter(state=BlobState.DEAD).values_list("pk", "name")[:_BATCH])
    _delete(name for _, name in dead)
    gone = Blob.objects.using("system").filter(pk__in=[pk for pk, _ in dead])
    # Not delete(): that would look for rows pointing here, which vault_system may not read. Foreign keys watch over it.
    gone._raw_delete("system")  # noqa: SLF001
    return len(dead)


def _mark_abandoned() -> None:
    with transaction.atomic(using="system"):
        blobs = Blob.objects.using("system")
        owner = Ingest.objects.using("system").filter(pk=OuterRef("job"))
        # An upload that still brings parts is alive, however old its first one is.
        recent = blobs.filter(job=OuterRef("job"), created_at__gte=Now() - UPLOAD_GRACE)
        late = blobs.filter(job__isnull=False, created_at__lt=Now() - UPLOAD_GRACE).exclude(state=BlobState.DEAD)
        late.filter(~Exists(owner), ~Exists(recent)).update(state=BlobState.DEAD)


def _clean_failed_ingests() -> None:
    """An ingest that was given up after too many tries left rows in the tree: take them back in its tenant's scope."""
    leftovers = Blob.objects.using("system").filter(job=OuterRef("pk")).exclude(state=BlobState.DEAD)
    failed = (
        Ingest.objects.using("system").filter(status__in=FINAL).filter(Exists(leftovers.exclude(kind=BlobKind.REPORT)))
    )
    for tenant_id, pk in failed.values_list("tenant_id", "pk")[:_BATCH]:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            ingest = Ingest.objects.select_for_update().get(pk=pk)
            if ingest.status == JobStatus.FAILED:
                discard(ingest)
                Ingest.objects.filter(pk=pk).update(seed=None)
            else:
                Blob.objects.filter(Q(job=pk) & ~Q(kind=BlobKind.REPORT)).update(state=BlobState.DEAD)


def _delete(names: Iterable[str]) -> None:
    store = BlobStore.default()
    for name in names:
        try:
            store.delete(name)
        except BlobMissing:
            continue
