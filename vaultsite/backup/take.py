"""Take a backup: a snapshot of the database first, then the objects that it names, then the list of both."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from access.models import Tenant
from compliance.backup.contents import dataset_digests
from compliance.backup.journal import read_journal, ship_journal
from compliance.backup.manifest import FileFacts, Manifest, ObjectFacts
from compliance.backup.named import archived_objects
from compliance.backup.record import record_backup, record_expiry
from compliance.backup.repository import Repository, new_backup_id, object_file
from compliance.backup.sealed_files import Written
from compliance.errors.backup import BackupOutsideRegion
from datasets.models import Blob, BlobState
from vaultsite.backup.database import Snapshot, objects_kept, open_snapshot
from vaultsite.backup.kept_apart import pack_keys
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.regions import DEFAULT_STORE, default_region

_ROWS: Final = 2000


@dataclass
class Copying:
    """Brings the objects of the store into the repository; what lies there already is not read again."""

    repository: Repository
    known: dict[str, ObjectFacts]
    #: Of every object that a row names: its tenant, its size, and whether the snapshot needs it.
    owners: dict[str, tuple[str, int, bool]]
    found: list[ObjectFacts] = field(default_factory=list)
    copied: dict[str, int] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    #: How many objects of each tenant lie in other regions than the repository: none of them is copied.
    elsewhere: "Counter[str]" = field(default_factory=Counter)

    def run(self, store: BlobStore) -> None:
        for name in sorted(self.owners.keys() | set(store.names())):
            tenant, size, is_needed = self.owners.get(name, ("", 0, False))
            earlier = self.known.get(name)
            if earlier is not None and (not is_needed or earlier.size == size):
                self.found.append(earlier)
            elif (facts := self._copy(store, name, tenant)) is not None:
                self.found.append(facts)
            elif is_needed:
                self.missing.append(name)

    def lost(self) -> "Counter[str]":
        """How many objects of each tenant were missing."""
        return Counter(self.owners[name][0] for name in self.missing)

    def _copy(self, store: BlobStore, name: str, tenant: str) -> ObjectFacts | None:
        try:
            body = store.get(name)
        except BlobMissing:
            return None
        written = self.repository.write(object_file(name), [body])
        self.copied[name] = written.size
        return ObjectFacts(name, written.size, written.sha256, tenant)


def take_backup(repository: Repository, *, with_keys: bool = False) -> Manifest:
    """Write a backup of everything, tell the organizations, and remove backups that are too old.

    ``with_keys``: the keys that the vault keeps in files are sealed into it too. Raises RepositoryBusy, DumpFiltered,
    DatabaseProgramFailed, BackupDamaged, BackupOutsideRegion, and what the store raises.

    What lies in a region of its own does not leave it: of a repository elsewhere it is refused, object by object, and
    counted in the manifest. ``manage.py replicate`` gives it a second copy where it is.
    """
    require_region(settings.BACKUP_REGION)
    with repository.writing():
        manifest, copying = _write(repository, with_keys=with_keys)
        expired = repository.remove_backups(finished_before=timezone.now() - timedelta(days=settings.BACKUP_DAYS))
    record_backup(manifest, copied=copying.copied.keys(), lost=copying.lost())
    record_expiry(expired)
    return manifest


def require_region(stands_in: str) -> None:
    """Raises BackupOutsideRegion unless a repository there may hold what lies in the default region."""
    home = default_region()
    if stands_in and (home is None or stands_in != home.name):
        raise BackupOutsideRegion


def _write(repository: Repository, *, with_keys: bool) -> tuple[Manifest, Copying]:
    with objects_kept():
        with open_snapshot() as snapshot:
            backup_id = new_backup_id(snapshot.taken_at)
            copying = Copying(repository, repository.known_objects(), _owners(), elsewhere=_elsewhere())
            tenants = tuple(str(pk) for pk in Tenant.objects.using("owner").order_by("pk").values_list("pk", flat=True))
            digests = dataset_digests("owner")
            database = _dump(repository, backup_id, snapshot)
        copying.run(BlobStore.default())
    keys = repository.write(f"backups/{backup_id}/keys", [pack_keys()]) if with_keys else None
    ship_journal(repository)
    manifest = Manifest(
        id=backup_id,
        snapshot_at=snapshot.taken_at,
        finished_at=timezone.now(),
        database=_facts(database),
        keys=_facts(keys) if keys else None,
        objects=tuple(copying.found),
        missing=tuple(copying.missing),
        datasets=digests,
        tenants=tenants,
        journal=read_journal(repository).sequence,
        new_objects=len(copying.copied),
        new_bytes=sum(copying.copied.values()),
        elsewhere=dict(copying.elsewhere),
    )
    repository.write(f"backups/{backup_id}/manifest", [manifest.encode()])
    return manifest, copying


def _dump(repository: Repository, backup_id: str, snapshot: Snapshot) -> Written:
    return repository.write(f"backups/{backup_id}/database", snapshot.dump())


def _facts(written: Written) -> FileFacts:
    return FileFacts(written.size, written.sha256)


def _owners() -> dict[str, tuple[str, int, bool]]:
    """By the snapshot: name -> tenant, size, and whether it must be there. A job's own objects may go with the job."""
    return {name: (str(tenant), size, is_needed) for name, tenant, size, is_needed in _living()}


def _elsewhere() -> "Counter[str]":
    rows = Blob.objects.using("owner").exclude(store=DEFAULT_STORE).filter(state=BlobState.SEALED, job=None)
    counted = rows.order_by().values("tenant_id").annotate(count=Count("pk"))
    return Counter({str(tenant): count for tenant, count in counted.values_list("tenant_id", "count")})


def _living() -> Iterator[tuple[str, object, int, bool]]:
    rows = Blob.objects.using("owner").filter(store=DEFAULT_STORE).exclude(state=BlobState.DEAD)
    for name, tenant, size, state, job in rows.values_list("name", "tenant_id", "size", "state", "job").iterator(_ROWS):
        yield name, tenant, size, state == BlobState.SEALED and job is None
    for part in archived_objects("owner"):
        yield part.name, part.tenant_id, part.size, part.is_needed
