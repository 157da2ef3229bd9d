"""Do the work of a publication: fold what is staged into the tree of the branch's head, and commit the version."""

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from access.services.keyring import open_column
from anonymization.findings import encode_findings
from anonymization.services.detect import detect_records, detector_hash, forbidden_payment_data
from datasets.errors import RefusedPaymentData
from datasets.errors.drafts import EmptyDraft, RebaseConflict
from datasets.errors.upkeep import ErasedMeanwhile, ErasureUnderway
from datasets.models import (
    Branch,
    Dataset,
    Draft,
    DraftStatus,
    ErasedRecord,
    Publication,
    StagedRecord,
    Version,
    VersionKind,
)
from datasets.services.attachments import attach
from datasets.services.commit import NewVersion, commit_version, discard_packs, keep_packs
from datasets.services.drafts.open import next_expiry, remove_draft
from datasets.services.drafts.parent import find_many
from datasets.services.drafts.publish import branch_moved
from datasets.services.drafts.staged import iterate_staged, open_staged
from datasets.services.erasure.suppress import Suppression, suppressed
from datasets.services.failures import failed
from datasets.services.findings_recorder import FindingsRecorder
from datasets.services.ingest.entries import Entry
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_store import PackReader, PackWriter
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.suppression import flag_returns_of
from datasets.services.sweep import remove_dead_blobs
from datasets.services.writable import hold_open
from datasets.tree.builder import Change, Delete, TreeResult, Upsert, build
from datasets.tree.digests import EMPTY_ROOT, keyed_digest
from datasets.tree.record import TreeRecord
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import RUNNING_LEASE, Claim
from vaultsite.kernel.turn import take_turn

logger = logging.getLogger("vault.publish")


def run_publication(tenant_id: UUID, publication_id: UUID) -> None:
    """Do a publication until it is finished, failed, or taken over by another worker. No scope may be open."""
    take_turn(Publication, tenant_id, publication_id, _publish, fail=_fail)
    remove_dead_blobs(tenant_id, job=publication_id)


def _publish(publication: Publication, held: Claim) -> None:
    try:
        Publishing.open(publication, held).run()
    except ErasureUnderway:
        held.wait()


@dataclass(frozen=True)
class Ground:
    """What a publication builds on, as one transaction saw it; ``erased`` is what it may not bring back."""

    parent: Version | None
    head: Version | None
    epoch: int
    erased: "Erased"
    rules: RecordRules

    @property
    def root(self) -> bytes:
        return _root(self.head)

    @property
    def is_moved(self) -> bool:
        return (self.parent.pk if self.parent else None) != (self.head.pk if self.head else None)


@dataclass(frozen=True)
class Erased:
    """Which staged records must not come back: those staged before the last erasure that it concerned."""

    suppression: Suppression
    until: datetime | None

    @classmethod
    def of(cls, dataset_id: UUID, draft: Draft) -> "Erased":
        """In an open scope. Raises ErasureUnderway."""
        suppression = suppressed(dataset_id, since=draft.created_at)
        rows = ErasedRecord.objects.filter(dataset_id=dataset_id, erased_at__gte=draft.created_at)
        return cls(suppression, rows.aggregate(Max("erased_at"))["erased_at__max"])

    def holds(self, row: StagedRecord, entry: Entry) -> bool:
        is_older = self.until is not None and row.updated_at <= self.until
        return is_older and self.suppression(entry.id, entry.content_key)


def _root(version: Version | None) -> bytes:
    return bytes(version.root) if version else EMPTY_ROOT


