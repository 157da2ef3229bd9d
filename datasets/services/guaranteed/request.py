"""Ask for an export under a guarantee, look at it, take it back, say that its copy was deleted."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from access.services.authorize import Decision, authorize
from access.services.keyring import seal_column
from access.terms import Store, term_source
from anonymization.models import Release as LedgerEntry
from anonymization.services.releases import report_deleted
from datasets.errors import DatasetNotFound, UnmetObligation, VersionNotFound
from datasets.errors.analytics import CopyNotOut
from datasets.errors.exports import ExportNotFound
from datasets.models import Dataset, GuaranteedExport, Version
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.bound_releases import bind_table
from datasets.services.descriptions import refuse_personal_data
from datasets.services.exports.encode import require_format
from datasets.services.exports.finish import discard
from datasets.services.exports.held import lock_held, refuse_held_files
from datasets.services.guaranteed.options import GuaranteedOptions, require_sound
from datasets.services.ingest.commit import new_seed
from datasets.services.version_quarantine import refuse_quarantined
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

ACTION: Final = "analytics.export"


def decide(
    principal: Principal, *, dataset_id: UUID, version: str, purpose: str | None, facts: dict[str, Any]
) -> tuple[Decision, Dataset, Version]:
    """Whether the principal may be given a table under a guarantee, in the open scope.

    The decision permits to compute on the records as they are, since only what the guarantee covers leaves: that is
    what discharges it. Its obligations are those of the principal's own view, on which filters are judged and from
    which everything that the guarantee does not cover is taken. Raises DatasetNotFound, VersionNotFound, AccessDenied,
    PurposeRequired, UnknownPurpose.
    """
    dataset = get_dataset(principal, dataset_id, action=ACTION)
    found = find_version_or_none(dataset, version)
    view = authorize(principal, ACTION, resource_of(dataset, found), purpose=purpose, facts=facts)
    if found is None:
        raise VersionNotFound
    refuse_quarantined(found)
    return view, dataset, found


def create_guaranteed_export(
    principal: Principal,
    *,
    dataset_id: UUID,
    version: str,
    options: GuaranteedOptions,
    purpose: str | None = None,
    schedule_id: UUID | None = None,
) -> GuaranteedExport:
    """Decide on releasing a version under a guarantee, and queue the work, in the open scope.

    Where the organization's retention lets recipients keep tables for fewer days than asked for, it is for those.
    Raises what ``decide`` raises, UnmetObligation, InvalidInput, PersonalDataInName, FormatUnavailable,
    ReleaseRulesMissing, OutsideReleaseRules.
    """
    require_sound(options)
    facts = {"guarantee": options.guarantee.as_json(), "method": str(options.method)}
    view, dataset, found = decide(principal, dataset_id=dataset_id, version=version, purpose=purpose, facts=facts)
    options, is_bound = bind_table(principal, view, dataset, _no_longer_than_kept(options))
    _require_k(view, options)
    names = {f"columns/{place}/name": column.name for place, column in enumerate(options.columns)}
    refuse_personal_data(**names, target=options.target)
    require_format(options.format)
    # It stays until the open scope has ended; what is deleted now has no exports.
    if not Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id).exists():
        raise DatasetNotFound
    export = _new(principal, view, dataset, found, options)
    export.schedule_id, export.is_bound = schedule_id, is_bound
    export.save(force_insert=True)
    enqueue(export)
    return export


def _no_longer_than_kept(options: GuaranteedOptions) -> GuaranteedOptions:
    days = term_source().days_of(Store.ANALYTICS)
    return options if days is None else replace(options, retention_days=min(options.retention_days, days))


def _require_k(view: Decision, options: GuaranteedOptions) -> None:
    """Classes as large as the decision asks for, at least. Raises UnmetObligation."""
    if any((options.guarantee.k or 0) < int(one.value) for one in view.asked("k")):
        raise UnmetObligation("The decision asks for larger classes")


def _new(
    principal: Principal, view: Decision, dataset: Dataset, version: Version, options: GuaranteedOptions
) -> GuaranteedExport:
    pk = uuid7()
    return GuaranteedExport(
        id=pk,
        dataset=dataset,
        version=version,
        purpose=view.purpose or "",
        target=options.target,
        format=options.format,
        method=str(options.method),
        guarantee=options.label | {"k": options.guarantee.k},
        columns=[column.as_shown() for column in options.columns],
        request=seal_column("guaranteed-request", pk.bytes, orjson.dumps(options.as_json())),
        seed=seal_column("guaranteed-seed", pk.bytes, new_seed().reveal()),
        policies=list(view.policy_ids),
        obligations=[str(one) for one in view.obligations if one.type != "k"],
        epoch=dataset.erasure_epoch,
        retention_days=options.retention_days,
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "read": 0, "percent": 0},
    )


def find_guaranteed_export(principal: Principal, export_id: UUID) -> GuaranteedExport:
    """The principal's own. Raises ExportNotFound after recording the denial."""
    mine = GuaranteedExport.objects.filter(pk=export_id, requested_by=principal.id)
    export = mine.select_related("dataset", "version").first()
    if export is None or not Dataset.objects.visible_to(principal).filter(pk=export.dataset_id).exists():
        error = ExportNotFound()
        event = Event(
            type=EventType.ACCESS_READ,
            operation="export",
            resource=ResourceRef(type="export", id=str(export_id)),
            purpose=current_scope().purpose or "",
            metadata={"action": ACTION, "reason": "not visible"},
        )
        emit(event.ended_by(error), primary=True)
        raise error
    return export


