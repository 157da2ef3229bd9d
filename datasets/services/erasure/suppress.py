"""What no build from before an erasure may bring back.

Every job that builds a version does this, in one scope with reading the epoch it commits with::

    with claim.scope():
        epoch = Dataset.objects.values_list("erasure_epoch", flat=True).get(pk=dataset_id)
        erased = suppressed(dataset_id, since=job.created_at)
        if erased:
            discard_packs(job.pk)
    writer = PackWriter(keys, claim=claim, detector=.., epoch=epoch)

and leaves out each new record for which ``erased(record_id, content_key)`` is true. Where ``commit_version`` answers
None or a flush raises ErasedMeanwhile, it does all of it again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from datasets.errors.upkeep import ErasureUnderway
from datasets.models import ErasedRecord
from datasets.services.ingest.entries import Entry
from datasets.tree.digests import CONTENT_KEY_BYTES
from vaultsite.kernel.jobs import FINAL


@dataclass(frozen=True)
class Suppression:
    """Ids and content keys that were erased since a moment; false when nothing was."""

    ids: frozenset[str]
    content_keys: frozenset[bytes]

    def __call__(self, record_id: str, content_key: bytes) -> bool:
        return record_id in self.ids or content_key in self.content_keys

    def __bool__(self) -> bool:
        return bool(self.ids or self.content_keys)


def suppressed(dataset_id: UUID, since: datetime) -> Suppression:
    """What was erased from the dataset after ``since``, when the asking job came to be; in an open scope.

    Raises ErasureUnderway while an erasure from after ``since`` runs: its content keys are not all known yet.
    """
    rows = _erased_since(dataset_id, since)
    if rows.exclude(erasure__status__in=FINAL).exists():
        raise ErasureUnderway
    ids, content_keys = set(), set()
    for record_id, keys, spares in rows.values_list("record_id", "content_keys", "erasure__spares").iterator():
        if not spares:
            ids.add(record_id)
        content_keys.update(split_cells(bytes(keys), CONTENT_KEY_BYTES))
    return Suppression(frozenset(ids), frozenset(content_keys))


def _erased_since(dataset_id: UUID, since: datetime) -> QuerySet[ErasedRecord]:
    return ErasedRecord.objects.filter(Q(dataset_id=dataset_id), Q(erased_at__gte=since))


def split_cells(column: bytes, size: int) -> list[bytes]:
    """The cells of ``size`` bytes that a column is made of."""
    return [column[start : start + size] for start in range(0, len(column), size)]


@dataclass(frozen=True)
class Remaining:
    """The entries of an upload without those that were erased; every iteration reads them anew."""

    entries: Iterable[Entry]
    erased: Suppression

    def __iter__(self) -> Iterator[Entry]:
        if not self.erased:
            return iter(self.entries)
        return (entry for entry in self.entries if not self.erased(entry.id, entry.content_key))
