"""Repositories of backups, and vaults restored from them."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.files.storage import InMemoryStorage
from django.core.management import call_command
from django.utils import timezone

from access.models import Tenant
from compliance.backup.keys import BackupKey, make_key
from compliance.backup.manifest import FileFacts, Manifest
from compliance.backup.repository import Repository, new_backup_id, open_repository
from compliance.models import BackupRun, BackupStatus, DrillStatus, RestoreDrill
from vaultsite.backup.drill import second_environment
from vaultsite.backup.take import Copying
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.runtime.environment import DATABASE_VARIABLES, PROJECT

#: Which variable leads a process to the database as whom.
SERVED = DATABASE_VARIABLES


@dataclass(frozen=True)
class Place:
    """A repository and the file of its key."""

    folder: Path
    key_file: Path
    key: BackupKey

    def open(self) -> Repository:
        return open_repository(self.folder, self.key)


def new_place(tmp_path: Path) -> Place:
    key = make_key(tmp_path / "backup.key")
    open_repository(tmp_path / "backups", key, create=True)
    return Place(tmp_path / "backups", tmp_path / "backup.key", key)


def back_up(place: Place, *more: str) -> Manifest:
    """What the operator does; returns the manifest of the newest backup."""
    call_command("backup", str(place.folder), "--key-file", str(place.key_file), *more, stdout=StringIO())
    repository = place.open()
    return repository.manifest(repository.newest())


def restore_command(place: Place, *more: str) -> list[str]:
    given = ["manage.py", "restore", str(place.folder), "--key-file", str(place.key_file), "--throwaway", *more]
    return [sys.executable, *given]


def run_restore(place: Place, home: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        restore_command(place, *more),
        cwd=PROJECT,
        env=second_environment(home, keys_from_backup=False),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def told_by(ended: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout.strip().splitlines()[-1])
    return told


def copy_into(repository: Repository, tenant: Tenant, body: bytes) -> Manifest:
    """A backup of one object, by the code that copies all of them, and without the database of the whole test run."""
    blobs, name = BlobStore(InMemoryStorage()), new_blob_name("probe")
    blobs.put(name, body)
    copying = Copying(repository, {}, {name: (str(tenant.pk), len(body), True)})
    copying.run(blobs)
    now = timezone.now()
    backup_id = new_backup_id(now)
    dump = repository.write(f"backups/{backup_id}/database", [b""])
    manifest = Manifest(
        id=backup_id,
        snapshot_at=now,
        finished_at=now,
        database=FileFacts(dump.size, dump.sha256),
        keys=None,
        objects=tuple(copying.found),
        missing=(),
        datasets={},
        tenants=(str(tenant.pk),),
        journal=0,
        new_objects=1,
        new_bytes=len(body),
    )
    repository.write(f"backups/{manifest.id}/manifest", [manifest.encode()])
    return manifest


def drilled(tenant_id: UUID, *, hours_ago: float = 1, **changed: Any) -> RestoreDrill:
    """What the commands write of a backup and of a drill that passed, without a restore of minutes."""
    ended = timezone.now() - timedelta(hours=hours_ago)
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        BackupRun.objects.create(status=BackupStatus.SUCCEEDED, snapshot_at=ended, finished_at=ended)
        told = {"status": DrillStatus.PASSED, "started_at": ended, "finished_at": ended, "rto_seconds": 40}
        return RestoreDrill.objects.create(**(told | changed))
