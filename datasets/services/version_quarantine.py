"""Versions that nobody may read until somebody has looked at them and says so."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.services.authorize import authorize
from access.services.leases import resume_leases, suspend_leases
from datasets.errors.quarantine import NotQuarantined, OwnQuarantine, VersionQuarantined
from datasets.models import Dataset, QuarantineCause, Version, VersionQuarantine
from datasets.selectors import find_version, get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Severity
from vaultsite.kernel.tenancy.principal import Principal

#: Why leases of a dataset are suspended while a version of it is in quarantine; they open again with the last release.
SUSPENDED_FOR: Final = "version quarantined"
#: Causes whose ``placed_by`` is a person: who placed it, or who violated a policy.
_BY_SOMEBODY: Final = frozenset({QuarantineCause.BY_HAND, QuarantineCause.VIOLATION})


def refuse_quarantined(version: Version) -> None:
    """Raises VersionQuarantined."""
    if VersionQuarantine.objects.filter(version=version, released_at=None).exists():
        raise VersionQuarantined(version=version.label)


def place(
    dataset: Dataset, versions: Iterable[Version], *, cause: QuarantineCause, by: UUID, reason: str = ""
) -> list[VersionQuarantine]:
    """Put versions into quarantine in the open scope; those that are in it stay as they are.

    The leases of the dataset are suspended until its last version is released.
    """
    versions = list(versions)
    kept = set(
        VersionQuarantine.objects.filter(version__in=versions, released_at=None).values_list("version_id", flat=True)
    )
    placed = [
        VersionQuarantine(dataset=dataset, version=version, cause=cause, reason=reason, placed_by=by)
        for version in versions
        if version.pk not in kept
    ]
    VersionQuarantine.objects.bulk_create(placed, ignore_conflicts=True)
    if placed:
        suspend_leases(resource_of(dataset), cause=SUSPENDED_FOR)
    for row in placed:
        facts = {"cause": str(cause), "placed_by": str(by)}
        emit(_event(EventType.QUARANTINED, row, facts, severity="warning"))
    return placed


def inherit(dataset: Dataset, version: Version) -> None:
    """A version made of one in quarantine holds what that holds: it is kept from readers as well, in the open scope."""
    parents = [parent for parent in (version.parent_id, version.merge_parent_id) if parent is not None]
    row = VersionQuarantine.objects.filter(version__in=parents, released_at=None).order_by("cause", "id").last()
    if row is not None:
        cause = QuarantineCause(row.cause)
        place(dataset, [version], cause=cause, by=row.placed_by, reason="made of a version in quarantine")


def quarantine_version(principal: Principal, *, dataset_id: UUID, version: str, reason: str) -> VersionQuarantine:
    """By hand. Raises DatasetNotFound, AccessDenied, VersionNotFound, PersonalDataInText, VersionQuarantined."""
    dataset = get_dataset(principal, dataset_id, action="quarantine.review")
    authorize(principal, "quarantine.review", resource_of(dataset))
    refuse_personal_data(reason=reason)
    found = find_version(dataset, version)
    placed = place(dataset, [found], cause=QuarantineCause.BY_HAND, by=principal.id, reason=reason)
    if not placed:
        raise VersionQuarantined(version=found.label)
    placed[0].refresh_from_db()
    return placed[0]


def release_version(principal: Principal, *, dataset_id: UUID, version: str, reason: str) -> VersionQuarantine:
    """Let readers have the version again. Raises as ``quarantine_version``, NotQuarantined, and OwnQuarantine."""
    dataset = get_dataset(principal, dataset_id, action="quarantine.review")
    authorize(principal, "quarantine.review", resource_of(dataset))
    refuse_personal_data(reason=reason)
    found = find_version(dataset, version)
    row = VersionQuarantine.objects.select_for_update(no_key=True).filter(version=found, released_at=None).first()
    if row is None:
        raise NotQuarantined
    placed_by = {str(row.placed_by)} if row.cause in _BY_SOMEBODY else set()
    if str(principal.id) in {str(found.author), *found.contributors, *placed_by}:
        raise OwnQuarantine
    VersionQuarantine.objects.filter(pk=row.pk).update(
        released_by=principal.id, released_at=Now(), release_reason=reason
    )
    row.refresh_from_db()
    if not VersionQuarantine.objects.filter(dataset=dataset, released_at=None).exists():
        resume_leases(resource_of(dataset), cause=SUSPENDED_FOR)
    emit(_event(EventType.QUARANTINE_RELEASED, row, {"released_by": str(principal.id)}))
    return row


def list_quarantines(dataset: Dataset, *, limit: int) -> list[VersionQuarantine]:
    """The newest first, those that have ended among them."""
    rows = VersionQuarantine.objects.filter(dataset=dataset).select_related("version")
    return list(rows.order_by("-id")[:limit])


def _event(kind: EventType, row: VersionQuarantine, facts: dict[str, str], severity: Severity = "info") -> Event:
    return Event(
        type=kind,
        operation="update",
        severity=severity,
        resource=resource_of(row.dataset, row.version),
        metadata={"quarantine": str(row.pk), **facts},
    )
