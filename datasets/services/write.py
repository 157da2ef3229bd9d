"""The write path: authorize -> validate -> detect -> encrypt -> store -> index -> emit.

``begin_ingest`` and ``finish_receiving`` run in the request, ``run_ingest`` in a worker. No flag skips a step.
"""

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from access.services.authorize import authorize
from access.services.idempotency import Attempt, begin_attempt, freed_on_failure, store_answer
from access.services.keyring import seal_column
from datasets.errors import DatasetNotFound, VersionLabelTaken
from datasets.models import (
    Blob,
    BlobState,
    Dataset,
    IdMode,
    Ingest,
    IngestFormat,
    IngestMode,
    OnError,
    RecordShape,
    Version,
)
from datasets.selectors import get_dataset, resource_of
from datasets.services.branches import DEFAULT_BRANCH, require_writable
from datasets.services.descriptions import refuse_personal_data
from datasets.services.ingest.commit import new_seed
from datasets.services.ingest.options import check_options
from datasets.services.ingest.receive import Received, receive_parts
from datasets.services.ingest.work import Work, fail_ingest
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.preconditions import before
from datasets.services.quotas import require_upload_room
from datasets.services.sweep import remove_dead_blobs
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.turn import take_turn


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
    branch: str = DEFAULT_BRANCH
    key: str = ""
    id_mode: IdMode = IdMode.PLAIN
    shape: RecordShape = RecordShape.ANY


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
    ContradictoryOptions, FormatUnavailable, VersionLabelTaken, RequestInFlight, DatasetArchived, BranchNotFound,
    BranchProtected, QuotaExceeded.
    """
    dataset = get_dataset(principal, dataset_id, action="record.write")
    decision = authorize(principal, "record.write", resource_of(dataset))
    refuse_personal_data(message=options.message, id_field=options.id_field, key=options.key)
    check_options(
        form=options.format,
        id_field=options.id_field,
        id_mode=options.id_mode,
        key=options.key,
        envelope=options.envelope,
    )
    attempt = begin_attempt(principal, route=f"POST data {dataset.pk}", key=key) if key else None
    is_new = attempt is None or not attempt.is_repetition
    if is_new:
        require_writable(dataset, options.branch)
        require_upload_room(adds_records=options.mode == IngestMode.APPEND)
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
    with freed_on_failure(principal, upload.attempt), _removed_on_failure(principal, upload.job):
        received = receive_parts(upload.keys, upload.job, counted)
        with tenant_scope(principal.tenant_id, principal):
            _require_dataset(upload.dataset_id)
            ingest = _new_ingest(principal, upload, received)
            ingest.save(force_insert=True)
            if upload.attempt is not None:
                store_answer(upload.attempt, fingerprint=counted.digest(), answer={"ingest": str(ingest.pk)})
            enqueue(ingest)
    return ingest


def _require_dataset(dataset_id: UUID) -> None:
    """The dataset must have outlived the upload; raises DatasetNotFound, DatasetArchived. It stays so in the scope."""
    held = Dataset.objects.select_for_update(no_key=True).filter(pk=dataset_id).first()
    if held is None:
        raise DatasetNotFound
    before("write", held)


@contextmanager
def _removed_on_failure(principal: Principal, job: UUID) -> Iterator[None]:
    """The parts of an upload that breaks off, whatever breaks it, are removed; what this misses the sweep finds."""
    try:
        yield
    except BaseException:
        with suppress(VaultError, DatabaseError, OSError), tenant_scope(principal.tenant_id, principal):
            Blob.objects.filter(job=job).update(state=BlobState.DEAD)
        with suppress(VaultError, DatabaseError, OSError):
            remove_dead_blobs(principal.tenant_id, job=job)
        raise


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
        branch=options.branch,
        format=options.format,
        mode=options.mode,
        on_error=options.on_error,
        id_field=options.id_field,
        id_mode=options.id_mode,
        key=options.key,
        shape=options.shape,
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
    take_turn(Ingest, tenant_id, ingest_id, lambda ingest, held: Work.open(ingest, held).run(), fail=fail_ingest)
    remove_dead_blobs(tenant_id, job=ingest_id)
