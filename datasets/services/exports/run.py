"""One turn of a worker at an export."""

import logging
from contextlib import suppress
from uuid import UUID

from django.db import DatabaseError

from datasets.models import Export
from datasets.services.exports.finish import fail_export, settle_exhausted
from datasets.services.exports.work import Work
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.errors import JobFenced, StorageFull, VaultError
from vaultsite.kernel.jobs import Heartbeat, claim
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

logger = logging.getLogger("vault.export")


def run_export(tenant_id: UUID, export_id: UUID) -> None:
    """Continue an export from its checkpoint until it ends, is withdrawn, or is taken over by another worker."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        claimed = claim(Export, export_id)
        if claimed is None:
            settle_exhausted(export_id)
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
        is_ours = error.status >= 500 and not isinstance(error, StorageFull)  # noqa: PLR2004 - the reaper tries again
        if is_ours:
            held.release()
            raise
        fail_export(export, held, error)
    remove_dead_blobs(tenant_id, job=export_id)
