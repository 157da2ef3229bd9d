"""The first half of a merge: find what both sides changed, decide or list it, and look through what is new."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import orjson

from anonymization.findings import encode_findings
from anonymization.services.detect import detect_records, forbidden_payment_data
from datasets.errors.merges import TooManyConflicts
from datasets.models import BlobKind, ConflictKind, Merge, MergeConflict, Resolution
from datasets.services.erasure.suppress import Suppression
from datasets.services.ingest import scan
from datasets.services.ingest.entries import Entry, pack_entries
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys
from datasets.services.merges.collisions import Erased, Merged, decide, find_collisions, sides_digest
from datasets.services.merges.resolutions import Resolutions
from datasets.services.pack_store import PackReader
from datasets.services.schemas import RecordRules
from datasets.services.temporary import write_temporary
from datasets.tree.merge import Collision
from datasets.tree.record import data_bytes
from vaultsite.kernel.jobs import Claim

#: More conflicts than this nobody resolves one by one.
MAX_CONFLICTS: Final = 10_000
#: Ids of erased records that a merge names; beyond, it counts them.
ERASED_NAMED: Final = 1_000
#: Collisions decided on, and new records looked through, at a time.
_BATCH: Final = 64
_RESET: Final = ("kind", "sides", "resolution", "record", "secret", "resolved_by", "resolved_at")


@dataclass
class Progress:
    """How far a plan has come, and against what: the checkpoint of the job."""

    ours: str = ""
    base: str = ""
    epoch: int = 0
    detector: str = ""
    schema: str = ""
    after: str | None = None
    runs: list[str] = field(default_factory=list)
    records: int = 0
    conflicts: int = 0
    erased: int = 0
    erased_ids: list[str] = field(default_factory=list)
    is_done: bool = False

    @classmethod
    def of(cls, checkpoint: dict[str, Any]) -> "Progress":
        return cls(**{name: checkpoint[name] for name in cls.__dataclass_fields__ if name in checkpoint})

    def is_against(self, other: "Progress") -> bool:
        """Whether both are plans of the same merge: what one has found holds for the other."""
        return (self.ours, self.base, self.epoch, self.detector, self.schema) == (
            other.ours,
            other.base,
            other.epoch,
            other.detector,
            other.schema,
        )

    def as_checkpoint(self) -> dict[str, Any]:
        return {"stage": "build" if self.is_done else "plan"} | asdict(self)


@dataclass
class Plan:
    """One pass over the collisions from where the last one stopped."""

    merge: Merge
    claim: Claim
    keys: DatasetKeys
    resolutions: Resolutions
    erased: Suppression
    rules: RecordRules
    progress: Progress
    _entries: list[Entry] = field(default_factory=list)
    _conflicts: list[MergeConflict] = field(default_factory=list)
    _size: int = 0

    def run(self, base_root: bytes, ours_root: bytes, theirs_root: bytes, *, deadline: float) -> bool:
        """Decide on everything after ``progress.after``; False when ``deadline`` (monotonic seconds) came first.

        Raises DetectionFailed, TooManyConflicts, JobFenced.
        """
        source = PackReader(self.keys)
        found = find_collisions(source, base_root, ours_root, theirs_root, after_id=self.progress.after)
        due = time.monotonic() + scan.RUN_SECONDS
        for batch in _batches(found):
            self._settle(batch)
            now = time.monotonic()
            if self._size >= scan.RUN_BYTES or now >= due or now >= deadline:
                self._save(batch[-1].id)
                due = now + scan.RUN_SECONDS
                if now >= deadline:
                    return False
            else:
                self.claim.save(progress=self._told())
        self.progress.is_done = True
        self._save(self.progress.after)
        return True

    def _settle(self, batch: Iterable[Collision | Erased]) -> None:
        merged: list[tuple[Collision, bytes]] = []
        for found in batch:
            if isinstance(found, Erased):
                self._note_erased(found.id)
                continue
            decision = decide(found, self.merge.strategy, self.resolutions.of(found.id))
            if isinstance(decision, ConflictKind):
                self._add_conflict(found, decision)
            elif isinstance(decision, Merged):
                merged.append((found, decision.canonical))
        self._scan(merged)

    def _note_erased(self, record_id: str) -> None:
        self.progress.erased += 1
        if len(self.progress.erased_ids) < ERASED_NAMED:
            self.progress.erased_ids.append(record_id)

    def _add_conflict(self, collision: Collision, kind: ConflictKind) -> None:
        if self.progress.conflicts + len(self._conflicts) >= MAX_CONFLICTS:
            raise TooManyConflicts(limit=MAX_CONFLICTS)
        self._conflicts.append(
            MergeConflict(
                tenant_id=self.keys.tenant_id,
                merge=self.merge,
                record_id=collision.id,
                kind=kind,
                sides=sides_digest(collision),
                resolution=Resolution.NONE,
            )
        )

    def _scan(self, merged: list[tuple[Collision, bytes]]) -> None:
        """What no version had so far is looked through like an upload; what may not be stored is a conflict.

        So is what breaks the dataset's schema: members of two records that keep it may break it together.
        """
        contents = [orjson.loads(canonical) for _, canonical in merged]
        found = detect_records([(content["data"], content["metadata"]) for content in contents])
        content_key = scan.content_keys(self.keys)
        for (collision, canonical), content, detected in zip(merged, contents, found, strict=True):
            data, metadata = content["data"], content["metadata"]
            findings = self.rules.with_stated(data, detected)
            if forbidden_payment_data(findings) or self.rules.problems(data):
                self._add_conflict(collision, ConflictKind.REFUSED)
                continue
            entry = Entry(
                id=collision.id,
                line=0,
                is_generated=False,
                content_key=content_key(data_bytes(canonical, collision.id), metadata),
                canonical=canonical,
                findings=encode_findings([findings]) if findings else b"",
                subjects=subject_keys(self.keys.index, data, metadata, findings),
            )
            if self.erased(entry.id, entry.content_key):
                self._note_erased(entry.id)
            self._entries.append(entry)
            self._size += len(canonical)

    def _save(self, last_id: str | None) -> None:
        """Write what was found and the checkpoint that says so."""
        progress = self.progress
        if self._entries:
            blob = write_temporary(
                self.keys,
                kind=BlobKind.RUN,
                job=self.merge.pk,
                sequence=len(progress.runs) + 1,
                frames=pack_entries(self._entries),
            )
            progress.runs.append(str(blob.pk))
        progress.records += len(self._entries)
        progress.conflicts += len(self._conflicts)
        progress.after = last_id
        with self.claim.scope():
            self._insert_conflicts()
            self.claim.save(checkpoint=progress.as_checkpoint(), progress=self._told())
        self._entries, self._conflicts, self._size = [], [], 0

    def _insert_conflicts(self) -> None:
        """A conflict that is there already, of an earlier head of the target, is open again."""
        MergeConflict.objects.bulk_create(
            self._conflicts,
            batch_size=1000,
            update_conflicts=True,
            unique_fields=["tenant", "merge", "record_id"],
            update_fields=list(_RESET),
        )

    def _told(self) -> dict[str, Any]:
        progress = self.progress
        return {
            "stage": "build" if progress.is_done else "plan",
            "records": progress.records + len(self._entries),
            "conflicts": progress.conflicts + len(self._conflicts),
        }


def _batches(found: Iterator[Collision | Erased]) -> Iterator[list[Collision | Erased]]:
    batch: list[Collision | Erased] = []
    for each in found:
        batch.append(each)
        if len(batch) >= _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
