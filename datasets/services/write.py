"""The write path: authorize -> validate -> detect -> encrypt -> store -> index -> emit.

``begin_ingest`` and ``finish_receiving`` run in the request, ``run_ingest`` in a worker. No flag skips a step.
"""

import hashlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from access.services.authorize import authorize
from access.services.idempotency import Attempt, begin_attempt, forget_attempt, store_answer
from access.services.keyring import open_column, seal_column
from anonymization.services.detect import detector_hash
from datasets.errors import EmptyUpload, VersionLabelTaken
from datasets.models import Blob, BlobState, Branch, Dataset, Ingest, IngestFormat, IngestMode, OnError, Version
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.ingest.build import build_tree
from datasets.services.ingest.commit import commit_version, discard, new_seed
from datasets.services.ingest.receive import Received, receive_parts
from datasets.services.ingest.runs import Runs, check_unique
from datasets.services.ingest.scan import Progress, Scan
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_store import PackWriter
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import JobFenced, StorageFull, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import Claim, Pulse, claim, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

logger = logging.getLogger("vault.ingest")

#: A worker gives its turn back after this long, so that other jobs come to theirs.
TURN_SECONDS: Final = 480.0


@dataclass(frozen=True)
class UploadOptions:
    """How an upload is to be read and what it does to the dataset."""

    format: IngestFormat = IngestFormat.JSONL
    mode: IngestMode = IngestMode.REPLACE
    on_error: OnError = OnError.ABORT
    id_field: str = ""
    envelope: bool = False
    label: str = ""
    message: str = ""


@dataclass(frozen=True)
class Upload:
    """The right to send one file into one dataset."""

    job: UUID
    dataset_id: UUID
    keys: DatasetKeys
    options: UploadOptions
    purpose: str
    attempt: Attempt | None = None


