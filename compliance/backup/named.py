"""Which objects of a store living rows name: what a replica holds, and what may come back from it."""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q, QuerySet

from audit.models import AuditExport
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
    for rows in _files(store):
        for row in rows.iterator(_ROWS):
            names = {name for name, _ in row.parts}
            living |= names
            if row.status == JobStatus.SUCCEEDED and getattr(row, "store", store):
                needed |= names
    return Named(frozenset(living), frozenset(needed))


def _files(store: str) -> "list[QuerySet[Any]]":
    """Rows whose ``parts`` lie in the store and were not taken back; a package that names no store may lie in any."""
    packages = RequestPackage.objects.using("system").filter(removal_due_at=None, store__in=("", store))
    found: list[QuerySet[Any]] = [packages]
    if store == DEFAULT_STORE:
        found += [Report.objects.using("system"), AuditExport.objects.using("system")]
    return [rows.filter(~Q(status__in=_ENDED), removed_at=None) for rows in found]
