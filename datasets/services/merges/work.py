"""The worker's part of a merge: plan and build on the target's head until it has not moved in the meantime."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final
from uuid import UUID

from access.services.keyring import open_column
from anonymization.services.detect import detector_hash
from datasets.errors.merges import ConflictsLeft, MergeTargetMoved
from datasets.errors.upkeep import ErasedMeanwhile, ErasureUnderway
from datasets.models import Blob, BlobState, Dataset, Merge, MergeConflict, Resolution, Version
from datasets.services.branches import get_branch
from datasets.services.commit import discard_packs
from datasets.services.erasure.suppress import Suppression, suppressed
from datasets.services.history import merge_base
from datasets.services.ingest.entries import Entry, unpack_entries
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.merges.build import Decided, build_merge
from datasets.services.merges.commit import (
    commit_merge,
    end_conflicted,
    end_temporaries,
    fail_merge,
    leave_unchanged,
    move_forward,
)
from datasets.services.merges.plan import Plan, Progress
from datasets.services.merges.resolutions import Resolutions
from datasets.services.pack_store import PackWriter
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.sweep import remove_dead_blobs
from datasets.services.temporary import read_frames
from datasets.tree.digests import EMPTY_ROOT, keyed_digest
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.jobs import Claim, Pulse
from vaultsite.kernel.turn import take_turn

logger = logging.getLogger("vault.merge")

#: A worker gives its turn back after this long.
TURN_SECONDS: Final = 480.0
#: How often a merge is worked out again because others moved the target meanwhile.
MAX_MOVES: Final = 8


@dataclass(frozen=True)
class Heads:
    """What is merged into what, where the two parted, and what was erased since the merge was asked for; and
    what the dataset asks of records now.
    """

    ours: Version | None
    theirs: Version
    base: Version | None
    epoch: int
    erased: Suppression
    rules: RecordRules

    @property
    def roots(self) -> tuple[bytes, bytes, bytes]:
        base, ours, theirs = (bytes(side.root) if side else EMPTY_ROOT for side in (self.base, self.ours, self.theirs))
        return base, ours, theirs

    def progress(self) -> Progress:
        """A plan's beginning."""
        return Progress(
            ours=str(self.ours.pk) if self.ours else "",
            base=str(self.base.pk) if self.base else "",
            epoch=self.epoch,
            detector=detector_hash().hex(),
            schema=self.rules.digest,
        )


