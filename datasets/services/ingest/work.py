"""The worker's part of an ingest: scan, then build on the branch's head until the version is committed."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from typing import Final

from django.utils import timezone

from access.services.keyring import open_column
from anonymization.services.detect import detector_hash
from datasets.errors import EmptyUpload
from datasets.errors.upkeep import ErasedMeanwhile, ErasureUnderway
from datasets.models import Blob, BlobKind, BlobState, Branch, Dataset, Ingest, Version
from datasets.services.commit import discard_packs
from datasets.services.erasure.suppress import Remaining, suppressed
from datasets.services.failures import failed
from datasets.services.ingest.build import build_tree
from datasets.services.ingest.commit import commit_ingest, discard
from datasets.services.ingest.runs import MAX_OPEN_RUNS, Run, Runs, check_unique, merge_runs
from datasets.services.ingest.scan import Progress, Scan
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_store import PackWriter
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import BlobMissing, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import Claim, Pulse

logger = logging.getLogger("vault.ingest")

#: A worker gives its turn back after this long, so that other jobs come to theirs.
TURN_SECONDS: Final = 480.0


@dataclass
class Work:
    """One worker's hold on one ingest."""

    ingest: Ingest
    claim: Claim
    keys: DatasetKeys
    seed: SecretKey
    parts: list[Blob]

    @classmethod
    def open(cls, ingest: Ingest, held: Claim) -> "Work":
        """Fetch keys and parts. Raises KeyUnavailable, IntegrityFailure, BlobMissing when a part is gone."""
        with held.scope():
            assert ingest.seed is not None
            seed = SecretKey(open_column("ingest-seed", ingest.pk.bytes, bytes(ingest.seed)))
            parts = list(Blob.objects.filter(job=ingest.pk, kind=BlobKind.PART).order_by("sequence"))
            if [part.sequence for part in parts] != list(range(1, ingest.part_count + 1)):
                raise BlobMissing("Parts of the upload are gone")
            return cls(ingest=ingest, claim=held, keys=load_keys(ingest.dataset_id), seed=seed, parts=parts)

    def run(self) -> None:
        """Scan, then build on the branch's head until it has not moved in the meantime."""
        progress, deadline = self._progress_so_far(), time.monotonic() + TURN_SECONDS
        if not (self._scan(progress, deadline) and self._merge(progress, deadline)):
            self.claim.give_turn_back(self.ingest)
            return
        self.ingest.checkpoint = progress.as_checkpoint("build")
        if not self._may_build():
            self.claim.wait()
            return
        runs = Runs(self.keys, tuple(self._runs(progress.runs)))
        check_unique(runs)
        try:
            while not self._build(runs):
                logger.info("ingest %s: the branch moved or records were erased, building again", self.ingest.pk)
        except ErasureUnderway:
            self.claim.wait()

    def _scan(self, progress: Progress, deadline: float) -> bool:
        """Whether the scan came to its end, in this turn or before. Raises EmptyUpload."""
        if self.ingest.checkpoint.get("stage") in ("merge", "build"):
            return True
        if not Scan(self.ingest, self.claim, self.keys, progress).run(self.parts, deadline=deadline):
            return False
        if not progress.records:
            raise EmptyUpload
        return True

    def _merge(self, progress: Progress, deadline: float) -> bool:
        """Merge runs until few enough are left to be read side by side; False when ``deadline`` came first."""
        while len(progress.runs) > MAX_OPEN_RUNS:
            first, rest = progress.runs[:MAX_OPEN_RUNS], progress.runs[MAX_OPEN_RUNS:]
            merged = merge_runs(self.keys, self._runs(first), job=self.ingest.pk, beat=self._beat("merge"))
            progress.runs = [*rest, [str(blob.pk) for blob in merged]]
            with self.claim.scope():
                self.claim.save(checkpoint=progress.as_checkpoint("merge"))
                Blob.objects.filter(pk__in=chain.from_iterable(first)).update(state=BlobState.DEAD)
            if time.monotonic() >= deadline:
                return False
        return True

    def _progress_so_far(self) -> Progress:
        """Where the scan stopped; from the start again when other detectors did it: findings are of one set."""
        progress, detector = Progress.of(self.ingest.checkpoint), detector_hash().hex()
        if progress.detector not in ("", detector):
            self.ingest.checkpoint = {}
            progress = Progress()
        progress.detector = detector
        return progress

    def _runs(self, names: list[list[str]]) -> list[Run]:
        with self.claim.scope():
            found = {str(blob.pk): blob for blob in Blob.objects.filter(pk__in=chain.from_iterable(names))}
        return [tuple(found[name] for name in run) for run in names]

    def _may_build(self) -> bool:
        """One build at a time in a dataset: two could only race for the same branch."""
        with self.claim.scope():
            others = Ingest.objects.filter(
                dataset_id=self.ingest.dataset_id,
                status="running",
                checkpoint__stage="build",
                lease_until__gt=timezone.now(),
            ).exclude(pk=self.ingest.pk)
            if others.exists():
                return False
            self.claim.save(checkpoint=self.ingest.checkpoint, progress=self._progress("build"))
        return True

    def _build(self, runs: Runs) -> bool:
        with self.claim.scope():
            epoch = Dataset.objects.values_list("erasure_epoch", flat=True).get(pk=self.ingest.dataset_id)
            parent = self._head()
            erased = suppressed(self.ingest.dataset_id, since=self.ingest.created_at)
            if erased:
                discard_packs(self.ingest.pk)
        entries = Remaining(runs, erased)
        writer = PackWriter(self.keys, claim=self.claim, detector=detector_hash(), epoch=epoch)
        try:
            built = build_tree(self.ingest, entries, parent, seed=self.seed, writer=writer, beat=self._beat("build"))
        except ErasedMeanwhile:
            return False
        return commit_ingest(self.ingest, self.claim, parent, built, epoch=epoch, seed=self.seed) is not None

    def _head(self) -> Version | None:
        branch = Branch.objects.select_related("head").filter(dataset_id=self.ingest.dataset_id)
        found = branch.filter(name=self.ingest.branch).first()
        return found.head if found else None

    def _beat(self, stage: str) -> Callable[[], None]:
        return Pulse(self.claim, progress=self._progress(stage))

    def _progress(self, stage: str) -> dict[str, object]:
        return {"stage": stage, "records": self.ingest.checkpoint.get("records", 0)}


def fail_ingest(ingest: Ingest, held: Claim, error: VaultError) -> None:
    """End the ingest with ``error``; nothing of it stays but its row and its report of rejected lines."""
    with held.scope():
        ingest.refresh_from_db(fields=["checkpoint"])
        discard(ingest)
        held.fail(error, seed=None)
        emit(failed(EventType.INGEST_FAILED, ingest, error, job="ingest"))
