"""One turn of a worker at an export under a guarantee, and what is left of one that failed."""

from typing import Final
from uuid import UUID

from datasets.models import GuaranteedExport
from datasets.services.exports.finish import discard
from datasets.services.failures import failed
from datasets.services.guaranteed.work import Work
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.turn import is_final, take_turn

#: Ours to repair, yet no use to try again: the check of finished rows would refuse them again.
_LASTING: Final = frozenset({"VAULT_ANON_6054"})


def run_guaranteed_export(tenant_id: UUID, export_id: UUID) -> None:
    """Continue from the checkpoint until it ends, is withdrawn, or is taken over by another worker."""

    def work(export: GuaranteedExport, held: Claim) -> None:
        Work.open(export, held).run()

    take_turn(GuaranteedExport, tenant_id, export_id, work, fail=_fail, ends=_ends)
    remove_dead_blobs(tenant_id, job=export_id)


def _ends(error: VaultError) -> bool:
    return is_final(error) or error.code in _LASTING


def _fail(export: GuaranteedExport, held: Claim, error: VaultError) -> None:
    with held.scope():
        discard(export.pk)
        held.fail(error, seed=None, request=None, checkpoint={})
        emit(failed(EventType.EXPORT_FAILED, export, error, job="export", operation="export"))
