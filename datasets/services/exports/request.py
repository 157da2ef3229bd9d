"""Ask for an export, look at it, take it back."""

from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import F
from django.utils import timezone

from access.services.authorize import authorize, may
from access.services.keyring import seal_column
from datasets.errors import DatasetNotFound
from datasets.errors.exports import ExportNotFound
from datasets.models import Dataset, Export
from datasets.ports import Shipment, transfer_rule
from datasets.selectors import get_dataset, not_visible, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.exports.encode import require_format
from datasets.services.exports.finish import discard
from datasets.services.exports.held import refuse_held_files
from datasets.services.exports.options import ExportOptions
from datasets.services.ingest.commit import new_seed
from datasets.services.quotas import require_upload_room
from datasets.services.read import Release, open_release
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal

_ACTION: Final = "export.create"


def create_export(
    principal: Principal,
    *,
    dataset_id: UUID,
    version: str,
    options: ExportOptions,
    purpose: str | None = None,
    recipient: UUID | None = None,
) -> Export:
    """Decide on releasing a version to a file, and queue the writing, in the open scope.

    The decision recorded is the one on reading its records; what it obliges to is done to every row. ``recipient``, a
    party of the register, is who gets the files; whether they may go there is asked again at each download. Raises
    DatasetNotFound, VersionNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation,
    PersonalDataInText, FormatUnavailable, QuotaExceeded, and what the rule of transfers refuses with.
    """
    require_permission(principal, dataset_id)
    release = open_release(principal, dataset_id=dataset_id, version=version, purpose=purpose)
    refuse_personal_data(**{f"fields/{index}": name for index, name in enumerate(options.fields)})
    refuse_personal_data(**_keys_of(options))
    require_format(options.format)
    require_upload_room(adds_records=False)
    # It stays until the open scope has ended; what is deleted now has no exports.
    if not Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id).exists():
        raise DatasetNotFound
    export = _new_export(principal, release, options)
    export.recipient = recipient
    transfer_rule().require_cover(shipment_of(export))
    export.save(force_insert=True)
    enqueue(export)
    return export


def require_permission(principal: Principal, dataset_id: UUID) -> None:
    """Raises AccessDenied. Refusing is a decision of its own; permitting is part of the one on reading."""
    if not may(principal, _ACTION):
        dataset = get_dataset(principal, dataset_id, action=_ACTION)
        authorize(principal, _ACTION, resource_of(dataset))


def shipment_of(export: Export) -> Shipment:
    """An export as the rule of transfers is asked about it."""
    resource = resource_of(export.dataset, export.version)
    return Shipment(resource, export.dataset_id, export.pk, export.recipient, export.purpose)


def _keys_of(options: ExportOptions) -> dict[str, str]:
    """Salt and seed are stored in the clear and printed in the passport."""
    salt = options.split.salt if options.split else ""
    return {"split/salt": salt, "sample/seed": options.sample.seed if options.sample else ""}


def _new_export(principal: Principal, release: Release, options: ExportOptions) -> Export:
    pk = uuid7()
    content = orjson.dumps(options.filter.as_json()) if options.filter.node else None
    decision = release.decision
    return Export(
        id=pk,
        dataset=release.dataset,
        version=release.version,
        format=options.format,
        compression=options.compression,
        options=options.as_json(),
        filter=seal_column("export-filter", pk.bytes, content) if content else None,
        seed=seal_column("export-seed", pk.bytes, new_seed().reveal()),
        purpose=decision.purpose or "",
        operator=release.operator or "",
        policies=list(decision.policy_ids),
        obligations=[str(obligation) for obligation in decision.obligations],
        epoch=release.dataset.erasure_epoch,
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "read": 0, "records": 0, "bytes": 0, "percent": 0},
    )


def find_export(principal: Principal, export_id: UUID, *, action: str = "export.read") -> Export:
    """The principal's own export. Raises ExportNotFound after recording the denied ``action``.

    Exports of others are not shown: how many records met somebody's filter is an answer of its own.
    """
    export = Export.objects.filter(pk=export_id, requested_by=principal.id).select_related("dataset", "version").first()
    is_visible = export is not None and Dataset.objects.visible_to(principal).filter(pk=export.dataset_id).exists()
    if export is None or not is_visible:
        raise not_visible(ExportNotFound(), ResourceRef(type="export", id=str(export_id)), action)
    return export


def get_export(principal: Principal, export_id: UUID) -> Export:
    """An export and its state. Raises ExportNotFound, AccessDenied."""
    export = find_export(principal, export_id)
    authorize(principal, "export.read", resource_of(export.dataset, export.version), facts={"export": str(export.pk)})
    return export


def list_exports(
    principal: Principal, *, dataset_id: UUID, after: tuple[str, ...] | None = None, limit: int
) -> list[Export]:
    """The principal's own exports of a dataset, newest first. Raises DatasetNotFound, AccessDenied, InvalidCursor."""
    dataset = get_dataset(principal, dataset_id, action="export.read")
    authorize(principal, "export.read", resource_of(dataset))
    rows = Export.objects.filter(dataset=dataset, requested_by=principal.id).select_related("version").order_by("-id")
    if after:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows[:limit])


def withdraw_export(principal: Principal, export_id: UUID) -> Export:
    """Cancel an unfinished export, or remove the files of a finished one.

    Raises ExportNotFound, AccessDenied, DatasetHeld.
    """
    export = find_export(principal, export_id, action=_ACTION)
    authorize(principal, _ACTION, resource_of(export.dataset, export.version), facts={"export": str(export.pk)})
    if export.has_files:
        refuse_held_files(export.dataset_id, export.version_id)
    take_back(export.pk)
    export.refresh_from_db()
    return export


def take_back(export_id: UUID) -> bool:
    """In the open scope: end an export and give up its files, whatever state it is in; False when it had none left.

    Its worker, if there is one, can write nothing more.
    """
    export = Export.objects.select_for_update().filter(pk=export_id).first()
    if export is None or export.removed_at is not None or export.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    changes: dict[str, Any] = {"removed_at": timezone.now(), "seed": None, "survey": None}
    if export.status not in FINAL:
        changes |= {"status": JobStatus.CANCELLED, "finished_at": timezone.now(), "fence": F("fence") + 1}
        changes |= {"checkpoint": {}}
    Export.objects.filter(pk=export_id).update(**changes)
    discard(export_id)
    return True
