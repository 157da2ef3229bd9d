"""What was made of records beside the tree and must go with them."""

from collections.abc import Sequence
from typing import Final

from anonymization.services.feedback import forget_feedback
from datasets.models import Erasure, StagedRecord, SubjectIndexEntry
from datasets.services.erasure.spare import Spared
from datasets.services.exports.removal import remove_exports
from datasets.services.merges.resolutions import forget_resolutions
from datasets.services.record_quarantine import forget_quarantined
from datasets.services.suppression import settle_returns

_BATCH: Final = 2000


def drop_derived(erasure: Erasure, record_ids: Sequence[str], *, spared: Spared) -> None:
    """Inside a scope: remove index entries (but of ``spared`` leaves), staged changes, what was put into conflicts by
    hand, the quarantine, and what feedback on findings quotes.

    An erasure that spares leaves what people typed since it was asked for, and what uploads kept back that had not
    ended by then. Every export of the dataset goes too.
    """
    dataset_id = erasure.dataset_id
    until = erasure.created_at if erasure.spares else None
    remove_exports(dataset_id)
    for start in range(0, len(record_ids), _BATCH):
        batch = record_ids[start : start + _BATCH]
        stays = {leaf for name in batch for leaf in spared.get(name, ())}
        SubjectIndexEntry.objects.filter(dataset_id=dataset_id, record_id__in=batch).exclude(leaf__in=stays).delete()
        staged = StagedRecord.objects.filter(dataset_id=dataset_id, record_id__in=batch)
        (staged.filter(updated_at__lte=until) if until else staged).delete()
        forget_resolutions(dataset_id, batch, until=until)
        forget_feedback(dataset_id, batch)
        forget_quarantined(dataset_id, batch, until=until)
        settle_returns(dataset_id, batch)
