"""What an erasure leaves of the records it is for."""

from collections.abc import Mapping
from typing import TypeAlias
from uuid import UUID

from datasets.models import ErasedRecord
from datasets.services.erasure.suppress import split_cells
from datasets.tree.digests import DIGEST_BYTES
from datasets.tree.record import TreeRecord

#: Every record id of an erasure -> the leaves under it that stay.
Spared: TypeAlias = Mapping[str, frozenset[bytes]]


def spared_by(erasure_id: UUID) -> Spared:
    """In the open scope."""
    rows = ErasedRecord.objects.filter(erasure=erasure_id).values_list("record_id", "spared")
    return {record_id: frozenset(split_cells(bytes(leaves), DIGEST_BYTES)) for record_id, leaves in rows}


def is_erased(record: TreeRecord, spared: Spared) -> bool:
    """Whether the record is one that goes."""
    stays = spared.get(record.id)
    return stays is not None and not (stays and record.leaf in stays)
