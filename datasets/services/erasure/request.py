"""Ask for an erasure: from here on no build from before can commit."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from datasets.models import ErasedRecord, Erasure
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.exports.removal import remove_exports
from datasets.services.holds import refuse_held
from vaultsite.kernel.jobs import enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal

#: Records of one erasure.
MAX_RECORDS: Final = 10_000
_BATCH: Final = 2000


def request_erasure(principal: Principal, *, dataset_id: UUID, record_ids: Sequence[str], reason: str) -> Erasure:
    """Raise the dataset's erasure epoch, list the ids as erased and queue the work, in the open scope.

    ``record_ids`` are 1 to MAX_RECORDS well-formed ids; whether the dataset has them, the receipt says. Raises
    DatasetNotFound, AccessDenied, PersonalDataInText, DatasetHeld, DatasetKept.
    """
    dataset = get_dataset(principal, dataset_id, action="record.erase")
    decision = authorize(principal, "record.erase", resource_of(dataset))
    refuse_personal_data(reason=reason)
    return queue_erasure(
        dataset.pk, record_ids=record_ids, reason=reason, requested_by=principal.id, purpose=decision.purpose or ""
    )


def queue_erasure(
    dataset_id: UUID,
    *,
    record_ids: Sequence[str],
    reason: str,
    requested_by: UUID,
    purpose: str,
    spared: Mapping[str, Collection[bytes]] | None = None,
) -> Erasure:
    """As ``request_erasure``, once somebody has decided that it may be; of a deleted dataset too.

    ``spared`` names leaves that stay, by record id: then only what is stored now goes, and whatever else comes under
    the ids later, from uploads under way too, stays as well, and so does what is staged from now on.

    Raises DatasetHeld, DatasetNotFound (once it is purged).
    """
    held = refuse_held(dataset_id, record_ids)
    held.erasure_epoch += 1
    held.save(update_fields=["erasure_epoch"])
    now = timezone.now()
    wanted = sorted(set(record_ids))
    erasure = Erasure(
        dataset=held,
        reason=reason,
        purpose=purpose,
        epoch=held.erasure_epoch,
        id_count=len(wanted),
        requested_by=requested_by,
        lease_until=new_lease(),
        progress={"stage": "queued"},
        spares=spared is not None,
    )
    erasure.save(force_insert=True)
    erasure.refresh_from_db(fields=["created_at"])  # the database's clock, as what came before or later has it
    stays = {name: b"".join(sorted(leaves)) for name, leaves in (spared or {}).items()}
    rows = [
        ErasedRecord(dataset=held, erasure=erasure, record_id=name, erased_at=now, spared=stays.get(name, b""))
        for name in wanted
    ]
    ErasedRecord.objects.bulk_create(rows, batch_size=_BATCH)
    remove_exports(held.pk)
    enqueue(erasure)
    return erasure
