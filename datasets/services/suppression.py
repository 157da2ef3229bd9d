"""Suppress identifiers of people who were erased, and tell when one of them comes back.

The list holds HMACs, under a key derived for it, of the keys of the subject index: whatever writes an entry of the
index can be compared with it, and nobody can read from it which entries were meant.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from access.services.keyring import KeyPurpose, current_key
from datasets.models import Dataset, IdentifierReturn, ReturnState, SubjectIndexEntry, SuppressedIdentifier
from datasets.selectors import resource_of
from vaultsite.kernel.alarms import Alarm, sound_once
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType

KIND: Final = "subject.returned"
#: The cause of what was there before its identifier was suppressed: no return.
STAYS: Final = "stays"
_LABEL: Final = b"suppressed identifiers"
_ROWS: Final = 5_000


def suppress_identifiers(index_keys: Collection[bytes], *, erasure_id: UUID) -> int:
    """Put the identifiers behind these keys of the subject index on the list, in the open scope; returns how many."""
    hidden = _hiding_key()
    rows = [SuppressedIdentifier(key=hidden.mac(key), erasure=erasure_id) for key in sorted(set(index_keys))]
    SuppressedIdentifier.objects.bulk_create(rows, batch_size=_ROWS, ignore_conflicts=True)
    _note_what_is_there(sorted(set(index_keys)))
    return len(rows)


def suppressed_by(erasure_id: UUID) -> tuple[bytes, ...]:
    """What an erasure has on the list, in the open scope, for ``suppress_again``."""
    rows = SuppressedIdentifier.objects.filter(erasure=erasure_id).order_by("pk")
    return tuple(bytes(key) for key in rows.values_list("key", flat=True))


def suppress_again(listed: Collection[bytes], *, erasure_id: UUID) -> None:
    """Put on the list of a restored database, in the open scope, what ``suppressed_by`` said was on it."""
    rows = [SuppressedIdentifier(key=key, erasure=erasure_id) for key in listed]
    SuppressedIdentifier.objects.bulk_create(rows, batch_size=_ROWS, ignore_conflicts=True)


def _note_what_is_there(index_keys: list[bytes]) -> None:
    """What has the identifiers now came before: it is being erased, or stays because somebody said so."""
    for entry in SubjectIndexEntry.objects.filter(key__in=index_keys).select_related("dataset").iterator():
        for pk, record_id in _listed([(_hiding_key().mac(bytes(entry.key)), entry.record_id)]):
            IdentifierReturn.objects.bulk_create(
                [IdentifierReturn(suppressed_id=pk, dataset=entry.dataset, record_id=record_id, cause=STAYS)],
                ignore_conflicts=True,
            )


def settle_suppression(erasure_id: UUID) -> None:
    """Once the erasure has ended, in the open scope: what went and comes again under the same id is a return."""
    noted = IdentifierReturn.objects.filter(suppressed__erasure=erasure_id, cause=STAYS)
    left = SubjectIndexEntry.objects.filter(dataset=OuterRef("dataset"), record_id=OuterRef("record_id"))
    noted.exclude(Exists(left)).delete()


def settle_returns(dataset_id: UUID, record_ids: Sequence[str]) -> None:
    """In the scope that takes the records away: what came back is gone, and comes back anew if it does once more."""
    rows = IdentifierReturn.objects.filter(dataset_id=dataset_id, record_id__in=record_ids)
    rows.filter(cause=STAYS).delete()
    rows.exclude(state=ReturnState.ERASED).update(state=ReturnState.ERASED, settled_at=timezone.now())


def flag_returns_of(job: UUID, dataset: Dataset, *, cause: str) -> int:
    """Look at what a job put into the subject index, in the scope that commits it; returns how many records are new."""
    return _flag(SubjectIndexEntry.objects.filter(job=job), dataset, cause)


def flag_returns_in(dataset: Dataset, *, cause: str) -> int:
    """Look at the whole index of a dataset that came back, or went back, in the open scope."""
    return _flag(SubjectIndexEntry.objects.filter(dataset=dataset), dataset, cause)


def _flag(entries: QuerySet[SubjectIndexEntry], dataset: Dataset, cause: str) -> int:
    if not SuppressedIdentifier.objects.exists():
        return 0
    before = IdentifierReturn.objects.filter(dataset=dataset).count()
    for found in _suppressed_among(entries):
        IdentifierReturn.objects.bulk_create(
            [
                IdentifierReturn(suppressed_id=pk, dataset=dataset, record_id=record_id, cause=cause)
                for pk, record_id in found
            ],
            ignore_conflicts=True,
        )
    count = IdentifierReturn.objects.filter(dataset=dataset).count() - before
    if count:
        _tell(dataset, cause, count)
    return count


def _suppressed_among(entries: QuerySet[SubjectIndexEntry]) -> Iterator[list[tuple[UUID, str]]]:
    """(id of the suppressed identifier, record id) of those entries that are on the list, in batches."""
    hidden, batch = _hiding_key(), []
    for entry in entries.values_list("key", "record_id").iterator(chunk_size=_ROWS):
        batch.append((hidden.mac(bytes(entry[0])), entry[1]))
        if len(batch) == _ROWS:
            yield _listed(batch)
            batch = []
    yield _listed(batch)


def _listed(batch: list[tuple[bytes, str]]) -> list[tuple[UUID, str]]:
    rows = SuppressedIdentifier.objects.filter(key__in={key for key, _ in batch}).values_list("key", "pk")
    known = {bytes(key): pk for key, pk in rows}
    return [(known[key], record_id) for key, record_id in batch if key in known]


def _tell(dataset: Dataset, cause: str, count: int) -> None:
    facts = {"records": count, "cause": cause}
    emit(
        Event(
            EventType.SUBJECT_RETURNED,
            operation="write",
            severity="warning",
            resource=resource_of(dataset),
            metadata=facts,
        )
    )
    sound_once(
        Alarm(
            kind=KIND,
            cause=f"{dataset.pk} {timezone.now().isoformat(timespec='seconds')}",
            severity="warning",
            summary=f"{count} {'record' if count == 1 else 'records'} of an erased person came back by {cause}",
            facts=facts,
            dataset_id=dataset.pk,
        )
    )


def hidden_key_of(index_key: bytes) -> bytes:
    """What the list holds for a key of the subject index, in the open scope."""
    return _hiding_key().mac(index_key)


def _hiding_key() -> SecretKey:
    return current_key(KeyPurpose.INDEX).key.derive(_LABEL)
