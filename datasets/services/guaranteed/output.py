"""The released rows as files: fresh random ids in shuffled order, part by part."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np

from anonymization.guarantees.table import Ids, Recoding
from datasets.formats.write_columns import Columns, ColumnType
from datasets.formats.write_jsonl import row_line
from datasets.models import ExportFormat
from datasets.passport.rows import RowTree, row_leaf
from datasets.services.exports.encode import Encoder
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.parts import SLOTS, write_part
from datasets.services.guaranteed.columns import Spooled
from datasets.services.guaranteed.options import ROW_ID, GuaranteedOptions, Role
from datasets.services.keys import DatasetKeys
from datasets.tree.digests import keyed_digest
from vaultsite.kernel.crypto.keys import SecretKey

PART_ROWS: Final = 50_000


@dataclass
class WrittenTable:
    """One file so far: the numbers of its parts and the tree of its rows."""

    name: str
    sequences: list[int] = field(default_factory=list)
    tree: RowTree = field(default_factory=RowTree)


class Output:
    """The released rows of a recoded table. ``order`` names them by their place in the spool, as they are written."""

    def __init__(self, options: GuaranteedOptions, spooled: Spooled, recoding: Recoding, seed: SecretKey) -> None:
        self._options, self._recoding = options, recoding
        self._coded = [
            (column, coded.as_codes()) for column, coded in zip(options.columns, spooled.columns, strict=True)
        ]
        self._values = {
            column.name: coded.values()
            for column, coded in zip(options.columns, spooled.columns, strict=True)
            if column.is_released and column.role is not Role.QUASI
        }
        self._fresh = keyed_digest(seed.derive(b"export ids"))
        self.salt = seed.derive(b"export rows").reveal()
        self.order = self._shuffled()
        self.types = self._types()
        self.encoder = Encoder(ExportOptions(format=ExportFormat(options.format)), self.types)

    def _shuffled(self) -> Ids:
        released = np.flatnonzero(self._recoding.classes >= 0)
        ids = np.array([self._id(row) for row in released.tolist()], dtype="S16")
        return np.asarray(released[np.argsort(ids, kind="stable")], np.int64)

    def _id(self, row: int) -> bytes:
        return self._fresh(row.to_bytes(8, "big"))

    def _types(self) -> dict[str, ColumnType]:
        """Labels are texts; every other column is as its released values are."""
        seen = Columns()
        for column, codes in self._coded:
            if column.name in self._values:
                values = self._values[column.name]
                for code in np.unique(codes[self.order]).tolist():
                    seen.see({column.name: values[code]})
        found = seen.types()
        types = {ROW_ID: ColumnType.STRING}
        for column in self._options.released:
            types[column.name] = (
                ColumnType.STRING if column.role is Role.QUASI else found.get(column.name, ColumnType.STRING)
            )
        return types

    def rows(self, places: Sequence[int]) -> Iterator[dict[str, Any]]:
        """The rows at those places of the spool."""
        recoding = self._recoding
        for row in places:
            members: dict[str, Any] = {ROW_ID: self._id(row).hex()}
            shown = iter(recoding.shown(int(recoding.classes[row])))
            for column, codes in self._coded:
                if column.role is Role.QUASI:
                    members[column.name] = next(shown)
                elif column.is_released:
                    members[column.name] = self._values[column.name][codes[row]]
            yield members

    def write(self, keys: DatasetKeys, export_id: UUID) -> list[WrittenTable]:
        """Seal all rows. Equal seeds and tables give equal bytes. Raises JobFenced."""
        files: list[WrittenTable] = []
        order = self.order.tolist()
        for number, start in enumerate(range(0, max(len(order), 1), PART_ROWS), start=1):
            rows = list(self.rows(order[start : start + PART_ROWS]))
            is_first = self.encoder.is_split_in_files or not files
            if is_first:
                files.append(WrittenTable(self.encoder.file_name("", number)))
            for row in rows:
                files[-1].tree.add(row_leaf(self.salt, files[-1].tree.count, row_line(row)[:-1]))
            body = self.encoder.part(rows, is_first=is_first)
            sequence = number * SLOTS
            write_part(keys, export_id, sequence=sequence, body=body, is_packed=self.encoder.is_packed_at_rest)
            files[-1].sequences.append(sequence)
        return files
