"""Remove what nobody owns any more: dead objects, uploads that were never finished, remains of failed jobs."""

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from datasets.models import (
    Blob,
    BlobKind,
    BlobState,
    Erasure,
    Export,
    GarbageCollection,
    GuaranteedExport,
    Ingest,
    Masking,
    Merge,
    Publication,
    Rescan,
)
from datasets.services.commit import discard_findings, discard_packs
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.blobs.removal import removing_objects
from vaultsite.kernel.errors import BlobMissing, StorageUnavailable
from vaultsite.kernel.jobs import FINAL, JobStatus, LongRunning
from vaultsite.kernel.regions import served_stores
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: An upload whose ingest does not exist after this long was abandoned.
UPLOAD_GRACE: Final = timedelta(hours=1)
_BATCH: Final = 200
logger = logging.getLogger("vault.sweep")
#: Every job that writes objects, and the kinds of them that outlive it.
OWNERS: Final[Mapping[type[LongRunning], tuple[BlobKind, ...]]] = {
    Erasure: (),
    Export: (BlobKind.EXPORT,),
    GarbageCollection: (),
    GuaranteedExport: (BlobKind.EXPORT,),
    Ingest: (BlobKind.REPORT,),
    Masking: (),
    Merge: (),
    Publication: (),
    Rescan: (),
}


def remove_dead_blobs(tenant_id: UUID, *, job: UUID) -> int:
    """Delete the dead objects of one job now; what fails to go is swept later. Returns how many went.

    None while a backup copies objects.
    """
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        rows = Blob.objects.filter(job=job, state=BlobState.DEAD, store__in=served_stores())
        dead = list(rows.values_list("pk", "store", "name"))
    with removing_objects() as may_go:
        if not may_go:
            return 0
        _delete(dead)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        Blob.objects.filter(pk__in=[pk for pk, _, _ in dead]).delete()
    return len(dead)


def sweep_blobs() -> int:
    """As vault_system, over all tenants: mark what is abandoned, then delete what is dead. Returns how many went.

    While a backup copies objects, none goes.
    """
    for owner, kept in OWNERS.items():
        _clean_ended(owner, kept)
    _mark_abandoned()
    return sum(_sweep_store(alias) for alias in served_stores())


def _sweep_store(alias: str) -> int:
    """Each store by itself: one that is away keeps nothing of the others."""
    try:
        return _remove_dead(alias)
    except (StorageUnavailable, OSError):
        logger.warning("the store %s cannot be swept now", alias)
        return 0


def _remove_dead(alias: str) -> int:
    """Raises StorageUnavailable."""
    BlobStore.at(alias).remove_stale_temporaries()
    rows = Blob.objects.using("system").filter(state=BlobState.DEAD, store=alias)
    dead = list(rows.values_list("pk", "store", "name")[:_BATCH])
    with removing_objects() as may_go:
        if not may_go:
            return 0
        _delete(dead)
    gone = Blob.objects.using("system").filter(pk__in=[pk for pk, _, _ in dead])
    # Not delete(): that would look for rows pointing here, which vault_system may not read. Foreign keys watch over it.
    gone._raw_delete("system")  # noqa: SLF001
    return len(dead)


def _mark_abandoned() -> None:
    with transaction.atomic(using="system"):
        blobs = Blob.objects.using("system")
        # An upload that still brings parts is alive, however old its first one is.
        recent = blobs.filter(job=OuterRef("job"), created_at__gte=Now() - UPLOAD_GRACE)
        late = blobs.filter(job__isnull=False, created_at__lt=Now() - UPLOAD_GRACE).exclude(state=BlobState.DEAD)
        for owner in OWNERS:
            late = late.filter(~Exists(owner._default_manager.using("system").filter(pk=OuterRef("job"))))  # noqa: SLF001
        late.filter(~Exists(recent)).update(state=BlobState.DEAD)


def _clean_ended(owner: type[LongRunning], kept: tuple[BlobKind, ...]) -> None:
    """A job that was given up after too many tries left rows in the tree: take them back in its tenant's scope."""
    leftovers = Blob.objects.using("system").filter(job=OuterRef("pk")).exclude(state=BlobState.DEAD)
    ended = owner._default_manager.using("system").filter(status__in=FINAL)  # noqa: SLF001 - a model's manager
    left = ended.filter(Exists(leftovers.exclude(kind__in=kept)))
    for tenant_id, pk in left.values_list("tenant_id", "pk")[:_BATCH]:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            job = owner._default_manager.select_for_update().get(pk=pk)  # noqa: SLF001
            if job.status != JobStatus.SUCCEEDED:
                (discard_findings if owner is Rescan else discard_packs)(pk)
                _forget_seed(owner, pk)
            Blob.objects.filter(job=pk).exclude(kind__in=kept).update(state=BlobState.DEAD)


def _forget_seed(owner: type[LongRunning], pk: UUID) -> None:
    if any(field.name == "seed" for field in owner._meta.get_fields()):  # noqa: SLF001 - Django's way to tell
        owner._default_manager.filter(pk=pk).update(**{"seed": None})  # noqa: SLF001, PIE804 - not every job has one


def _delete(dead: Iterable[tuple[UUID, str, str]]) -> None:
    for _, alias, name in dead:
        with suppress(BlobMissing):
            BlobStore.at(alias).delete(name)
