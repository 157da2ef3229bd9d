"""Records of people who restricted their processing, or objected to it: left out of reads, and counted.

A record is a person's where the subject index finds an identifier of theirs in any version of it, or where somebody
said so. Left out is counted as consent counts (datasets/services/consent.py), whatever filter the reader has.
"""

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.services.authorize import Decision
from access.services.policies_in_force import ALL_PURPOSES, policies_in_force
from access.services.restricted import set_restricted_purposes
from anonymization.findings import Finding
from datasets.models import Dataset, ProcessingRestriction, RestrictedKey, RestrictedRecord, SubjectIndexEntry
from datasets.services.consent import FRESH_SECONDS
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys, load_keys
from datasets.tree.record import TreeRecord
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: The kind of obligation that is met here.
KIND: Final = "restriction"
_KEPT_IDS: Final = 100_000
_ROWS: Final = 5_000


def restrict_processing(
    *,
    case: UUID,
    purposes: Iterable[str],
    keys: Iterable[bytes],
    records: Mapping[UUID, Sequence[str]],
    by: UUID,
) -> list[ProcessingRestriction]:
    """Leave a person's records out of reads for these purposes (ALL_PURPOSES: every one), in the open scope.

    ``keys`` are the person's in the subject index, ``records`` those known to be theirs, by dataset. What the case
    restricted before is lifted.
    """
    lift_restrictions(case, by=by)
    found, hidden = sorted(set(keys)), {pk: sorted(set(ids)) for pk, ids in records.items()}
    made = [
        ProcessingRestriction(case=case, purpose="" if one == ALL_PURPOSES else one, imposed_by=by) for one in purposes
    ]
    for row in made:
        row.save(force_insert=True)
        RestrictedKey.objects.bulk_create([RestrictedKey(restriction=row, key=key) for key in found], batch_size=_ROWS)
        RestrictedRecord.objects.bulk_create(
            [
                RestrictedRecord(restriction=row, dataset_id=dataset_id, record_id=record_id)
                for dataset_id, ids in hidden.items()
                for record_id in ids
            ],
            batch_size=_ROWS,
        )
    _tell_decisions()
    return made


def lift_restrictions(case: UUID, *, by: UUID) -> int:
    """End what a case restricted, in the open scope; returns how many restrictions. Others of the person stay."""
    rows = ProcessingRestriction.objects.filter(case=case, lifted_at=None)
    lifted = rows.update(lifted_at=timezone.now(), lifted_by=by)
    if lifted:
        _tell_decisions()
    return lifted


def restrictions_of(case: UUID) -> list[ProcessingRestriction]:
    """Those of a case that are in force, in the open scope."""
    return list(ProcessingRestriction.objects.filter(case=case, lifted_at=None).order_by("purpose"))


def _tell_decisions() -> None:
    """From now on decisions for the purposes that are restricted carry the obligation."""
    set_restricted_purposes(_restricted_purposes)


def _restricted_purposes() -> list[str]:
    live = ProcessingRestriction.objects.filter(lifted_at=None).values_list("purpose", flat=True).distinct()
    return [purpose or ALL_PURPOSES for purpose in live]


@dataclass
class RestrictionGate:
    """Tells the records that a purpose must not use, and counts them. Needs no open scope."""

    purpose: str
    keys: DatasetKeys
    _people: frozenset[bytes] = frozenset()
    _records: frozenset[str] = frozenset()
    _looked_at: float = float("-inf")
    _left_out: int = 0
    _ids: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_IDS))

    @property
    def is_empty(self) -> bool:
        """Whether no stored record of the dataset is left out."""
        self._refresh()
        return not self._records

    def admits(self, record: TreeRecord, findings: Sequence[Finding] = ()) -> bool:
        """Whether the record may be used. ``findings``: those of a staged record, which is in no index yet."""
        self._refresh()
        if record.id not in self._records and not self._names(record, findings):
            return True
        self._left_out += 1
        self._ids.append(record.id)
        return False

    def look_ahead(self, records: Iterable[TreeRecord]) -> None:
        """Nothing has to be fetched for them: what is left out is known by id."""

    def _names(self, record: TreeRecord, findings: Sequence[Finding]) -> bool:
        """Whether a staged record names somebody who restricted it."""
        if record.nonce or not findings or not self._people:
            return False
        plain: dict[str, Any] = orjson.loads(record.canonical)
        return not self._people.isdisjoint(subject_keys(self.keys.index, plain["data"], plain["metadata"], findings))

    def again(self) -> "RestrictionGate":
        """The same for another pass over the same records, which counts for itself."""
        return RestrictionGate(self.purpose, self.keys)

    def take_count(self, *, until: str | None = None) -> int:
        """How many records were left out since it was asked last, up to the id ``until`` (None: all of them)."""
        beyond = [] if until is None else [one for one in self._ids if one > until]
        counted = self._left_out - len(beyond)
        self._left_out = len(beyond)
        self._ids = deque(beyond, _KEPT_IDS)
        return counted

    def stamp(self) -> list[str]:
        """What is left out: the same only where the same records are."""
        self._refresh()
        return sorted(self._records)

    def _refresh(self) -> None:
        if time.monotonic() - self._looked_at <= FRESH_SECONDS:
            return
        with tenant_scope(self.keys.tenant_id, Principal.system(self.keys.tenant_id)):
            live = _live(self.purpose)
            self._people = frozenset(
                bytes(key) for key in RestrictedKey.objects.filter(restriction__in=live).values_list("key", flat=True)
            )
            self._records = _records_in(self.keys.dataset_id, live, self._people)
        self._looked_at = time.monotonic()


def _live(purpose: str) -> QuerySet[ProcessingRestriction]:
    return ProcessingRestriction.objects.filter(Q(purpose="") | Q(purpose=purpose), lifted_at=None)


def _records_in(
    dataset_id: UUID, restrictions: QuerySet[ProcessingRestriction], people: Iterable[bytes]
) -> frozenset[str]:
    entered = RestrictedRecord.objects.filter(dataset_id=dataset_id, restriction__in=restrictions)
    indexed = SubjectIndexEntry.objects.filter(dataset_id=dataset_id, key__in=list(people))
    return frozenset(entered.values_list("record_id", flat=True)) | frozenset(
        indexed.values_list("record_id", flat=True)
    )


def restriction_of(decision: Decision, dataset: Dataset) -> RestrictionGate | None:
    """What a decision to use records of the dataset leaves out, in the open scope; None: nobody's records.

    A decision that was made before somebody restricted their processing is held to it as well.
    """
    purpose = decision.purpose or ""
    if not decision.asked(KIND) and not policies_in_force().restricts(purpose):
        return None
    return RestrictionGate(purpose, load_keys(dataset.pk))


def is_restricted_since(purpose: str, dataset_id: UUID, moment: datetime) -> bool:
    """Whether somebody in the dataset has restricted the purpose since, in the open scope."""
    since = _live(purpose).filter(imposed_at__gt=moment)
    keys = RestrictedKey.objects.filter(restriction__in=since).values_list("key", flat=True)
    return bool(_records_in(dataset_id, since, [bytes(key) for key in keys]))
