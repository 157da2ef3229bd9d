"""Ask for a key rotation, find those that are due, and say how much a key is used."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import BinaryField, Count, Q
from django.db.models.functions import Substr
from django.utils import timezone

from access.models import EncryptionKey, KeyPurpose, KeyState
from access.services.authorize import authorize
from access.services.key_rotation import due_keys
from datasets.errors import DatasetHeld, DatasetNotFound
from datasets.errors.keys import KeyRotationNotFound
from datasets.models import (
    Blob,
    BlobKind,
    BlobState,
    Chunk,
    Dataset,
    FindingsBlob,
    KeyRotation,
    MergeConflict,
    QuarantinedRecord,
    RotationReason,
    StagedRecord,
)
from datasets.selectors import get_dataset, resource_of
from vaultsite.kernel.crypto.aead import HEADER_BYTES, read_key_id
from vaultsite.kernel.errors import IntegrityFailure, UnsupportedSealing
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import FINAL, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, tenant_scope
from vaultsite.kernel.upkeep import add_up

#: What people may ask to rotate.
REQUESTABLE: Final = (KeyPurpose.KEK, KeyPurpose.PLATFORM, KeyPurpose.DATASET)


def start_rotation(principal: Principal, *, purpose: KeyPurpose, dataset_id: UUID | None = None) -> KeyRotation:
    """Queue a rotation; the one of this key that has not ended, if any.

    ``dataset_id`` for a dataset's key, None for keys of the tenant. Raises DatasetNotFound, AccessDenied.
    """
    if dataset_id is None:
        authorize(principal, "key.rotate", ResourceRef("encryption_key"), facts={"purpose": str(purpose)})
        return _queue(purpose, None, principal.id, RotationReason.REQUESTED)
    dataset = get_dataset(principal, dataset_id, action="key.rotate")
    authorize(principal, "key.rotate", resource_of(dataset), facts={"purpose": str(purpose)})
    return _queue(purpose, dataset.pk, principal.id, RotationReason.REQUESTED)


def get_rotation(principal: Principal, rotation_id: UUID) -> KeyRotation:
    """Raises KeyRotationNotFound, AccessDenied."""
    authorize(principal, "key.read", ResourceRef("key_rotation", str(rotation_id)))
    row = KeyRotation.objects.filter(pk=rotation_id).first()
    if row is None:
        raise KeyRotationNotFound
    return row


def _queue(purpose: KeyPurpose, dataset_id: UUID | None, requested_by: UUID, reason: RotationReason) -> KeyRotation:
    if dataset_id is not None and not Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id).exists():
        raise DatasetNotFound
    mine = Q(dataset_id=dataset_id) if dataset_id else Q(dataset=None)
    same = KeyRotation.objects.filter(mine, purpose=purpose).exclude(status__in=FINAL)
    under_way = same.first()
    if under_way is not None:
        return under_way
    job = KeyRotation(
        purpose=purpose,
        dataset_id=dataset_id,
        reason=reason,
        requested_by=requested_by,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued"},
    )
    job.save(force_insert=True)
    enqueue(job)
    return job


def plan_rotations() -> int:
    """Over all tenants that store anything: queue what is due by age or by number of objects. Returns how many."""
    packs = Blob.objects.using("system").filter(kind=BlobKind.PACK, state=BlobState.SEALED)
    tenants = list(packs.order_by().values_list("tenant_id").distinct())
    return add_up(_plan, tenants)


def _plan(tenant_id: UUID) -> int:
    system = Principal.system(tenant_id)
    with tenant_scope(tenant_id, system):
        due = {key.pk: (key, RotationReason.AGE) for key in due_keys(timezone.now())}
        active = EncryptionKey.objects.filter(purpose=KeyPurpose.DATASET, state=KeyState.ACTIVE)
        for key in active.exclude(pk__in=list(due)):
            if Chunk.objects.filter(dataset_id=key.scope_id, key_id=key.pk).count() >= settings.KEY_MAX_OBJECTS:
                due[key.pk] = (key, RotationReason.USE)
        for key, reason in due.values():
            dataset_id = dataset_of(key)
            if dataset_id is None or Dataset.objects.filter(pk=dataset_id).exists():
                _queue(KeyPurpose(key.purpose), dataset_id, system.id, reason)
    return len(due)


def dataset_of(key: EncryptionKey) -> UUID | None:
    return None if key.scope_id == current_tenant_id() else key.scope_id


def count_uses(key: EncryptionKey) -> int:
    """How many stored objects of a dataset's key name it; 0 for keys of the tenant, whose columns are not counted."""
    return count_uses_of([key])[key.pk]


def count_uses_of(keys: Sequence[EncryptionKey]) -> dict[UUID, int]:
    """``count_uses`` of each, in as many queries for all as for one."""
    scopes = {key.pk: scope for key in keys if (scope := dataset_of(key)) is not None}
    counts: Counter[UUID] = Counter(dict.fromkeys((key.pk for key in keys), 0))
    if not scopes:
        return counts
    for rows in (
        Chunk.objects.all(),
        FindingsBlob.objects.all(),
        StagedRecord.objects.all(),
        Blob.objects.exclude(state=BlobState.DEAD),
    ):
        named = rows.order_by().filter(dataset_id__in=set(scopes.values()), key_id__in=scopes)
        counts.update(dict(named.values_list("key_id").annotate(Count("pk"))))
    for key_id, number in _sealed_in_rows(set(scopes.values())):
        if key_id in scopes:
            counts[key_id] += number
    return counts


def _sealed_in_rows(datasets: Collection[UUID]) -> Iterable[tuple[UUID, int]]:
    """Of what the datasets' rows hold themselves, how much each key opens; what no reader knows is opened by none."""
    for rows, column in (
        (QuarantinedRecord.objects.filter(dataset_id__in=datasets), "body"),
        (MergeConflict.objects.filter(merge__dataset_id__in=datasets), "record"),
    ):
        header = Substr(column, 1, HEADER_BYTES, output_field=BinaryField())
        held = rows.order_by().filter(**{f"{column}__isnull": False}).values_list(header)
        for start, number in held.annotate(Count("pk")):
            with suppress(IntegrityFailure, UnsupportedSealing):
                yield read_key_id(start), number


def uses_at_stake(key: EncryptionKey) -> int:
    """``count_uses`` for who would end the key.

    Raises DatasetHeld when a legal hold keeps anything that the key may open: for a dataset's key, whatever is counted.
    """
    uses, dataset_id = count_uses(key), dataset_of(key)
    held = Dataset.objects.filter(legal_hold=True)
    if dataset_id is not None:
        is_held = held.filter(pk=dataset_id).exists()
    else:
        wraps = EncryptionKey.objects.filter(wrapped_by=key).exclude(state=KeyState.DESTROYED)
        is_held = (key.purpose == KeyPurpose.PLATFORM or wraps.exists()) and held.exists()
    if is_held:
        raise DatasetHeld
    return uses
