"""Send a file into a dataset and see its ingest through, as a client of the write path does."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final
from uuid import UUID

from django.db import connections

from datasets.models import Ingest
from datasets.services.write import UploadOptions, begin_ingest, finish_receiving, run_ingest
from vaultsite.celery import app
from vaultsite.kernel.jobs import FINAL, JobStatus
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_BLOCK_BYTES: Final = 256 * 1024
_POLL_SECONDS: Final = 0.2
#: A worker that answers but does not begin for this long has other things to do: the caller begins.
_PATIENCE_SECONDS: Final = 15.0

#: Called with the stage an ingest is in and the number of records scanned so far.
Progress = Callable[[str, int], None]


def send_file(principal: Principal, dataset_id: UUID, blocks: Iterator[bytes], options: UploadOptions) -> Ingest:
    """Upload ``blocks`` as ``principal``; the ingest is queued. Raises what the write path raises."""
    with tenant_scope(principal.tenant_id, principal):
        upload = begin_ingest(principal, dataset_id=dataset_id, options=options)
    return finish_receiving(principal, upload, blocks)


def file_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file in blocks."""
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            yield block


def complete(tenant_id: UUID, ingest_id: UUID, told: Progress) -> Ingest:
    """Wait until the ingest is final and return it; does the work here, in a thread, when no worker does it."""
    patience = _PATIENCE_SECONDS if app.control.ping(timeout=0.5, limit=1) else 0.0
    queued_since = time.monotonic()
    with ThreadPoolExecutor(1) as threads:
        own: Future[None] | None = None
        while True:
            ingest = _state(tenant_id, ingest_id)
            told(str(ingest.progress.get("stage", ingest.status)), int(ingest.progress.get("records", 0)))
            if ingest.status in FINAL:
                return ingest
            if ingest.status != JobStatus.QUEUED:
                queued_since = time.monotonic()
            if own is not None and own.done():
                own = own.result()  # raises what stopped the work
            # The claim inside refuses while a worker holds the job, so this never does a thing twice.
            if own is None and time.monotonic() - queued_since >= patience:
                own = threads.submit(_work, tenant_id, ingest_id)
            time.sleep(_POLL_SECONDS)


def _work(tenant_id: UUID, ingest_id: UUID) -> None:
    try:
        run_ingest(tenant_id, ingest_id)
    finally:
        connections.close_all()


def _state(tenant_id: UUID, ingest_id: UUID) -> Ingest:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        return Ingest.objects.select_related("version", "dataset").get(pk=ingest_id)
