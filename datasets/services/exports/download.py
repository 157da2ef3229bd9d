"""Hand out the files of an export: a signed address for a short time, and a new decision at every use of it."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson
from django.core import signing
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import still_holds
from access.services.authorize import Decision, authorize
from access.services.metering import RECHECK_BYTES, RECHECK_SECONDS, require_grants
from datasets.errors.exports import (
    DownloadRefused,
    ExportExpired,
    ExportFileNotFound,
    ExportNotReady,
    ExportOutdated,
    RangeNotSatisfiable,
    StricterObligations,
)
from datasets.models import Export
from datasets.ports import transfer_rule
from datasets.selectors import resource_of
from datasets.services.exports.kept_view import compared, is_shown_so_today, require_consents
from datasets.services.exports.parts import PASSPORT, StoredFile, read_file
from datasets.services.exports.request import find_export, shipment_of
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.version_quarantine import refuse_quarantined
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Outcome, ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

#: How long an address holds.
LIFETIME: Final = timedelta(minutes=10)
_SALT: Final = "llm-data-vault/export-download/v1"
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True)
class Address:
    """Where one file is downloaded from, until when."""

    export_id: UUID
    name: str
    token: str
    expires_at: datetime


@dataclass(frozen=True)
class Download:
    """A decided download: everything needed to stream after the scope has ended. Bytes ``start`` to ``stop``."""

    export: Export
    file: StoredFile
    keys: DatasetKeys
    decision: Decision
    resource: ResourceRef
    start: int
    stop: int

    @property
    def is_partial(self) -> bool:
        return (self.start, self.stop) != (0, self.file.bytes)


def make_address(principal: Principal, export_id: UUID, *, name: str = "") -> Address:
    """A signed address of one file (the first one if no name is given) for this principal, in the open scope.

    Decides as a download does. Raises ExportNotFound, ExportNotReady, ExportExpired, ExportFileNotFound,
    ExportOutdated, AccessDenied, UnknownPurpose, StricterObligations, and what the rule of transfers refuses with.
    """
    export = find_export(principal, export_id)
    _decide(principal, export)
    file = _file_of(export, name)
    token = signing.dumps(_bound(principal, export_id, file.name), salt=_SALT)
    return Address(export_id, file.name, token, timezone.now() + LIFETIME)


def open_download(principal: Principal, export_id: UUID, *, name: str, token: str, wanted: str = "") -> Download:
    """Decide anew on handing out a file, in the open scope. ``wanted`` is the Range header, one range at most.

    Raises what ``make_address`` raises, DownloadRefused and RangeNotSatisfiable.
    """
    export = find_export(principal, export_id)
    decision = _decide(principal, export)
    _require_token(principal, export_id, name, token)
    file = _file_of(export, name)
    start, stop = parse_range(wanted, file.bytes)
    resource = resource_of(export.dataset, export.version)
    return Download(export, file, load_keys(export.dataset_id), decision, resource, start, stop)


def open_passport(principal: Principal, export_id: UUID) -> tuple[Export, dict[str, Any]]:
    """An export and what its passport says, to be shown; decides as a download does, in the open scope."""
    export = find_export(principal, export_id)
    _decide(principal, export)
    body = b"".join(read_file(load_keys(export.dataset_id), _file_of(export, PASSPORT)))
    said: dict[str, Any] = orjson.loads(body)
    return export, said


def _decide(principal: Principal, export: Export) -> Decision:
    """Whether the principal may still be given what was written; the decision is recorded."""
    resource = resource_of(export.dataset, export.version)
    facts = {"export": str(export.pk)}
    decision = authorize(principal, "record.read", resource, purpose=export.purpose, facts=facts)
    if not _is_covered(export, decision):
        raise StricterObligations
    refuse_quarantined(export.version)
    if export.dataset.erasure_epoch != export.epoch:
        raise ExportOutdated
    if export.removed_at is not None:
        raise ExportExpired
    if export.status != JobStatus.SUCCEEDED:
        raise ExportNotReady(status_of_export=export.status)
    require_consents(export, decision)
    transfer_rule().require_cover(shipment_of(export))
    if decision.obligations and not is_shown_so_today(export):
        raise StricterObligations
    return decision


#: Obligations that redacting everything meets as well.
_LESS_STRICT: Final = frozenset({"anonymize:mask", "anonymize:replace", "anonymize:hash", "anonymize:redact"})


def _is_covered(export: Export, today: Decision) -> bool:
    """Whether what was written shows no more than today's decision would: the same, or less of everything."""
    asked = compared(today.obligations)
    if not asked or asked == compared(export.obligations):
        return True
    return export.operator == "redact" and asked <= _LESS_STRICT


def _bound(principal: Principal, export_id: UUID, name: str) -> list[str]:
    return [str(principal.tenant_id), str(principal.id), str(export_id), name]


def _require_token(principal: Principal, export_id: UUID, name: str, token: str) -> None:
    try:
        said = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.SignatureExpired:
        raise DownloadRefused("The address has expired", reason="expired") from None
    except signing.BadSignature:
        raise DownloadRefused("The address is not one of ours", reason="signature") from None
    if said != _bound(principal, export_id, name):
        raise DownloadRefused("The address was made for another file or reader", reason="bound")


def _file_of(export: Export, name: str) -> StoredFile:
    files = [StoredFile.of(stored) for stored in export.files]
    for file in files:
        if file.name == (name or files[0].name):
            return file
    raise ExportFileNotFound


def parse_range(header: str, size: int) -> tuple[int, int]:
    """First byte and the one after the last; the whole file where the header asks for nothing we serve (RFC 9110).

    Raises RangeNotSatisfiable.
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or not any(match.groups()):
        return 0, size
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
    if start >= stop:
        raise RangeNotSatisfiable(size=size)
    return start, stop


def stream_download(download: Download, principal: Principal, request: RequestFacts) -> Iterator[bytes]:
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
            if sent:
                records = 0 if download.file.name == PASSPORT else download.file.rows
                transfer_rule().record(shipment_of(download.export), size=sent, records=records)


def _require_still(download: Download, principal: Principal, request: RequestFacts) -> None:
    with tenant_scope(principal.tenant_id, principal, request):
        require_grants(download.decision)
        if not still_holds(principal) or not Export.objects.filter(pk=download.export.pk, removed_at=None).exists():
            raise AccessDenied


def _exported(download: Download, outcome: Outcome, sent: int) -> Event:
    export, file = download.export, download.file
    return Event(
        type=EventType.EXPORTED,
        operation="export",
        status=outcome,
        resource=download.resource,
        purpose=export.purpose,
        obligations=tuple(export.obligations),
        metadata={
            "export": str(export.pk),
            "file": file.name,
            "format": export.format,
            "bytes_transferred": sent,
            "records_accessed": 0 if file.name == PASSPORT else file.rows,
            "is_partial": download.is_partial,
        },
    )
