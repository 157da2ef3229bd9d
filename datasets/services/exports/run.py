"""One turn of a worker at an export."""

from uuid import UUID

from datasets.models import Export
from datasets.services.exports.finish import fail_export
from datasets.services.exports.work import Work
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.turn import take_turn


def run_export(tenant_id: UUID, export_id: UUID) -> None:
    """Continue an export from its checkpoint until it ends, is withdrawn, or is taken over by another worker."""
    take_turn(Export, tenant_id, export_id, lambda export, held: Work.open(export, held).run(), fail=fail_export)
    remove_dead_blobs(tenant_id, job=export_id)
