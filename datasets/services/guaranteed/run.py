"""One turn of a worker at an export under a guarantee, and what is left of one that failed."""

import logging
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError

from datasets.models import Dataset, GuaranteedExport
from datasets.selectors import resource_of
from datasets.services.exports.finish import discard
from datasets.services.guaranteed.work import Work
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.errors import JobFenced, StorageFull, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import Claim, Heartbeat, JobStatus, claim
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

logger = logging.getLogger("vault.export")
_SERVER = 500
#: Ours to repair, yet no use to try again: the check of finished rows would refuse them again.
_LASTING = frozenset({"VAULT_ANON_6054"})


def run_guaranteed_export(tenant_id: UUID, export_id: UUID) -> None:
    """Continue from the checkpoint until it ends, is withdrawn, or is taken over by another worker."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        claimed = claim(GuaranteedExport, export_id)
        if claimed is None:
            _settle_exhausted(export_id)
            return
    export, held = claimed
    try:
        with Heartbeat(held):
            Work.open(export, held).run()
    except JobFenced:
        logger.warning("export %s was withdrawn or taken over", export_id)
    except (DatabaseError, OSError):
        with suppress(VaultError, DatabaseError, OSError):
            held.release()
        raise
    except VaultError as error:
        if error.status >= _SERVER and error.code not in _LASTING and not isinstance(error, StorageFull):
            held.release()
            raise
        _fail(export, held, error)
    remove_dead_blobs(tenant_id, job=export_id)


def _fail(export: GuaranteedExport, held: Claim, error: VaultError) -> None:
    with held.scope():
        discard(export.pk)
        held.fail(error, seed=None, request=None, checkpoint={})
        emit(_failed(export, error.code))


def _settle_exhausted(export_id: UUID) -> None:
    """Inside a scope: clean up after an export that was failed for having been tried too often, once."""
    waiting = GuaranteedExport.objects.select_for_update().filter(pk=export_id, status=JobStatus.FAILED)
    export = waiting.filter(seed__isnull=False).first()
    if export is not None:
        discard(export.pk)
        GuaranteedExport.objects.filter(pk=export.pk).update(seed=None, request=None)
        emit(_failed(export, export.error_code))


def _failed(export: GuaranteedExport, code: str) -> Event:
    return Event(
        type=EventType.EXPORT_FAILED,
        operation="export",
        status="failure",
        severity="warning",
        resource=resource_of(Dataset.objects.get(pk=export.dataset_id)),
        purpose=export.purpose,
        failure_reason=code,
        metadata={"export": str(export.pk), "requested_by": str(export.requested_by)},
    )
