"""The writing of a package: read, packed, sealed in one turn; a worker that is killed leaves nothing that counts."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import current_tenant, may
from access.services.owners import owner_of
from compliance.errors.requests import PackageOutdated, PackageTooLarge
from compliance.models import RequestPackage, SubjectRequest
from compliance.requests.matches import matches_of
from compliance.requests.package_content import Collected, Place, Standing, build_archive
from compliance.requests.package_parts import remove_file, remove_leftovers, store_of, write_file
from compliance.requests.packages import ACTION, sources_of, tell_of
from compliance.requests.searches import accepted_elsewhere
from datasets.services.subject_records import Source, collect, is_current
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.turn import take_turn

#: How long a package can be downloaded.
KEPT: Final = timedelta(days=14)
#: Bytes of records in one package: it is made in memory, for nothing of it may lie on a disk in the clear.
MAX_BYTES: Final = 64 * 1024 * 1024


def run_package(tenant_id: UUID, package_id: UUID) -> None:
    """Write a package, unless it has ended, was taken back, or is another worker's."""
    take_turn(RequestPackage, tenant_id, package_id, _run, fail=_fail)


def _run(package: RequestPackage, held: Claim) -> None:
    remove_leftovers(package, fence=held.fence)
    with held.scope():
        _require_owner(package)
        # Before anything is read: records of several regions go into no one file.
        held.save(store=store_of(package).alias)
        request = SubjectRequest.objects.get(pk=package.request_id)
        organization = current_tenant().name
        elsewhere = accepted_elsewhere(request)
        wanted = {match.dataset_id: match.record_ids for match in matches_of(request)}
    sources = sources_of(package)
    collected = []
    room = MAX_BYTES
    for dataset_id in dict.fromkeys(source.dataset_id for source in sources):
        of = [source for source in sources if source.dataset_id == dataset_id]
        found = _collected(held, package, of, wanted.get(dataset_id, ()), room)
        room -= found[1]
        collected.append(found[0])
    body = build_archive(request, package, organization, collected, elsewhere)
    with held.scope():
        _require_owner(package)
        if not all(map(is_current, sources)):
            raise PackageOutdated
        parts = write_file(package, held.fence, body)
        count = sum(len(one.records) for one in collected)
        digest = hashlib.sha256(body).hexdigest()
        held.finish(
            parts=parts,
            record_count=count,
            size=len(body),
            sha256=digest,
            expires_at=timezone.now() + KEPT,
            progress={"stage": "done", "records": count, "missing": sum(one.missing for one in collected)},
        )
        package.request = request
        tell_of(EventType.SUBJECT_PACKAGE_WRITTEN, package, operation="write", records=count, sha256=digest)


def _require_owner(package: RequestPackage) -> None:
    """Raises AccessDenied once whoever asked for it may not any more."""
    owner = owner_of(package.requested_by)
    if owner is None or not may(owner, ACTION):
        raise AccessDenied


def _collected(
    held: Claim, package: RequestPackage, branches: Sequence[Source], record_ids: tuple[str, ...], room: int
) -> tuple[Collected, int]:
    """The records of one dataset, each once, and their size; what a record says differently is another one.

    Raises PackageOutdated, PackageTooLarge, VersionQuarantined.
    """
    held.save(progress={"stage": "collecting", "dataset": str(branches[0].dataset_id)})
    found: dict[bytes, list[Place]] = {}
    size = 0
    for source in _versions(branches):
        places = [Place(one.branch, one.label) for one in branches if one.version_id == source.version_id]
        with tenant_scope(held.tenant_id, Principal.system(held.tenant_id), held.facts):
            if not is_current(source):
                raise PackageOutdated
            for canonical in collect(source, record_ids, reader_id=package.requested_by):
                size += 0 if canonical in found else len(canonical)
                if size > room:
                    raise PackageTooLarge(bytes=MAX_BYTES)
                found.setdefault(canonical, []).extend(places)
    records = [Standing(orjson.loads(canonical), tuple(places)) for canonical, places in found.items()]
    records.sort(key=lambda one: str(one.record["id"]))
    missing = len(set(record_ids) - {str(one.record["id"]) for one in records})
    read = tuple(Place(one.branch, one.label) for one in branches if one.version_id is not None)
    return Collected(branches[0].name, read, records, missing), size


def _versions(branches: Sequence[Source]) -> list[Source]:
    """One branch of each head: branches that stand at one version are read once."""
    return list({one.version_id: one for one in reversed(branches)}.values())[::-1]


def _fail(package: RequestPackage, held: Claim, error: VaultError) -> None:
    with held.scope():
        package.request = SubjectRequest.objects.get(pk=package.request_id)
        held.fail(error, parts=[])
        tell_of(
            EventType.SUBJECT_PACKAGE_FAILED, package, error_code=error.code, requested_by=str(package.requested_by)
        )
    remove_file(package)
