"""Turn rows into parts of files: in their order, with their leaves in the row trees."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from uuid import UUID

from datasets.models import Blob
from datasets.passport.rows import row_leaf
from datasets.services.exports.encode import Encoder
from datasets.services.exports.parts import SLOTS, write_part
from datasets.services.exports.progress import Pick, Progress, WrittenFile
from datasets.services.exports.rows import Row
from datasets.services.exports.selection import place_of
from datasets.services.keys import DatasetKeys


@dataclass
class Collector:
    """Writes the parts of one export. ``names`` are its splits ("" for none); ``is_raw`` keeps rows in their order."""

    export_id: UUID
    keys: DatasetKeys
    encoder: Encoder
    progress: Progress
    names: Sequence[str]
    salt: bytes
    is_raw: bool

    def write(self, rows: Sequence[Row]) -> None:
        """One part for each split that has rows; progress counts them once they are durable."""
        number = self.progress.number + 1
        for index, name in enumerate(self.names):
            mine = [row for row in rows if row.part == name]
            if mine:
                self._write_file(mine, name, index, number)
        self.progress.number = number

    def write_empty(self) -> None:
        """Splits that got no row have a file too: one that says so."""
        number = self.progress.number + 1
        for index, name in enumerate(self.names):
            if not any(file.part == name for file in self.progress.files):
                self._write_file([], name, index, number)
        self.progress.number = number

    def _write_file(self, rows: list[Row], name: str, index: int, number: int) -> None:
        if not self.is_raw:
            rows.sort(key=attrgetter("order"))
        file, is_first = self._file(name, index, number)
        for row in rows:
            if self.is_raw:
                place = place_of("proof", str(self.export_id), row.source_id)
                self.progress.pick(Pick(place, file.name, file.tree.count, row.source_id))
            file.tree.add(row_leaf(self.salt, file.tree.count, row.line))
        body = self.encoder.part([row.members for row in rows], is_first=is_first)
        if body:
            self._store(body, number * SLOTS + index)
        self.progress.size += len(body)

    def _store(self, body: bytes, sequence: int) -> Blob:
        is_packed = self.encoder.is_packed_at_rest
        return write_part(self.keys, self.export_id, sequence=sequence, body=body, is_packed=is_packed)

    def _file(self, name: str, index: int, number: int) -> tuple[WrittenFile, bool]:
        """The file that takes the next rows of a split, and whether it begins with them."""
        if not self.encoder.is_split_in_files:
            for file in self.progress.files:
                if file.part == name:
                    return file, False
        sequence = number * SLOTS + index if self.encoder.is_split_in_files else None
        file = WrittenFile(self.encoder.file_name(name, number), name, index, sequence=sequence)
        self.progress.files.append(file)
        return file, True
