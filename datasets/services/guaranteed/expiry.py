"""Files of exports under a guarantee leave when their time is over, unless a legal hold keeps them."""

from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.terms import Store, term_source
from datasets.models import GuaranteedExport
from datasets.selectors import resource_of
from datasets.services.exports.held import kept_files, lock_held
from datasets.services.guaranteed.request import take_back
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up, first_of_each

_BATCH: Final = 200


def expire_guaranteed_exports(tenant_id: UUID | None = None) -> int:
    """As vault_system, over all tenants or of one: remove files past their time; returns of how many exports."""
    rows = GuaranteedExport.objects.using("system").filter(status=JobStatus.SUCCEEDED, removed_at=None)
    rows = (rows.filter(tenant_id=tenant_id) if tenant_id else rows).exclude(kept_files("system"))
    return add_up(_expire, first_of_each(rows.filter(expires_at__lt=Now()), by="expires_at", limit=_BATCH))


def _expire(tenant_id: UUID, export_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        export = GuaranteedExport.objects.select_related("dataset", "version").filter(pk=export_id).first()
        if export is None or lock_held(export.dataset_id, export.version_id) or not take_back(export_id):
            return False
        term_source().tell_ended(Store.ANALYTICS, 1)
        emit(
            Event(
                type=EventType.EXPORT_EXPIRED,
                operation="delete",
                resource=resource_of(export.dataset, export.version),
                purpose=export.purpose,
                metadata={"export": str(export_id), "requested_by": str(export.requested_by)},
            )
        )
    return True