def get_guaranteed_export(principal: Principal, export_id: UUID) -> GuaranteedExport:
    """An export and its state. Raises ExportNotFound, AccessDenied."""
    export = find_guaranteed_export(principal, export_id)
    _authorize(principal, export)
    return export


def list_guaranteed_exports(
    principal: Principal, *, dataset_id: UUID, after: tuple[str, ...] | None = None, limit: int
) -> list[GuaranteedExport]:
    """The principal's own of a dataset, newest first. Raises DatasetNotFound, AccessDenied, InvalidCursor."""
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    rows = GuaranteedExport.objects.filter(dataset=dataset, requested_by=principal.id).select_related("version")
    if after:
        try:
            rows = rows.filter(id__lt=UUID(after[0]))
        except ValueError:
            raise InvalidCursor from None
    return list(rows.order_by("-id")[:limit])


def withdraw_guaranteed_export(principal: Principal, export_id: UUID) -> GuaranteedExport:
    """Cancel an unfinished export, or remove our files of a finished one. The ledger keeps what was released: whether
    a copy is out there still, only the recipient can say. Raises ExportNotFound, AccessDenied, DatasetHeld.
    """
    export = find_guaranteed_export(principal, export_id)
    _authorize(principal, export)
    if export.has_files:
        refuse_held_files(export.dataset_id, export.version_id)
    take_back(export.pk)
    export.refresh_from_db()
    return export


def report_deletion(principal: Principal, export_id: UUID) -> GuaranteedExport:
    """The recipient says that it has deleted every copy; ours goes too, unless a hold keeps it. The
    release stays in the ledger until somebody else attests that the copies are gone (``withdraw_release``).

    Raises ExportNotFound, AccessDenied, CopyNotOut.
    """
    export = find_guaranteed_export(principal, export_id)
    _authorize(principal, export)
    changed = GuaranteedExport.objects.filter(pk=export.pk, status=JobStatus.SUCCEEDED, deleted_at=None)
    if not changed.update(deleted_at=Now()):
        raise CopyNotOut
    if lock_held(export.dataset_id, export.version_id) is None:
        take_back(export.pk)
    entry = LedgerEntry.objects.filter(export_id=export.pk, withdrawn_at=None).first()
    if entry is not None:
        report_deleted(entry)
    export.refresh_from_db()
    return export


def take_back(export_id: UUID) -> bool:
    """In the open scope: end an export and give up its files, whatever state it is in; False when it had none left."""
    export = GuaranteedExport.objects.select_for_update().filter(pk=export_id).first()
    if export is None or export.removed_at is not None or export.status in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    changes: dict[str, Any] = {"removed_at": timezone.now(), "seed": None, "request": None}
    if export.status not in FINAL:
        changes |= {"status": JobStatus.CANCELLED, "finished_at": timezone.now(), "fence": F("fence") + 1}
        changes |= {"checkpoint": {}}
    GuaranteedExport.objects.filter(pk=export_id).update(**changes)
    discard(export_id)
    return True


def _authorize(principal: Principal, export: GuaranteedExport) -> None:
    facts = {"export": str(export.pk)}
    resource = resource_of(export.dataset, export.version)
    authorize(principal, ACTION, resource, purpose=export.purpose, facts=facts)
