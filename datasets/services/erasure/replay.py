"""Erasures that a database brought back from a backup does not know, or knows unfinished: done again from their facts.

The reason is taken over as it was checked when the erasure was asked for; who asked, and when, stay.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from datasets.models import Dataset, ErasedRecord, Erasure
from datasets.services.erasure.spare import spared_by
from datasets.services.erasure.work import run_erasure
from datasets.services.exports.removal import remove_exports
from vaultsite.kernel.jobs import JobStatus, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_BATCH: Final = 2000
_REFUSED: Final = (JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True)
class ErasureFacts:
    """What was asked for."""

    dataset_id: UUID
    record_ids: tuple[str, ...]
    reason: str
    purpose: str
    requested_by: UUID
    created_at: datetime
    #: Of one that spares, record id -> the leaves that stay, in hex; None of any other.
    spared: Mapping[str, Sequence[str]] | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "dataset": str(self.dataset_id),
            "records": list(self.record_ids),
            "reason": self.reason,
            "purpose": self.purpose,
            "requested_by": str(self.requested_by),
            "created_at": self.created_at.isoformat(),
            **({"spared": dict(self.spared)} if self.spared is not None else {}),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "ErasureFacts":
        return cls(
            UUID(told["dataset"]),
            tuple(told["records"]),
            told["reason"],
            told["purpose"],
            UUID(told["requested_by"]),
            datetime.fromisoformat(told["created_at"]),
            told.get("spared"),
        )


def erasures_asked_for(known: Collection[str] = ()) -> Iterator[tuple[UUID, ErasureFacts]]:
    """In an open scope: every erasure that suppresses records, finished or not, but the known ones."""
    suppressing = ErasedRecord.objects.values("erasure_id")
    asked = Erasure.objects.filter(pk__in=suppressing).order_by("pk").values_list("pk", flat=True)
    new = [pk for pk in asked if str(pk) not in known]
    for erasure in Erasure.objects.filter(pk__in=new).order_by("pk"):
        spared = spared_by(erasure.pk)
        yield (
            erasure.pk,
            ErasureFacts(
                erasure.dataset_id,
                tuple(sorted(spared)),
                erasure.reason,
                erasure.purpose,
                erasure.requested_by,
                erasure.created_at,
                {name: sorted(leaf.hex() for leaf in leaves) for name, leaves in spared.items()}
                if erasure.spares
                else None,
            ),
        )


def erasures_refused() -> list[UUID]:
    """In an open scope: those that were not carried out, because the dataset was held."""
    suppressing = ErasedRecord.objects.values("erasure_id")
    refused = Erasure.objects.filter(status__in=_REFUSED).exclude(pk__in=suppressing)
    return list(refused.order_by("pk").values_list("pk", flat=True))


def is_asked_for(tenant_id: UUID, erasure_id: UUID) -> bool:
    """Whether the database knows what an erasure is for, and what it spares; no scope may be open."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return ErasedRecord.objects.filter(erasure=erasure_id).exists()


def replay_erasure(tenant_id: UUID, erasure_id: UUID, facts: ErasureFacts) -> str:
    """Do an erasure again; no scope may be open. Returns its JobStatus, or "" when its dataset is not there.

    One that has ended well is left as it is. What a legal hold refuses is JobStatus.FAILED.
    """
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        dataset = Dataset.objects.select_for_update(no_key=True).filter(pk=facts.dataset_id).first()
        if dataset is None or dataset.purged_at is not None:
            return ""
        known = Erasure.objects.filter(pk=erasure_id).first()
        if known is not None and known.status == JobStatus.SUCCEEDED:
            return known.status
        Dataset.objects.filter(pk=dataset.pk).update(erasure_epoch=F("erasure_epoch") + 1)
        dataset.refresh_from_db(fields=["erasure_epoch"])
        _queue(dataset, erasure_id, facts, is_known=known is not None)
        remove_exports(dataset.pk)
    run_erasure(tenant_id, erasure_id)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return str(Erasure.objects.values_list("status", flat=True).get(pk=erasure_id))


def _queue(dataset: Dataset, erasure_id: UUID, facts: ErasureFacts, *, is_known: bool) -> None:
    begun: dict[str, Any] = {
        "status": JobStatus.QUEUED,
        "lease_until": new_lease(),
        "attempt": 0,
        "checkpoint": {},
        "progress": {"stage": "queued"},
        "epoch": dataset.erasure_epoch,
    }
    if is_known:
        Erasure.objects.filter(pk=erasure_id).update(**begun)
    else:
        Erasure(
            id=erasure_id,
            dataset=dataset,
            reason=facts.reason,
            purpose=facts.purpose,
            id_count=len(facts.record_ids),
            requested_by=facts.requested_by,
            created_at=facts.created_at,
            spares=facts.spared is not None,
            **begun,
        ).save(force_insert=True)
    now = timezone.now()
    rows = [
        ErasedRecord(
            dataset=dataset,
            erasure_id=erasure_id,
            record_id=name,
            erased_at=now,
            spared=b"".join(bytes.fromhex(leaf) for leaf in (facts.spared or {}).get(name, ())),
        )
        for name in facts.record_ids
    ]
    ErasedRecord.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)
