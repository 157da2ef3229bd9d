"""How much a tenant may keep, how much it does, and the refusal of more.

Usage is counted from the rows it consists of, so that it cannot drift. What would add to it takes the tenant's quota
row first: two commits that fit alone but not together are told apart by that lock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db.models import Func, IntegerField, Max, QuerySet, Sum
from django.utils import timezone

from access.services.authorize import authorize
from datasets.errors.lifecycle import QuotaExceeded
from datasets.models import Blob, BlobKind, BlobState, Branch, Dataset, Quota, StagedRecord
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef, Severity
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: What is limited, in the order it is shown.
KINDS: Final = ("bytes", "datasets", "records")
#: Percent of a limit that are told of when they are reached, with how much that matters.
LEVELS: Final = (80, 95)
_SEVERITIES: Final[Mapping[int, Severity]] = {80: "warning", 95: "critical"}


class OctetLength(Func):
    """The bytes of a binary column, which the database knows without reading them."""

    function = "octet_length"
    output_field = IntegerField()


@dataclass(frozen=True)
class Measure:
    """One limit (None: none) and how much of it is used."""

    kind: str
    limit: int | None
    used: int

    @property
    def percent(self) -> int:
        """How full, 0 to 100; 0 where there is no limit."""
        return min(100, round(100 * self.used / self.limit)) if self.limit else (0 if self.limit is None else 100)


def read_quotas(principal: Principal) -> list[Measure]:
    """The tenant's limits and usage. Raises AccessDenied."""
    authorize(principal, "storage.read", ResourceRef("quota"))
    return measure()


def measure() -> list[Measure]:
    """Limits and usage of the scope's tenant, in the order of KINDS."""
    quota = Quota.objects.first()
    used = {"bytes": stored_bytes(), "datasets": _kept_datasets().count(), "records": kept_records()}
    return [Measure(kind, _limit(quota, kind), used[kind]) for kind in KINDS]


def set_quotas(principal: Principal, *, limits: Mapping[str, int | None]) -> list[Measure]:
    """Replace all limits; one below what is kept already removes nothing, it refuses more. Raises AccessDenied."""
    facts = {kind: limits.get(kind) for kind in KINDS}
    authorize(principal, "quota.manage", ResourceRef("quota"), facts={"limits": facts})
    row = {f"max_{kind}": limit for kind, limit in facts.items()}
    by = {"updated_by": principal.id, "updated_at": timezone.now()}
    Quota.objects.update_or_create(tenant_id=current_tenant_id(), defaults=row | by)
    return measure()


def require_dataset_room() -> None:
    """Whether one more dataset may be made, until the open scope ends. Raises QuotaExceeded."""
    quota = _hold()
    if quota is not None and quota.max_datasets is not None:
        _take("datasets", quota.max_datasets, used=_kept_datasets().count(), asked=1)


def require_upload_room(*, adds_records: bool) -> None:
    """Whether an upload may begin: there must be some room left. Raises QuotaExceeded."""
    quota = Quota.objects.first()
    if quota is None:
        return
    if quota.max_bytes is not None:
        _require("bytes", quota.max_bytes, used=stored_bytes(), asked=1)
    if quota.max_records is not None and adds_records:
        _require("records", quota.max_records, used=kept_records(), asked=1)


def require_version_room(dataset: Dataset, branch: str, *, sealed_bytes: int, records: int) -> None:
    """Whether a version with so many new bytes and so many records in all may be put on the branch.

    Call it in the scope that commits, with the dataset locked: it holds until that ends. Raises QuotaExceeded.
    """
    quota = _hold()
    if quota is None:
        return
    if quota.max_bytes is not None and sealed_bytes:
        _take("bytes", quota.max_bytes, used=stored_bytes(), asked=sealed_bytes)
    if quota.max_records is not None:
        heads = _heads().filter(dataset=dataset)
        before = heads.aggregate(Max("head__record_count"))["head__record_count__max"] or 0
        beside = heads.exclude(name=branch).aggregate(Max("head__record_count"))["head__record_count__max"] or 0
        added = max(beside, records) - before
        if added > 0:
            _take("records", quota.max_records, used=kept_records(), asked=added)


def stored_bytes() -> int:
    """Sealed bytes in the packs of committed versions, in the files of exports, and staged in drafts."""
    sealed = Blob.objects.filter(state=BlobState.SEALED)
    blobs = sealed.filter(kind=BlobKind.PACK, job=None) | sealed.filter(kind=BlobKind.EXPORT)
    staged = StagedRecord.objects.aggregate(bytes=Sum(OctetLength("body")))["bytes"]
    return (blobs.aggregate(Sum("size"))["size__sum"] or 0) + (staged or 0)


def kept_records() -> int:
    """The records of every dataset, each counted in the largest head of its branches."""
    largest = _heads().values("dataset").annotate(records=Max("head__record_count")).values_list("records", flat=True)
    return sum(largest.iterator())


def _heads() -> QuerySet[Branch]:
    return Branch.objects.filter(head__isnull=False, dataset__purged_at=None).order_by()


def _kept_datasets() -> QuerySet[Dataset]:
    """Those in the time to undo included: they can come back."""
    return Dataset.objects.filter(purged_at=None)


def _hold() -> Quota | None:
    return Quota.objects.select_for_update().first()


def _limit(quota: Quota | None, kind: str) -> int | None:
    limit: int | None = getattr(quota, f"max_{kind}") if quota is not None else None
    return limit


def _require(quota: str, limit: int, *, used: int, asked: int) -> None:
    if used + asked > limit:
        raise QuotaExceeded(f"{used} of {limit} {quota} are used", quota=quota, limit=limit, used=used, asked=asked)


def _take(quota: str, limit: int, *, used: int, asked: int) -> None:
    """As _require; what fits is told of where it crosses a level, once, since the quota's row is held."""
    _require(quota, limit, used=used, asked=asked)
    crossed = [level for level in LEVELS if 100 * used < level * limit <= 100 * (used + asked)]
    if crossed:
        facts = {"quota": quota, "level": crossed[-1], "limit": limit, "used": used + asked}
        resource, severity = ResourceRef("quota", quota), _SEVERITIES[crossed[-1]]
        emit(Event(EventType.CAPACITY_WARNING, "update", resource, severity=severity, metadata=facts))
