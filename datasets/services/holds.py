"""Legal holds as the data knows them: place and lift their marks, and refuse what would take away what they keep.

Whoever deletes locks the row of the dataset and then asks here; whoever places or lifts a mark does it under the same
lock. So of a hold and a deletion at the same instant one sees the other: either the deletion was there first, or it is
refused.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson
from django.db.models import Max

from access.models import EncryptionKey, KeyState
from access.services.keyring import seal_column
from datasets.errors import DatasetHeld, DatasetNotFound
from datasets.errors.lifecycle import DatasetKept
from datasets.models import Dataset, HeldRecord, HoldKind, HoldMark, SubjectIndexEntry, Version
from datasets.query import Filter
from datasets.selectors import find_version
from datasets.services.ingest.subjects import subject_key
from datasets.services.keeping import refuse_kept
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.preconditions import before, held_by
from datasets.tree.reader import locate
from vaultsite.kernel.tenancy.scope import current_tenant_id

QUERY_KIND: Final = "hold-query"
_KEY_BYTES: Final = 32
_BATCH: Final = 2000


@dataclass(frozen=True)
class Identifier:
    """What names a person: an entity type of ``ingest.subjects.INDEXED`` and the value, which is not kept."""

    entity_type: str
    value: str


@dataclass(frozen=True)
class HoldScope:
    """What of a dataset to keep: of ``version``, ``identifiers`` and ``filter`` the one that ``kind`` asks for."""

    kind: HoldKind
    version: str = ""
    identifiers: tuple[Identifier, ...] = ()
    filter: Filter | None = None


def mark_held(*, hold_id: UUID, matter: str, dataset_id: UUID, scope: HoldScope) -> HoldMark:
    """Keep this from now on, in the open scope; decided on by who calls it. ``records`` found so far are its own.

    Raises DatasetNotFound for a dataset that is not there or whose keys are gone, VersionNotFound.
    """
    lock_for_holds([dataset_id])
    dataset = lock_dataset(dataset_id)
    mark = HoldMark(dataset=dataset, hold_id=hold_id, matter=matter, kind=scope.kind)
    if scope.kind == HoldKind.VERSION:
        mark.version = find_version(dataset, scope.version)
    elif scope.kind == HoldKind.SUBJECT:
        index = load_keys(dataset.pk).index
        keys = {subject_key(index, one.entity_type, one.value) for one in scope.identifiers}
        mark.subject_keys = b"".join(sorted(keys))
    elif scope.kind == HoldKind.QUERY:
        wanted = scope.filter or Filter()
        mark.query = seal_column(QUERY_KIND, mark.pk.bytes, orjson.dumps(wanted.as_json()))
    mark.save(force_insert=True)
    if scope.kind == HoldKind.SUBJECT:
        keep_records(mark, _records_of(mark))
    Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    return mark


def lift_marks(hold_id: UUID) -> list[UUID]:
    """End everything that a hold keeps, in the open scope; returns the datasets that no other hold keeps."""
    marks = HoldMark.objects.filter(hold_id=hold_id)
    datasets = sorted(set(marks.values_list("dataset_id", flat=True)))
    list(Dataset.objects.select_for_update(no_key=True).filter(pk__in=datasets).order_by("pk").values_list("pk"))
    HeldRecord.objects.filter(mark__in=marks).delete()
    marks.delete()
    still = set(HoldMark.objects.filter(dataset_id__in=datasets).values_list("dataset_id", flat=True))
    freed = [dataset_id for dataset_id in datasets if dataset_id not in still]
    Dataset.objects.filter(pk__in=freed).update(legal_hold=False)
    return freed


def keep_records(mark: HoldMark, record_ids: Iterable[str]) -> None:
    rows = (HeldRecord(dataset_id=mark.dataset_id, mark=mark, record_id=name) for name in record_ids)
    HeldRecord.objects.bulk_create(rows, batch_size=_BATCH, ignore_conflicts=True)


def lock_dataset(dataset_id: UUID) -> Dataset:
    """The dataset, deleted or not, held until the open scope ends. Raises DatasetNotFound, also once it is purged."""
    found = Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id, purged_at=None).first()
    if found is None:
        raise DatasetNotFound
    return found


def lock_for_holds(dataset_ids: Collection[UUID]) -> None:
    """All datasets that a hold is to name and then their keys and the tenant's, held until the open scope ends.

    In one order, so that two holds never wait for each other. Who destroys a key locks it and then looks for holds: it
    waits for this one, or this one for it.
    """
    datasets = Dataset.objects.select_for_update(no_key=True).filter(pk__in=dataset_ids)
    list(datasets.order_by("pk").values_list("pk"))
    scopes = [*dataset_ids, current_tenant_id()]
    keys = EncryptionKey.objects.select_for_update(no_key=True).filter(scope_id__in=scopes)
    list(keys.exclude(state=KeyState.DESTROYED).order_by("pk").values_list("pk"))


def _records_of(mark: HoldMark, among: Sequence[str] | None = None) -> list[str]:
    """Ids that the subject index has now for who a mark keeps."""
    column = bytes(mark.subject_keys)
    keys = [column[start : start + _KEY_BYTES] for start in range(0, len(column), _KEY_BYTES)]
    rows = SubjectIndexEntry.objects.filter(dataset_id=mark.dataset_id, key__in=keys)
    rows = rows if among is None else rows.filter(record_id__in=among)
    return list(rows.order_by("record_id").values_list("record_id", flat=True).distinct())


class Keeper:
    """Asks for one deletion of records whether a hold keeps any of them, as often as it goes on.

    What a version holds never changes, so each mark on one is looked into once.
    """

    def __init__(self, dataset_id: UUID, record_ids: Collection[str], *, with_versions: bool = True) -> None:
        """``with_versions``: the deletion reaches into versions, and not only what is beside them."""
        self._dataset_id = dataset_id
        self._ids = sorted(record_ids)
        self._with_versions = with_versions
        self._cleared: set[UUID] = set()

    def refuse_held(self) -> Dataset:
        """The dataset, locked until the open scope ends: no hold keeps any of the records, and none will before that.

        What is in versions goes no sooner than the dataset must be kept. Raises DatasetHeld, DatasetKept,
        DatasetNotFound.
        """
        dataset = lock_dataset(self._dataset_id)
        if self._with_versions:
            refuse_kept(dataset)
        if dataset.legal_hold:
            self._ask(dataset)
        return dataset

    def _ask(self, dataset: Dataset) -> None:
        marks = list(HoldMark.objects.filter(dataset=dataset).select_related("version").order_by("pk"))
        if not marks:  # held, and nobody says what of it
            before("delete", dataset)
        for mark in marks if self._with_versions else (one for one in marks if one.kind != HoldKind.VERSION):
            if mark.pk not in self._cleared and _KEEPS[HoldKind(mark.kind)](mark, self._ids):
                raise DatasetHeld("A legal hold keeps some of these records", **held_by(dataset))
            if mark.kind == HoldKind.VERSION:
                self._cleared.add(mark.pk)


def refuse_held(dataset_id: UUID, record_ids: Collection[str], *, with_versions: bool = True) -> Dataset:
    """As ``Keeper.refuse_held``, asked once."""
    return Keeper(dataset_id, record_ids, with_versions=with_versions).refuse_held()


def is_held(dataset_id: UUID, record_ids: Collection[str], *, with_versions: bool = True) -> bool:
    """``refuse_held`` for what waits rather than fails, a minimum like a hold; a purged dataset has nothing to keep."""
    try:
        refuse_held(dataset_id, record_ids, with_versions=with_versions)
    except (DatasetHeld, DatasetKept):
        return True
    except DatasetNotFound:
        return False
    return False


def _keeps_all(_mark: HoldMark, _ids: Sequence[str]) -> bool:
    return True


def _keeps_in_version(mark: HoldMark, ids: Sequence[str]) -> bool:
    assert mark.version is not None
    reader, root = PackReader(load_keys(mark.dataset_id)), bytes(mark.version.root)
    return any(locate(reader, root, name) is not None for name in ids)


def _keeps_of_subject(mark: HoldMark, ids: Sequence[str]) -> bool:
    """Those found when it was placed, and those that name the person since."""
    return _keeps_listed(mark, ids) or any(_records_of(mark, among) for among in _batches(ids))


def _keeps_of_query(mark: HoldMark, ids: Sequence[str]) -> bool:
    """All of the dataset as long as there are versions in which nobody has looked."""
    return is_behind(mark) or _keeps_listed(mark, ids)


def _keeps_listed(mark: HoldMark, ids: Sequence[str]) -> bool:
    return any(HeldRecord.objects.filter(mark=mark, record_id__in=among).exists() for among in _batches(ids))


def is_behind(mark: HoldMark) -> bool:
    """Whether there are versions in which the records of a query were not looked for."""
    newest = Version.objects.filter(dataset_id=mark.dataset_id).aggregate(newest=Max("sequence"))["newest"]
    return (newest or 0) > mark.found_upto


def _batches(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


_KEEPS: Final[dict[HoldKind, Callable[[HoldMark, Sequence[str]], bool]]] = {
    HoldKind.DATASET: _keeps_all,
    HoldKind.VERSION: _keeps_in_version,
    HoldKind.SUBJECT: _keeps_of_subject,
    HoldKind.QUERY: _keeps_of_query,
}