@dataclass
class Publishing:
    """One worker's hold on one publication."""

    publication: Publication
    claim: Claim
    keys: DatasetKeys
    seed: SecretKey
    draft_id: UUID
    _done: int = 0
    _due: float = field(default=0.0)

    @classmethod
    def open(cls, publication: Publication, held: Claim) -> "Publishing":
        """Fetch the keys. Raises KeyUnavailable, KeyDestroyed, IntegrityFailure."""
        with held.scope():
            assert publication.seed is not None
            assert publication.draft_id is not None
            seed = SecretKey(open_column("publication-seed", publication.pk.bytes, bytes(publication.seed)))
            return cls(publication, held, load_keys(publication.dataset_id), seed, publication.draft_id)

    def run(self) -> None:
        """Build on the branch's head until it has not moved, and nothing was erased, in the meantime.

        Raises BranchMoved, RebaseConflict, EmptyDraft, RefusedPaymentData, VersionLabelTaken, BranchProtected.
        """
        while not self._attempt():
            logger.info("publication %s: the branch moved, building again", self.publication.pk)

    def _attempt(self) -> bool:
        ground = self._ground()
        if ground.is_moved:
            self._require_replayable(ground)
        writer = PackWriter(self.keys, claim=self.claim, detector=detector_hash(), epoch=ground.epoch)
        recorder = FindingsRecorder(writer, self._beat)
        self._done = 0
        try:
            tree = build(writer, ground.root, self._changes(ground), self.keys.boundary, on_chunk=recorder.record)
            recorder.subtract(tree.dropped_chunks)
            writer.flush()
        except ErasedMeanwhile:
            return False
        if tree.root == ground.root:
            raise EmptyDraft
        return self._commit(ground, tree, writer, recorder)

    def _ground(self) -> Ground:
        publication = self.publication
        with self.claim.scope():
            epoch = Dataset.objects.values_list("erasure_epoch", flat=True).get(pk=publication.dataset_id)
            draft = Draft.objects.select_related("parent").get(pk=self.draft_id)
            rows = Branch.objects.select_related("head").filter(dataset_id=publication.dataset_id)
            branch = rows.filter(name=publication.branch).first()
            ground = Ground(
                parent=draft.parent,
                head=branch.head if branch else None,
                epoch=epoch,
                erased=Erased.of(publication.dataset_id, draft),
                rules=rules_for(publication.dataset_id, at=publication.created_at),
            )
            if ground.erased.suppression:
                discard_packs(publication.pk)
            if ground.is_moved and not publication.rebase:
                raise branch_moved(ground.parent, ground.head)
            return ground

    def _require_replayable(self, ground: Ground) -> None:
        """Raises RebaseConflict unless every record that is staged is on the branch as the draft's parent had it.

        Or as it is staged; not for one who may not read it: that would tell whether it is the same.
        """
        reader, conflicts = PackReader(self.keys), list[str]()
        blind = self.publication.checkpoint.get("blind", True)
        for rows in iterate_staged(self.keys, self.draft_id):
            self._beat()
            ids = [row.record_id for row in rows]
            before = {record.id: record.canonical for record in find_many(reader, _root(ground.parent), ids)}
            now = {record.id: record.canonical for record in find_many(reader, ground.root, ids)}
            for row in rows:
                if before.get(row.record_id) != now.get(row.record_id):
                    entry = open_staged(self.keys, row)
                    if blind or (entry.canonical if entry else None) != now.get(row.record_id):
                        conflicts.append(row.record_id)
        if conflicts:
            raise RebaseConflict(conflicts)

    def _changes(self, ground: Ground) -> Iterator[Change]:
        nonce = keyed_digest(self.seed)
        detector = detector_hash()
        for rows in iterate_staged(self.keys, self.draft_id):
            entries = self._current(rows, detector, ground.rules)
            for row in rows:
                entry = entries.get(row.record_id)
                if entry is None:
                    yield Delete(row.record_id)
                    continue
                if ground.erased.holds(row, entry):
                    continue
                record = TreeRecord(entry.id, nonce(entry.id.encode()), entry.content_key, entry.canonical)
                yield Upsert(record, attach(entry.findings, entry.subjects), renews=True)
            self._done += len(rows)
            self._beat()

    def _current(self, rows: Sequence[StagedRecord], detector: bytes, rules: RecordRules) -> dict[str, Entry]:
        """The staged records by id, those that another set of detectors scanned scanned again."""
        opened = [(row, entry) for row in rows if (entry := open_staged(self.keys, row)) is not None]
        old = [entry for row, entry in opened if bytes(row.detector or b"") != detector]
        fresh = {entry.id: entry for entry in _scanned_again(self.keys, rules, old)}
        return {entry.id: fresh.get(entry.id, entry) for _, entry in opened}

    def _beat(self) -> None:
        """Renew the lease now and then, and say how far the work is."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + RUNNING_LEASE.total_seconds() / 20
            self.claim.save(progress=self._progress("build", self._done))

    def _progress(self, stage: str, records: int) -> dict[str, object]:
        return {"stage": stage, "records": records, "staged": self.publication.staged_count}

    def _commit(self, ground: Ground, tree: TreeResult, writer: PackWriter, recorder: FindingsRecorder) -> bool:
        """The version, the end of the job and of what was staged, in one transaction; False: build again."""
        publication = self.publication
        new = NewVersion(
            dataset_id=publication.dataset_id,
            branch=publication.branch,
            kind=VersionKind(publication.kind),
            head=ground.head,
            epoch=ground.epoch,
            tree=tree,
            sealed_bytes=writer.sealed_bytes,
            profile_change=recorder.change,
            author=publication.requested_by,
            created_at=publication.created_at,
            seed=self.seed,
            label=publication.label,
            message=publication.message,
            purpose=publication.purpose,
            facts={"publication": str(publication.pk), "draft": str(self.draft_id), "staged": publication.staged_count},
        )
        with self.claim.scope():
            hold_open(publication.dataset_id)  # the dataset before the draft, as everybody locks them
            draft = Draft.objects.select_for_update(no_key=True).get(pk=self.draft_id)
            version = commit_version(replace(new, contributors=draft.contributors))
            if version is None:
                return False
            keep_packs(publication.pk)
            flag_returns_of(publication.pk, version.dataset, cause=version.kind)
            StagedRecord.objects.filter(dataset_id=publication.dataset_id, draft_id=self.draft_id).delete()
            Draft.objects.filter(pk=self.draft_id).update(status=DraftStatus.PUBLISHED, version=version)
            done = self._progress("done", publication.staged_count)
            self.claim.finish(version=version, seed=None, progress=done)
        return True


def _scanned_again(keys: DatasetKeys, rules: RecordRules, entries: Sequence[Entry]) -> Iterable[Entry]:
    """Raises RefusedPaymentData when the detectors of today refuse a record that those of then took."""
    records = [TreeRecord(entry.id, b"", entry.content_key, entry.canonical) for entry in entries]
    plain = [(record.data, record.metadata) for record in records]
    for entry, (data, metadata), detected in zip(entries, plain, detect_records(plain), strict=True):
        findings = rules.with_stated(data, detected)
        if forbidden_payment_data(findings):
            raise RefusedPaymentData("A staged record holds card authentication data", ids=[entry.id])
        yield entry._replace(
            findings=encode_findings([findings]) if findings else b"",
            subjects=subject_keys(keys.index, data, metadata, findings),
        )


def _fail(publication: Publication, held: Claim, error: VaultError) -> None:
    """End the publication with ``error``: the draft is open again, one that a patch made for itself is gone."""
    with held.scope():
        _take_back(publication)
        held.fail(error, seed=None)
        emit(failed(EventType.PUBLISH_FAILED, publication, error, job="publication"))


def _take_back(publication: Publication) -> None:
    discard_packs(publication.pk)
    if publication.draft_id is None:
        return
    draft = Draft.objects.select_for_update(no_key=True).get(pk=publication.draft_id)
    if publication.kind == VersionKind.PATCH:
        remove_draft(draft)
    else:
        Draft.objects.filter(pk=draft.pk).update(status=DraftStatus.DRAFT, expires_at=next_expiry(), warned_at=None)
