"""Ask for an export of the audit, look at it, download it, take it back."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from access.errors import AccessDenied
from access.selectors import still_holds
from access.services.authorize import authorize
from access.terms import Store, term_source
from audit.exports.encode import BUNDLE, ENCODERS
from audit.exports.errors import (
    AuditExportExpired,
    AuditExportNotFound,
    AuditExportNotReady,
    NothingSealed,
    TooManyAuditExports,
)
from audit.exports.parts import read_part, remove_parts
from audit.log.checkpoints import latest_checkpoint
from audit.models import AuditExport, AuditExportFormat, AuditLeaf
from audit.selectors import EventFilter
from audit.services.criteria import as_json
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Outcome, ResourceRef
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up, first_of_each

ACTION: Final = "audit.export"
#: Unfinished exports of one person.
MOST_UNFINISHED: Final = 5
_BATCH: Final = 200


def _resource(export_id: UUID | str = "") -> ResourceRef:
    return ResourceRef("audit_export", str(export_id))


def create_export(principal: Principal, *, format: AuditExportFormat, criteria: EventFilter) -> AuditExport:  # noqa: A002
    """Queue the writing of every sealed event that meets ``criteria``, in the open scope.

    Raises AccessDenied, NothingSealed, TooManyAuditExports.
    """
    asked = as_json(criteria)
    authorize(principal, ACTION, _resource(), facts={"format": format.value, "filters": sorted(asked)})
    if AuditExport.objects.filter(requested_by=principal.id).exclude(status__in=FINAL).count() >= MOST_UNFINISHED:
        raise TooManyAuditExports
    export = AuditExport.objects.create(
        format=format,
        criteria=asked,
        until_seq=_sealed_until(principal.tenant_id, format),
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "events": 0, "bytes": 0, "percent": 0},
    )
    enqueue(export)
    return export


def _sealed_until(tenant_id: UUID, format: AuditExportFormat) -> int:  # noqa: A002
    """One more than the last sequence number to look at; of a bundle, the size of the checkpoint that proves it."""
    if format == AuditExportFormat.BUNDLE:
        checkpoint = latest_checkpoint(tenant_id)
        size = checkpoint.size if checkpoint else 0
    else:
        last = AuditLeaf.objects.filter(tenant_id=tenant_id).order_by("-seq").values_list("seq", flat=True).first()
        size = 0 if last is None else last + 1
    if not size:
        raise NothingSealed
    return size


def list_exports(principal: Principal, *, after: tuple[str, ...] | None = None, limit: int) -> list[AuditExport]:
    """The principal's own exports, newest first. Raises AccessDenied, InvalidCursor."""
    authorize(principal, ACTION, _resource())
    rows = AuditExport.objects.filter(requested_by=principal.id).order_by("-id")
    if after:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


def get_export(principal: Principal, export_id: UUID) -> AuditExport:
    """The principal's own export. Raises AccessDenied, AuditExportNotFound."""
    authorize(principal, ACTION, _resource(export_id))
    export = AuditExport.objects.filter(pk=export_id, requested_by=principal.id).first()
    if export is None:
        raise AuditExportNotFound
    return export


def withdraw_export(principal: Principal, export_id: UUID) -> AuditExport:
    """Cancel an unfinished export, or remove the file of a finished one. Raises AccessDenied, AuditExportNotFound."""
    export = get_export(principal, export_id)
    _take_back(export.pk)
    export.refresh_from_db()
    return export


def _take_back(export_id: UUID) -> bool:
    """In the open scope: end an export and remove its file; False when it had none left."""
    export = AuditExport.objects.select_for_update().filter(pk=export_id, removed_at=None).first()
    if export is None or export.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    rows = AuditExport.objects.filter(pk=export_id)
    if export.status in FINAL:
        rows.update(removed_at=Now())
    else:
        # Its worker, if there is one, can write nothing more.
        rows.update(removed_at=Now(), status=JobStatus.CANCELLED, finished_at=Now(), fence=F("fence") + 1)
    transaction.on_commit(lambda: remove_parts(export), robust=True)
    return True


def name_of(export: AuditExport) -> tuple[str, str]:
    """The file's name and media type."""
    suffix, media_type = BUNDLE if export.format == AuditExportFormat.BUNDLE else ENCODERS[export.format][2:]
    return f"audit-{export.created_at:%Y%m%d-%H%M%S}.{suffix}", media_type


def open_download(principal: Principal, export_id: UUID) -> AuditExport:
    """Decide on handing out the file, in the open scope.

    Raises AccessDenied, AuditExportNotFound, AuditExportExpired, AuditExportNotReady.
    """
    export = get_export(principal, export_id)
    if export.removed_at is not None:
        raise AuditExportExpired
    if not export.has_file:
        raise AuditExportNotReady(status_of_export=export.status)
    return export


def stream_download(export: AuditExport, principal: Principal, request: RequestFacts) -> Iterator[bytes]:
    """The file part by part; its end is an event of its own. Needs no open scope: each part has a short one.

    Stops when the principal's credential ended or the file was taken back meanwhile.
    """
    sent = 0
    outcome: Outcome = "failure"
    try:
        for number, (name, _) in enumerate(export.parts):
            with tenant_scope(principal.tenant_id, principal, request):
                if not still_holds(principal):
                    outcome = "denied"
                    raise AccessDenied
                body = read_part(export.pk, number, name)
            yield body
            sent += len(body)
        outcome = "success"
    finally:
        with tenant_scope(principal.tenant_id, principal, request):
            emit(_downloaded(export, outcome, sent))


def _downloaded(export: AuditExport, outcome: Outcome, sent: int) -> Event:
    return Event(
        type=EventType.AUDIT_EXPORTED,
        operation="export",
        status=outcome,
        resource=_resource(export.pk),
        metadata={"format": export.format, "events": export.record_count, "bytes": sent, "sha256": export.sha256},
    )


def expire_exports(of_tenant: UUID | None = None) -> int:
    """As vault_system, over all tenants or of one: remove the files of exports past their time; returns of how many."""
    rows = AuditExport.objects.using("system").filter(status=JobStatus.SUCCEEDED, removed_at=None, expires_at__lt=Now())
    rows = rows.filter(tenant_id=of_tenant) if of_tenant else rows
    return add_up(_expire, first_of_each(rows, by="expires_at", limit=_BATCH))


def _expire(tenant_id: UUID, export_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        if not _take_back(export_id):
            return False
        term_source().tell_ended(Store.AUDIT_EXPORTS, 1)
        emit(Event(type=EventType.AUDIT_EXPORT_EXPIRED, operation="delete", resource=_resource(export_id)))
    return True