@dataclass
class Work:
    """One worker's hold on one merge."""

    merge: Merge
    claim: Claim
    keys: DatasetKeys
    seed: SecretKey

    @classmethod
    def open(cls, merge: Merge, held: Claim) -> "Work":
        """Raises KeyUnavailable, IntegrityFailure."""
        with held.scope():
            assert merge.seed is not None
            seed = SecretKey(open_column("merge-seed", merge.pk.bytes, bytes(merge.seed)))
            return cls(merge=merge, claim=held, keys=load_keys(merge.dataset_id), seed=seed)

    def run(self, *, deadline: float) -> None:
        """Raises MergeTargetMoved, ConflictsLeft (under a merge request), and what planning and building raise."""
        try:
            self._repeat(deadline)
        except ErasureUnderway:
            self.claim.wait()

    def _repeat(self, deadline: float) -> None:
        """Until the target has not moved, and nothing was erased, from the look at it to the end."""
        for _ in range(MAX_MOVES):
            heads = self._heads()
            if heads.ours is not None and heads.base == heads.theirs:
                leave_unchanged(self.merge, self.claim, heads.ours)
                return
            if heads.ours is None or heads.base == heads.ours:
                is_done = move_forward(self.merge, self.claim, heads.ours, heads.theirs)
            else:
                is_done = self._merge(heads, heads.ours, deadline=deadline)
            if is_done:
                return
            logger.info("merge %s: the target moved, working it out again", self.merge.pk)
        raise MergeTargetMoved

    def _heads(self) -> Heads:
        """Raises MergeTargetMoved when the target is not where the request expects it."""
        merge = self.merge
        with self.claim.scope():
            dataset = Dataset.objects.get(pk=merge.dataset_id)
            ours = get_branch(dataset, merge.target).head
            if merge.is_pinned and (ours.pk if ours else None) != merge.ours_id:
                raise MergeTargetMoved(head=ours.label if ours else None)
            assert merge.source_id is not None
            theirs = Version.objects.get(pk=merge.source_id)
            base = merge_base(ours, theirs) if ours else None
            erased = suppressed(dataset.pk, since=merge.created_at)
            if erased:
                discard_packs(merge.pk)
            self.claim.save(ours=ours, base=base)
            rules = rules_for(dataset.pk)
        return Heads(ours, theirs, base, dataset.erasure_epoch, erased, rules)

    def _merge(self, heads: Heads, ours: Version, *, deadline: float) -> bool:
        """Commit, give back, or leave it to somebody to resolve; False when the target moved meanwhile."""
        progress, resolutions = self._begin(heads)
        if not progress.is_done:
            plan = Plan(self.merge, self.claim, self.keys, resolutions, heads.erased, heads.rules, progress)
            if not plan.run(*heads.roots, deadline=deadline):
                self.claim.give_turn_back(self.merge)
                return True
        if progress.conflicts:
            self._stop(progress)
            return True
        writer = PackWriter(self.keys, claim=self.claim, detector=detector_hash(), epoch=heads.epoch)
        beat = Pulse(self.claim, progress={"stage": "build", "records": progress.records})
        decided = Decided(
            self.merge.strategy, resolutions, heads.erased, self._entries(progress), keyed_digest(self.seed)
        )
        try:
            built = build_merge(heads.roots, decided, writer=writer, beat=beat)
        except ErasedMeanwhile:
            return False
        return commit_merge(self.merge, self.claim, ours, heads.theirs, built, progress=progress, seed=self.seed)

    def _begin(self, heads: Heads) -> tuple[Progress, Resolutions]:
        """Where the plan stopped; from the start when it was one against other heads, detectors or an earlier epoch."""
        with self.claim.scope():
            checkpoint = Merge.objects.values_list("checkpoint", flat=True).get(pk=self.merge.pk)
            progress, new = Progress.of(checkpoint), heads.progress()
            if not progress.is_against(new):
                end_temporaries(self.merge)
                MergeConflict.objects.filter(merge=self.merge, resolution=Resolution.NONE).delete()
                self.claim.save(checkpoint=new.as_checkpoint())
                progress = new
            return progress, Resolutions(self.merge, self.keys)

    def _stop(self, progress: Progress) -> None:
        """Under a merge request nobody may put in what no reviewer has seen: the source is brought up to date first."""
        if self.merge.request_id is not None:
            raise ConflictsLeft(
                "Merge the target into the source, resolve the conflicts there, and have it reviewed again",
                conflicts=progress.conflicts,
            )
        end_conflicted(self.merge, self.claim, progress)

    def _entries(self, progress: Progress) -> Iterator[Entry]:
        """The planned records in order of id. Raises BlobMissing."""
        with self.claim.scope():
            found = {str(blob.pk): blob for blob in Blob.objects.filter(pk__in=progress.runs)}
        if set(found) != set(progress.runs) or any(blob.state != BlobState.SEALED for blob in found.values()):
            raise BlobMissing("Records of the merge are gone")
        frames = chain.from_iterable(read_frames(self.keys, found[name]) for name in progress.runs)
        return chain.from_iterable(map(unpack_entries, frames))


def run_merge(tenant_id: UUID, merge_id: UUID, *, turn_seconds: float = TURN_SECONDS) -> None:
    """Continue a merge from its checkpoint until it has ended, waits for somebody, or another worker took it over."""
    deadline = time.monotonic() + turn_seconds

    def work(merge: Merge, held: Claim) -> None:
        Work.open(merge, held).run(deadline=deadline)

    take_turn(Merge, tenant_id, merge_id, work, fail=fail_merge)
    remove_dead_blobs(tenant_id, job=merge_id)
