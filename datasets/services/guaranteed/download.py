"""Hand out the files of an export under a guarantee: signed for a short time, decided on anew at every use."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.core import signing
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import still_holds
from access.services.authorize import Decision, authorize, shows_raw
from access.services.metering import RECHECK_BYTES, RECHECK_SECONDS
from datasets.errors.exports import (
    DownloadRefused,
    ExportExpired,
    ExportFileNotFound,
    ExportNotReady,
    ExportOutdated,
    StricterObligations,
)
from datasets.models import GuaranteedExport
from datasets.selectors import resource_of
from datasets.services.exports.download import LIFETIME, Address, parse_range
from datasets.services.exports.kept_view import compared, is_shown_so_today, require_consents
from datasets.services.exports.parts import PASSPORT, StoredFile, read_file
from datasets.services.guaranteed.request import ACTION, find_guaranteed_export
from datasets.services.guaranteed.spool import analytics_keys
from datasets.services.keys import DatasetKeys
from datasets.services.version_quarantine import refuse_quarantined
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Outcome, ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

_SALT: Final = "llm-data-vault/guaranteed-download/v1"


@dataclass(frozen=True)
class GuaranteedDownload:
    """A decided download: everything needed to stream after the scope has ended. Bytes ``start`` to ``stop``."""

    export: GuaranteedExport
    file: StoredFile
    keys: DatasetKeys
    resource: ResourceRef
    start: int
    stop: int

    @property
    def is_partial(self) -> bool:
        return (self.start, self.stop) != (0, self.file.bytes)


def make_address(principal: Principal, export_id: UUID, *, name: str = "") -> Address:
    """A signed address of one file (the first one if no name is given), in the open scope.

    Raises ExportNotFound, ExportNotReady, ExportExpired, ExportFileNotFound, ExportOutdated, AccessDenied,
    UnknownPurpose, StricterObligations, VersionQuarantined.
    """
    export = _decided(principal, export_id)
    file = _file_of(export, name)
    token = signing.dumps(_bound(principal, export_id, file.name), salt=_SALT)
    return Address(export_id, file.name, token, timezone.now() + LIFETIME)


def open_download(
    principal: Principal, export_id: UUID, *, name: str, token: str, wanted: str = ""
) -> GuaranteedDownload:
    """Decide anew on handing out a file, in the open scope. ``wanted`` is the Range header, one range at most.

    Raises what ``make_address`` raises, DownloadRefused and RangeNotSatisfiable.
    """
    export = _decided(principal, export_id)
    _require_token(principal, export_id, name, token, LIFETIME)
    file = _file_of(export, name)
    start, stop = parse_range(wanted, file.bytes)
    resource = resource_of(export.dataset, export.version)
    return GuaranteedDownload(export, file, analytics_keys(export.dataset_id), resource, start, stop)


def open_passport(principal: Principal, export_id: UUID) -> tuple[GuaranteedExport, dict[str, Any]]:
    """An export and what its passport says; decides as a download does, in the open scope."""
    export = _decided(principal, export_id)
    body = b"".join(read_file(analytics_keys(export.dataset_id), _file_of(export, PASSPORT)))
    said: dict[str, Any] = orjson.loads(body)
    return export, said


def _decided(principal: Principal, export_id: UUID) -> GuaranteedExport:
    export = find_guaranteed_export(principal, export_id)
    resource = resource_of(export.dataset, export.version)
    decision = authorize(principal, ACTION, resource, purpose=export.purpose, facts={"export": str(export.pk)})
    if not (shows_raw(principal, resource) or _is_view_of_today(export, decision)):
        raise StricterObligations
    refuse_quarantined(export.version)
    if export.dataset.erasure_epoch != export.epoch:
        raise ExportOutdated
    require_consents(export, decision)
    if export.removed_at is not None:
        raise ExportExpired
    if export.status != JobStatus.SUCCEEDED:
        raise ExportNotReady(status_of_export=export.status)
    return export


def _is_view_of_today(export: GuaranteedExport, today: Decision) -> bool:
    asked = compared(obligation for obligation in today.obligations if obligation.type != "k")
    return export.is_bound and asked == compared(export.obligations) and is_shown_so_today(export)


def _bound(principal: Principal, export_id: UUID, name: str) -> list[str]:
    return [str(principal.tenant_id), str(principal.id), str(export_id), name]


def _require_token(principal: Principal, export_id: UUID, name: str, token: str, lifetime: timedelta) -> None:
    try:
        said = signing.loads(token, salt=_SALT, max_age=lifetime)
    except signing.SignatureExpired:
        raise DownloadRefused("The address has expired", reason="expired") from None
    except signing.BadSignature:
        raise DownloadRefused("The address is not one of ours", reason="signature") from None
    if said != _bound(principal, export_id, name):
        raise DownloadRefused("The address was made for another file or reader", reason="bound")


def _file_of(export: GuaranteedExport, name: str) -> StoredFile:
    files = [StoredFile.of(stored) for stored in export.files]
    for file in files:
        if file.name == (name or files[0].name):
            return file
    raise ExportFileNotFound


def stream_download(download: GuaranteedDownload, principal: Principal, request: RequestFacts) -> Iterator[bytes]:
    """The bytes that were decided on; their end is an event of its own. Needs no open scope."""
    checked, sent, checked_size = time.monotonic(), 0, 0
    outcome: Outcome = "failure"
    try:
        for block in read_file(download.keys, download.file, start=download.start, stop=download.stop):
            if sent - checked_size >= RECHECK_BYTES or time.monotonic() - checked >= RECHECK_SECONDS:
                outcome = "denied"
                _require_still(download, principal, request)
                outcome, checked, checked_size = "failure", time.monotonic(), sent
            yield block
            sent += len(block)
        outcome = "success"
    finally:
        with tenant_scope(principal.tenant_id, principal, request):
            emit(_exported(download, outcome, sent))


def _require_still(download: GuaranteedDownload, principal: Principal, request: RequestFacts) -> None:
    with tenant_scope(principal.tenant_id, principal, request):
        is_there = GuaranteedExport.objects.filter(pk=download.export.pk, removed_at=None).exists()
        if not still_holds(principal) or not is_there:
            raise AccessDenied


def _exported(download: GuaranteedDownload, outcome: Outcome, sent: int) -> Event:
    export, file = download.export, download.file
    return Event(
        type=EventType.EXPORTED_ANALYTICS,
        operation="export",
        status=outcome,
        resource=download.resource,
        purpose=export.purpose,
        obligations=(f"guarantee:k={export.guarantee['k']}",),
        metadata={
            "export": str(export.pk),
            "file": file.name,
            "format": export.format,
            "bytes_transferred": sent,
            "records_accessed": 0 if file.name == PASSPORT else file.rows,
            "is_partial": download.is_partial,
        },
    )
