"""Sorted runs of an ingest, read back as one stream in order of id."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from operator import attrgetter

from datasets.errors import DuplicateRecordId
from datasets.models import Blob
from datasets.services.ingest.entries import Entry, unpack_entries
from datasets.services.keys import DatasetKeys
from datasets.services.temporary import read_frames

_by_id = attrgetter("id")


@dataclass(frozen=True)
class Runs:
    """The scanned records of an upload; every iteration reads the sealed runs anew."""

    keys: DatasetKeys
    blobs: tuple[Blob, ...]

    def __iter__(self) -> Iterator[Entry]:
        return heapq.merge(*map(self._entries, self.blobs), key=_by_id)

    def _entries(self, blob: Blob) -> Iterator[Entry]:
        return chain.from_iterable(map(unpack_entries, read_frames(self.keys, blob)))


def check_unique(entries: Iterable[Entry]) -> None:
    """Raises DuplicateRecordId, naming both lines, when one id occurs twice."""
    for _, same in groupby(entries, key=_by_id):
        first, *others = sorted(entry.line for entry in same)
        if others:
            raise DuplicateRecordId(first_line=first, line=others[0])
