"""Sorted runs of an ingest, read back as one stream in order of id."""

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter
from typing import Final, TypeAlias
from uuid import UUID

from datasets.errors import DuplicateRecordId
from datasets.models import Blob, BlobKind
from datasets.services.ingest.entries import Entry, pack_entries, unpack_entries
from datasets.services.keys import DatasetKeys
from datasets.services.temporary import read_frames, write_temporary

_by_id = attrgetter("id")


#: A sorted run: one blob, or several that follow each other.
Run: TypeAlias = tuple[Blob, ...]

#: Runs read side by side, each through buffers of its own; more are merged in levels first.
MAX_OPEN_RUNS: Final = 64
#: Bytes of entries in one blob of a merged run: what a merge holds in memory.
SEGMENT_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class Runs:
    """The scanned records of an upload; every iteration reads the sealed runs anew."""

    keys: DatasetKeys
    runs: tuple[Run, ...]

    def __iter__(self) -> Iterator[Entry]:
        return heapq.merge(*map(self._entries, self.runs), key=_by_id)

    def _entries(self, run: Run) -> Iterator[Entry]:
        frames = chain.from_iterable(read_frames(self.keys, blob) for blob in run)
        return chain.from_iterable(map(unpack_entries, frames))


def merge_runs(keys: DatasetKeys, runs: Sequence[Run], *, job: UUID, beat: Callable[[], None]) -> Run:
    """One run with the entries of all of these, written as sealed blobs of ``job``; ``beat`` is called before each."""
    written: list[Blob] = []
    frames = pack_entries(Runs(keys, tuple(runs)))
    while segment := list(_segment(frames)):
        beat()
        blob = write_temporary(keys, kind=BlobKind.RUN, job=job, sequence=len(written) + 1, frames=segment)
        written.append(blob)
    return tuple(written)


def _segment(frames: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for frame in frames:
        yield frame
        size += len(frame)
        if size >= SEGMENT_BYTES:
            return


def check_unique(entries: Iterable[Entry]) -> None:
    """Raises DuplicateRecordId, naming both lines, when one id occurs twice."""
    for _, same in groupby(entries, key=_by_id):
        first, *others = sorted(entry.line for entry in same)
        if others:
            raise DuplicateRecordId(first_line=first, line=others[0])
