"""Rows on their way, sealed batch by batch under the key of analytics, so that no worker starts again from nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

import orjson

from access.services.keyring import KeyPurpose, current_key
from datasets.models import Blob, BlobKind, BlobState
from datasets.services.guaranteed.view import Cell
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.temporary import read_frames, write_temporary
from vaultsite.kernel.errors import BlobMissing
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_FRAME_ROWS: Final = 2_000


def analytics_keys(dataset_id: UUID) -> DatasetKeys:
    """Keys that seal what is made for analytics: a domain of its own, none of it opens with the dataset's data key.

    In the open scope; the key is made at its first use and goes with the dataset's other keys.
    """
    handle = current_key(KeyPurpose.ANALYTICS, dataset_id)
    return replace(load_keys(dataset_id), key_id=handle.id, _data={handle.id: handle.key})


def write_batch(keys: DatasetKeys, job: UUID, number: int, rows: Sequence[Sequence[Cell]]) -> None:
    """Seal a batch. Raises JobFenced."""
    frames = (orjson.dumps(rows[start : start + _FRAME_ROWS]) for start in range(0, len(rows), _FRAME_ROWS))
    write_temporary(keys, kind=BlobKind.RUN, job=job, sequence=number, frames=frames)


def drop_beyond(job: UUID, number: int) -> None:
    """In the open scope: batches after the last checkpoint are written again."""
    Blob.objects.filter(job=job, kind=BlobKind.RUN, sequence__gt=number).update(state=BlobState.DEAD)


def read_batches(keys: DatasetKeys, job: UUID, number: int) -> Iterator[list[Cell]]:
    """The rows of batches 1 to ``number``, in order. Needs no open scope. Raises BlobMissing, IntegrityFailure."""
    with tenant_scope(keys.tenant_id, Principal.system(keys.tenant_id)):
        found = Blob.objects.filter(job=job, kind=BlobKind.RUN, state=BlobState.SEALED).order_by("pk")
        # A worker that lost its claim may have written a batch once more: equal numbers hold equal rows.
        blobs = {blob.sequence: blob for blob in found}
    for sequence in range(1, number + 1):
        if sequence not in blobs:
            raise BlobMissing("A batch of rows is gone")
        for frame in read_frames(keys, blobs[sequence]):
            yield from orjson.loads(frame)