def begin_ingest(principal: Principal, *, dataset_id: UUID, options: UploadOptions, key: str = "") -> Upload:
    """Decide whether ``principal`` may write to the dataset, before a byte is read. Runs in the request's scope.

    ``key`` is the request's idempotency key, if any. Raises DatasetNotFound, AccessDenied, PersonalDataInText,
    VersionLabelTaken, RequestInFlight.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    decision = authorize(principal, "record.write", resource_of(dataset))
    refuse_personal_data(message=options.message)
    attempt = begin_attempt(principal, route=f"POST data {dataset.pk}", key=key) if key else None
    is_new = attempt is None or not attempt.is_repetition
    if is_new and options.label and Version.objects.filter(dataset=dataset, label=options.label).exists():
        raise VersionLabelTaken(label=options.label)
    return Upload(
        job=uuid7(),
        dataset_id=dataset.pk,
        keys=load_keys(dataset.pk),
        options=options,
        purpose=decision.purpose or "",
        attempt=attempt,
    )


def finish_receiving(principal: Principal, upload: Upload, body: Iterable[bytes]) -> Ingest:
    """Seal the file as it arrives and queue its ingest.

    Opens short scopes of its own; none may be open. A repetition of an earlier request stores nothing and gives the
    ingest of that one; raises IdempotencyMismatch when it brings another file or other options.
    """
    counted = _Fingerprint(upload.options, body)
    if upload.attempt is not None and upload.attempt.answer is not None:
        deque(counted, maxlen=0)
        upload.attempt.require_same(counted.digest())
        with tenant_scope(principal.tenant_id, principal):
            return Ingest.objects.get(pk=upload.attempt.answer["ingest"])
    try:
        received = receive_parts(upload.keys, upload.job, counted)
        with tenant_scope(principal.tenant_id, principal):
            ingest = _new_ingest(principal, upload, received)
            ingest.save(force_insert=True)
            if upload.attempt is not None:
                store_answer(upload.attempt, fingerprint=counted.digest(), answer={"ingest": str(ingest.pk)})
            enqueue(ingest)
    except BaseException:
        _give_up(principal, upload)
        raise
    return ingest


def _give_up(principal: Principal, upload: Upload) -> None:
    """Free the idempotency key and the parts of an upload that broke off; what this misses the sweep finds."""
    with suppress(VaultError, DatabaseError, OSError), tenant_scope(principal.tenant_id, principal):
        if upload.attempt is not None:
            forget_attempt(upload.attempt)
        Blob.objects.filter(job=upload.job).update(state=BlobState.DEAD)
    with suppress(VaultError, DatabaseError, OSError):
        remove_dead_blobs(principal.tenant_id, job=upload.job)


class _Fingerprint:
    """A body that is hashed as it passes, together with the options it came with."""

    def __init__(self, options: UploadOptions, body: Iterable[bytes]) -> None:
        self._body = body
        self._digest = hashlib.sha256(repr(options).encode() + b"\0")

    def __iter__(self) -> Iterator[bytes]:
        for block in self._body:
            self._digest.update(block)
            yield block

    def digest(self) -> bytes:
        return self._digest.digest()


def _new_ingest(principal: Principal, upload: Upload, received: Received) -> Ingest:
    options = upload.options
    return Ingest(
        id=upload.job,
        dataset_id=upload.dataset_id,
        format=options.format,
        mode=options.mode,
        on_error=options.on_error,
        id_field=options.id_field,
        envelope=options.envelope,
        label=options.label,
        message=options.message,
        seed=seal_column("ingest-seed", upload.job.bytes, new_seed().reveal()),
        received_bytes=received.size,
        part_count=received.part_count,
        purpose=upload.purpose,
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=timezone.now(),
        progress={"stage": "queued", "records": 0},
    )


def run_ingest(tenant_id: UUID, ingest_id: UUID) -> None:
    """Continue an ingest from its checkpoint until it is finished, failed, or taken over by another worker."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        claimed = claim(Ingest, ingest_id)
        if claimed is None:
            return
        ingest, held = claimed
        work = Work.open(ingest, held)
    try:
        work.run()
    except JobFenced:
        logger.warning("ingest %s was taken over", ingest_id)
    except (DatabaseError, OSError):
        with suppress(VaultError, DatabaseError, OSError):
            held.release()
        raise
    except StorageFull as error:
        work.fail(error)
    except VaultError as error:
        if error.status >= 500:  # noqa: PLR2004 - ours to repair: the reaper tries again
            held.release()
            raise
        work.fail(error)
    remove_dead_blobs(tenant_id, job=ingest_id)


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
        assert ingest.seed is not None
        seed = SecretKey(open_column("ingest-seed", ingest.pk.bytes, bytes(ingest.seed)))
        parts = list(Blob.objects.filter(job=ingest.pk, kind="part").order_by("sequence"))
        return cls(ingest=ingest, claim=held, keys=load_keys(ingest.dataset_id), seed=seed, parts=parts)

    def run(self) -> None:
        """Scan, then build on the branch's head until it has not moved in the meantime."""
        progress = Progress.of(self.ingest.checkpoint)
        if self.ingest.checkpoint.get("stage") != "build":
            scan = Scan(self.ingest, self.claim, self.keys, progress)
            if not scan.run(self.parts, deadline=time.monotonic() + TURN_SECONDS):
                self.claim.give_turn_back(self.ingest)
                return
            if not progress.records:
                raise EmptyUpload
        self.ingest.checkpoint = progress.as_checkpoint("build")
        runs = Runs(self.keys, tuple(self._runs(progress)))
        check_unique(runs)
        if not self._may_build():
            self.claim.release()
            return
        while not self._build(runs):
            logger.info("ingest %s: the branch moved, building again", self.ingest.pk)

    def _runs(self, progress: Progress) -> list[Blob]:
        with self.claim.scope():
            found = {str(blob.pk): blob for blob in Blob.objects.filter(pk__in=progress.runs)}
        return [found[name] for name in progress.runs]

    def _may_build(self) -> bool:
        """One build at a time in a dataset: two could only race for the same branch."""
        with self.claim.scope():
            Dataset.objects.select_for_update().get(pk=self.ingest.dataset_id)
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
            parent = self._head()
        writer = PackWriter(self.keys, claim=self.claim, detector=detector_hash())
        built = build_tree(self.ingest, runs, parent, seed=self.seed, writer=writer, beat=self._beat())
        return commit_version(self.ingest, self.claim, parent, built, self.seed) is not None

    def _head(self) -> Version | None:
        branch = Branch.objects.select_related("head").filter(dataset_id=self.ingest.dataset_id)
        found = branch.filter(name=self.ingest.branch).first()
        return found.head if found else None

    def _beat(self) -> Callable[[], None]:
        return Pulse(self.claim, progress=self._progress("build"))

    def _progress(self, stage: str) -> dict[str, object]:
        return {"stage": stage, "records": self.ingest.checkpoint.get("records", 0)}

    def fail(self, error: VaultError) -> None:
        """End the ingest with ``error``; nothing of it stays but its row and its report of rejected lines."""
        with self.claim.scope():
            self.ingest.refresh_from_db(fields=["checkpoint"])
            discard(self.ingest)
            self.claim.fail(error, seed=None)
            dataset = Dataset.objects.get(pk=self.ingest.dataset_id)
            emit(
                Event(
                    type=EventType.INGEST_FAILED,
                    operation="write",
                    status="failure",
                    severity="warning",
                    resource=resource_of(dataset),
                    purpose=self.ingest.purpose,
                    failure_reason=error.code,
                    metadata={"ingest": str(self.ingest.pk), "requested_by": str(self.ingest.requested_by)},
                )
            )
