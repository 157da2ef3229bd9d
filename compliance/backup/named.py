"""Which objects of a store living rows name: what a replica holds, and what may come back from it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from audit.models import AuditArchivePart, AuditExport
from compliance.models import Report, RequestPackage
from datasets.models import Blob, BlobState
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.regions import DEFAULT_STORE

_ROWS: Final = 2000
_ENDED: Final = (JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True)
class Named:
    """Names of objects. ``needed`` are those that must be there; the other ``living`` ones may go with their job."""

    living: frozenset[str]
    needed: frozenset[str]


def named_objects(store: str) -> Named:
    """As vault_system, over all tenants: what the rows of a store (an alias) name now."""
    blobs = Blob.objects.using("system").filter(store=store).exclude(state=BlobState.DEAD)
    living, needed = set[str](), set[str]()
    for name, state, job in blobs.values_list("name", "state", "job").iterator(_ROWS):
        living.add(name)
        if state == BlobState.SEALED and job is None:
            needed.add(name)
    if store == DEFAULT_STORE:
        for part in archived_objects("system"):
            living.add(part.name)
            if part.is_needed:
                needed.add(part.name)
    for rows in _files(store):
        for row in rows.iterator(_ROWS):
            names = {name for name, _ in row.parts}
            living |= names
            if row.status == JobStatus.SUCCEEDED and getattr(row, "store", store):
                needed |= names
    return Named(frozenset(living), frozenset(needed))


@dataclass(frozen=True)
class ArchivedObject:
    """An object with events of the audit; needed once they no longer lie in the database."""

    name: str
    tenant_id: UUID
    size: int
    is_needed: bool


def archived_objects(using: str) -> Iterator[ArchivedObject]:
    """Every object of the audit's archive, over all tenants, as the role of that alias sees its row."""
    parts = AuditArchivePart.objects.using(using).filter(removed_at=None)
    for name, tenant, size, moved_at in parts.values_list("name", "tenant_id", "size", "moved_at").iterator(_ROWS):
        yield ArchivedObject(name, tenant, size, moved_at is not None)


def _files(store: str) -> "list[QuerySet[Any]]":
    """Rows whose ``parts`` lie in the store and were not taken back; a package that names no store may lie in any."""
    packages = RequestPackage.objects.using("system").filter(removal_due_at=None, store__in=("", store))
    found: list[QuerySet[Any]] = [packages]
    if store == DEFAULT_STORE:
        found += [Report.objects.using("system"), AuditExport.objects.using("system")]
    return [rows.filter(~Q(status__in=_ENDED), removed_at=None) for rows in found]
