"""Each organization is told of a backup or a drill: a row of its own part, and an event of a backup that was made."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from compliance.backup.manifest import Manifest
from compliance.models import BackupRun, BackupStatus, DrillStatus, RestoreDrill
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def tenants() -> list[UUID]:
    """Every organization of the vault, as vault_system."""
    return list(Tenant.objects.using("system").order_by("pk").values_list("pk", flat=True))


def record_backup(manifest: Manifest, *, copied: Collection[str], lost: Counter[str]) -> None:
    """Write a row for every organization that is in the backup. ``copied`` names the new objects, ``lost`` counts what
    was missing for each.
    """
    for tenant_id in map(UUID, manifest.tenants):
        own = [one for one in manifest.objects if one.tenant == str(tenant_id)]
        missing = lost[str(tenant_id)]
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            run = BackupRun.objects.create(
                backup_id=manifest.id,
                status=BackupStatus.INCOMPLETE if missing else BackupStatus.SUCCEEDED,
                snapshot_at=manifest.snapshot_at,
                finished_at=manifest.finished_at,
                dataset_count=sum(name.startswith(f"{tenant_id}/") for name in manifest.datasets),
                object_count=len(own),
                new_object_count=sum(one.name in copied for one in own),
                object_bytes=sum(one.size for one in own),
                missing_count=missing,
                elsewhere_count=manifest.elsewhere.get(str(tenant_id), 0),
                has_keys=manifest.keys is not None,
            )
            emit(
                Event(
                    EventType.BACKUP_COMPLETED,
                    "read",
                    ResourceRef("backup", run.backup_id),
                    severity="warning" if missing else "info",
                    metadata={
                        "objects": run.object_count,
                        "new_objects": run.new_object_count,
                        "missing": missing,
                        "elsewhere": run.elsewhere_count,
                    },
                )
            )


def record_failure(code: str) -> None:
    """Write for every organization that a backup was not made."""
    for tenant_id in tenants():
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            BackupRun.objects.create(status=BackupStatus.FAILED, finished_at=timezone.now(), error_code=code)


def record_expiry(backup_ids: Collection[str]) -> None:
    """Write that backups are gone from the repository."""
    for tenant_id in tenants() if backup_ids else ():
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            kept = BackupRun.objects.filter(backup_id__in=backup_ids, expired_at=None)
            kept.update(expired_at=timezone.now())


@dataclass(frozen=True)
class Compared:
    """What of one organization was compared in a restored vault."""

    tenant: str
    datasets: int = 0
    versions: int = 0
    records: int = 0
    mismatches: int = 0
    replayed: int = 0


@dataclass(frozen=True)
class DrillFacts:
    """One drill: which backup, when, how long the restore took, how old what it brought back was."""

    backup_id: str
    started_at: datetime
    finished_at: datetime
    rto_seconds: int
    rpo_seconds: int
    error_code: str = ""


def record_drill(facts: DrillFacts, compared: Collection[Compared]) -> None:
    """Write a row for every organization of the vault; one that nothing was compared of did not pass."""
    by_tenant = {one.tenant: one for one in compared}
    for tenant_id in tenants():
        own = by_tenant.get(str(tenant_id))
        is_passed = own is not None and not own.mismatches and not facts.error_code
        found = own or Compared(str(tenant_id))
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            RestoreDrill.objects.create(
                backup_id=facts.backup_id,
                status=DrillStatus.PASSED if is_passed else DrillStatus.FAILED,
                started_at=facts.started_at,
                finished_at=facts.finished_at,
                dataset_count=found.datasets,
                version_count=found.versions,
                record_count=found.records,
                mismatch_count=found.mismatches,
                replayed_count=found.replayed,
                rto_seconds=facts.rto_seconds,
                rpo_seconds=facts.rpo_seconds,
                error_code=facts.error_code,
            )
