"""Files of exports under a guarantee leave when their time is over."""

from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from datasets.models import GuaranteedExport
from datasets.selectors import resource_of
from datasets.services.guaranteed.request import take_back
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_BATCH: Final = 200


def expire_guaranteed_exports() -> int:
    """As vault_system, over all tenants: remove files past their time; returns of how many exports."""
    rows = GuaranteedExport.objects.using("system").filter(status=JobStatus.SUCCEEDED, removed_at=None)
    late = rows.filter(expires_at__lt=Now()).order_by("expires_at").values_list("tenant_id", "pk")
    return sum(_expire(tenant_id, pk) for tenant_id, pk in list(late[:_BATCH]))


def _expire(tenant_id: UUID, export_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        export = GuaranteedExport.objects.select_related("dataset", "version").filter(pk=export_id).first()
        if export is None or not take_back(export_id):
            return False
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
