"""What people wrote about datasets: names, tags, descriptions, messages and reasons, kept in the clear."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db.models import Model

from datasets.models import (
    Branch,
    Dataset,
    DatasetTag,
    Draft,
    Erasure,
    Ingest,
    Merge,
    MergeRequest,
    MergeReview,
    Publication,
    QuarantinedRecord,
    Version,
    VersionQuarantine,
    VersionTag,
)
from datasets.services.holdings.piece import Block, Piece
from datasets.services.pack_reader import PackReader

ERASED: Final = "[erased]"


@dataclass(frozen=True)
class TextColumn:
    """One column with words of people. ``is_erasable``: nothing is proved by it and it may be changed."""

    model: type[Model]
    field: str
    by: str = "dataset_id"
    is_erasable: bool = True

    @property
    def place(self) -> str:
        return f"{self.model._meta.model_name}.{self.field}"  # noqa: SLF001 - Django's documented name for it


COLUMNS: Final = (
    TextColumn(Dataset, "name", by="pk", is_erasable=False),
    TextColumn(Dataset, "description", by="pk"),
    TextColumn(DatasetTag, "tag", is_erasable=False),
    TextColumn(Version, "message", is_erasable=False),
    TextColumn(VersionTag, "name", is_erasable=False),
    TextColumn(VersionTag, "message"),
    TextColumn(Branch, "name", is_erasable=False),
    TextColumn(Draft, "description"),
    TextColumn(MergeRequest, "title"),
    TextColumn(MergeRequest, "description"),
    TextColumn(MergeReview, "comment", by="request__dataset_id", is_erasable=False),
    TextColumn(Ingest, "message"),
    TextColumn(Publication, "message"),
    TextColumn(Merge, "message"),
    TextColumn(Erasure, "reason"),
    TextColumn(VersionQuarantine, "reason"),
    TextColumn(VersionQuarantine, "release_reason"),
    TextColumn(QuarantinedRecord, "reason"),
)
_BY_PLACE: Final = {column.place: column for column in COLUMNS}


def read_texts(reader: PackReader, column: TextColumn, after: UUID | None) -> Iterator[Block]:
    """The words of one column, a dataset's together; ids of different tables are in no order, so it is one block."""
    rows: Any = column.model._default_manager.filter(**{column.by: reader.keys.dataset_id})  # noqa: SLF001
    with reader.scope():
        found = rows.exclude(**{column.field: ""}).order_by("pk").values_list("pk", column.field)
        pieces = [Piece(pk, "", text.encode()) for pk, text in found if after is None or pk > after]
    if pieces:
        yield Block(pieces[-1].object_id, pieces)


def blank_text(place: str, object_id: UUID) -> bool:
    """Put ``[erased]`` in the place of what somebody wrote, in the open scope.

    False where nothing may be put there: names that others refer to, and what a version's id commits to.
    """
    column = _BY_PLACE[place]
    if not column.is_erasable:
        return False
    rows: Any = column.model._default_manager.filter(pk=object_id)  # noqa: SLF001
    return bool(rows.update(**{column.field: ERASED}))
