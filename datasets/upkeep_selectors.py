"""Reading of erasures, garbage collections and scrubs, and of what is stored."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from django.db.models import F, QuerySet, Sum

from access.policy.builtin import RULES
from access.selectors import may
from datasets.errors.upkeep import CollectionNotFound, ErasureNotFound, ScrubNotFound
from datasets.models import Blob, BlobKind, BlobState, Chunk, Dataset, Erasure, FindingsBlob, GarbageCollection, Scrub
from vaultsite.kernel.errors import InvalidCursor, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

Job = TypeVar("Job", Erasure, GarbageCollection, Scrub)
#: Quarantined objects of one kind that are listed.
MAX_DAMAGED: Final = 200


def get_erasure(principal: Principal, erasure_id: UUID) -> Erasure:
    """The erasure, if ``principal`` may see those of its dataset. Raises ErasureNotFound."""
    return _get(Erasure, principal, erasure_id, "erasure.read", ErasureNotFound())


def get_collection(principal: Principal, collection_id: UUID) -> GarbageCollection:
    """Raises CollectionNotFound."""
    return _get(GarbageCollection, principal, collection_id, "storage.read", CollectionNotFound())


def get_scrub(principal: Principal, scrub_id: UUID) -> Scrub:
    """Raises ScrubNotFound."""
    return _get(Scrub, principal, scrub_id, "storage.read", ScrubNotFound())


def _get(model: type[Job], principal: Principal, pk: UUID, action: str, error: VaultError) -> Job:
    job = model._default_manager.filter(pk=pk).select_related("dataset").first()  # noqa: SLF001 - a model's manager
    is_visible = may(principal, action) and (
        job is not None and Dataset.objects.visible_to(principal).filter(pk=job.dataset_id).exists()
    )
    if job is None or not is_visible:
        rule = RULES[action]
        event = Event(
            type=rule.event,
            operation=rule.operation,
            resource=ResourceRef(type=model._meta.model_name or "", id=str(pk)),  # noqa: SLF001 - Django's name of it
            purpose=current_scope().purpose or "",
        )
        emit(event.ended_by(error), primary=True)
        raise error
    return job


def list_jobs(model: type[Job], dataset: Dataset, *, after: tuple[str, ...] | None, limit: int) -> list[Job]:
    """Jobs of one kind, newest first, at most ``limit`` of them after the one whose id is ``after``."""
    rows: QuerySet[Job] = model._default_manager.filter(dataset=dataset).order_by("-id")  # noqa: SLF001
    if after:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


@dataclass(frozen=True)
class PackFacts:
    """One pack: its size and how much of it rows still point at, in sealed bytes."""

    name: str
    size: int
    live: int

    @property
    def dead(self) -> int:
        return max(self.size - self.live, 0)

    @property
    def percent(self) -> int:
        return round(100 * self.live / self.size) if self.size else 0


@dataclass(frozen=True)
class DamagedObject:
    """One object that is quarantined."""

    digest: str
    kind: str
    found_at: datetime | None


@dataclass(frozen=True)
class Storage:
    """What a dataset keeps in the object store."""

    packs: list[PackFacts]
    damaged: list[DamagedObject]

    @property
    def size(self) -> int:
        return sum(pack.size for pack in self.packs)

    @property
    def live(self) -> int:
        return sum(pack.live for pack in self.packs)

    @property
    def dead(self) -> int:
        return sum(pack.dead for pack in self.packs)


def storage_of(dataset: Dataset) -> Storage:
    """Packs, the emptiest first, and what is quarantined."""
    packs = Blob.objects.filter(dataset_id=dataset.pk, kind=BlobKind.PACK, state=BlobState.SEALED)
    live = live_bytes(dataset.pk)
    facts = [PackFacts(pack.name, pack.size, live.get(pack.pk, 0)) for pack in packs]
    chunks = Chunk.objects.filter(dataset=dataset, damaged_at__isnull=False).order_by("damaged_at")[:MAX_DAMAGED]
    findings = FindingsBlob.objects.filter(dataset=dataset, damaged_at__isnull=False)[:MAX_DAMAGED]
    damaged = [DamagedObject(bytes(row.digest).hex(), row.kind, row.damaged_at) for row in chunks]
    damaged += [DamagedObject(bytes(row.digest).hex(), "findings", row.damaged_at) for row in findings]
    return Storage(sorted(facts, key=lambda pack: (pack.percent, pack.name)), damaged)


def live_bytes(dataset_id: UUID) -> dict[UUID, int]:
    """Sealed bytes that rows point at, by pack; in an open scope."""
    totals: dict[UUID, int] = {}
    objects = Chunk.objects.filter(dataset_id=dataset_id).values_list("blob_id")
    findings = FindingsBlob.objects.filter(dataset_id=dataset_id).values_list("blob_id")
    for rows, size in ((objects, F("length") + F("sidecar_length")), (findings, F("length"))):
        for pack, total in rows.annotate(total=Sum(size)):
            totals[pack] = totals.get(pack, 0) + total
    return totals
