"""Rescans: asked for by hand, or due because the set of detectors is another than the one that scanned."""

from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from access.services.authorize import authorize
from anonymization.services.detect import detector_hash
from datasets.errors.quarantine import RescanNotFound
from datasets.models import Blob, BlobKind, BlobState, Chunk, Dataset, FindingsBlob, ObjectKind, Rescan
from datasets.selectors import get_dataset, not_visible, resource_of
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up


def start_rescan(principal: Principal, *, dataset_id: UUID) -> Rescan:
    """Queue a rescan by the detectors of now; the one that has not ended, if any.

    Raises DatasetNotFound, AccessDenied.
    """
    dataset = get_dataset(principal, dataset_id, action="rescan.manage")
    authorize(principal, "rescan.manage", resource_of(dataset))
    return _queue(dataset.pk, principal.id)


def get_rescan(principal: Principal, rescan_id: UUID) -> Rescan:
    """Raises RescanNotFound, AccessDenied."""
    visible = Dataset.objects.visible_to(principal)
    row = Rescan.objects.select_related("dataset").filter(pk=rescan_id, dataset__in=visible).first()
    if row is None:
        raise not_visible(RescanNotFound(), ResourceRef("rescan", str(rescan_id)), "detection.read")
    authorize(principal, "detection.read", resource_of(row.dataset))
    return row


def list_rescans(dataset: Dataset, *, after: tuple[str, ...] | None = None, limit: int) -> list[Rescan]:
    """Newest first, after the one whose id is ``after``. Raises InvalidCursor."""
    rows = Rescan.objects.filter(dataset=dataset).order_by("-id")
    if after is not None:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


def unscanned(dataset_id: UUID, detector: bytes) -> QuerySet[Chunk]:
    """The chunks of committed versions that this set of detectors has not looked into."""
    done = FindingsBlob.objects.filter(dataset_id=OuterRef("dataset_id"), digest=OuterRef("digest"), detector=detector)
    chunks = Chunk.objects.filter(dataset_id=dataset_id, kind=ObjectKind.CHUNK, blob__job=None)
    return chunks.filter(~Exists(done))


def plan_rescans() -> int:
    """Over all tenants, as vault_system: queue a rescan where other detectors scanned. Returns how many."""
    packs = Blob.objects.using("system").filter(kind=BlobKind.PACK, state=BlobState.SEALED)
    stored = packs.order_by().values_list("tenant_id", "dataset_id").distinct()
    return add_up(_plan, list(stored))


def _plan(tenant_id: UUID, dataset_id: UUID) -> int:
    system, detector = Principal.system(tenant_id), detector_hash()
    with tenant_scope(tenant_id, system):
        is_open = Dataset.objects.filter(pk=dataset_id, deleted_at=None).exists()
        tried = Rescan.objects.filter(dataset_id=dataset_id, detector=detector)
        if not is_open or tried.exists() or not unscanned(dataset_id, detector).exists():
            return 0
        _queue(dataset_id, system.id)
        return 1


def _queue(dataset_id: UUID, requested_by: UUID) -> Rescan:
    """One at a time: the dataset's row is locked while it is looked for."""
    dataset = Dataset.objects.select_for_update(no_key=True).get(pk=dataset_id)
    under_way = Rescan.objects.filter(dataset=dataset).exclude(status__in=FINAL).first()
    if under_way is not None:
        return under_way
    row = Rescan(
        dataset=dataset,
        detector=detector_hash(),
        requested_by=requested_by,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": JobStatus.QUEUED.value, "chunks": 0, "percent": 0},
    )
    row.save(force_insert=True)
    enqueue(row)
    return row
