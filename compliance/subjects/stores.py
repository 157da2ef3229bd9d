"""Every store that a search reads, in its order: one table."""

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple
from uuid import UUID

from compliance.models import SubjectStore
from datasets.services.holdings.chunks import read_chunks
from datasets.services.holdings.files import read_rejects, read_uploads
from datasets.services.holdings.piece import Block
from datasets.services.holdings.rows import (
    read_cases,
    read_feedback,
    read_quarantined,
    read_resolutions,
    read_staged,
)
from datasets.services.holdings.texts import COLUMNS, TextColumn, read_texts
from datasets.services.pack_reader import PackReader


class Reading(NamedTuple):
    """One kind of thing of a dataset: the store it counts as, how it is read, and its place within the store."""

    store: SubjectStore
    read: Callable[[PackReader, UUID | None], Iterator[Block]]
    place: str = ""


def _words(column: TextColumn) -> Reading:
    return Reading(SubjectStore.TEXT, lambda reader, after: read_texts(reader, column, after), column.place)


READINGS: Final = (
    Reading(SubjectStore.RECORD, read_chunks),
    Reading(SubjectStore.DRAFT, read_staged),
    Reading(SubjectStore.QUARANTINE, read_quarantined),
    Reading(SubjectStore.RESOLUTION, read_resolutions),
    Reading(SubjectStore.FEEDBACK, read_feedback, "feedback"),
    Reading(SubjectStore.FEEDBACK, read_cases, "case"),
    Reading(SubjectStore.REJECTS, read_rejects),
    Reading(SubjectStore.UPLOAD, read_uploads),
    *map(_words, COLUMNS),
)
