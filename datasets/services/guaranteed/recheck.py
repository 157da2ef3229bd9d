"""Released files are opened again and their rows held against the guarantee, by a check that knows only texts."""

from collections.abc import Sequence
from typing import Any

import orjson

from anonymization.guarantees.errors import GuaranteeBroken
from anonymization.guarantees.verify import Attribute, Check
from datasets.formats.write_columns import ColumnType
from datasets.formats.write_csv import cell
from datasets.models import ExportFormat
from datasets.services.exports.parts import StoredFile, read_file
from datasets.services.guaranteed.columns import Spooled
from datasets.services.guaranteed.options import ROW_ID, GuaranteedOptions, Role
from datasets.services.guaranteed.output import Output
from datasets.services.guaranteed.read_back import rows_of
from datasets.services.keys import DatasetKeys


def check_files(
    keys: DatasetKeys,
    files: Sequence[StoredFile],
    options: GuaranteedOptions,
    spooled: Spooled,
    output: Output,
) -> None:
    """Read every row back and count again. Raises GuaranteeBroken, BlobMissing, IntegrityFailure."""
    names = [column.name for column in options.released]
    quasi = [column.name for column in options.of_role(Role.QUASI)]
    sensitive = [column.name for column in options.of_role(Role.SENSITIVE)]
    check = Check(options.guarantee, [_attribute(one, options, spooled, output) for one in sensitive])
    # Whom each row is about, in the order they are written; nothing of that stands in the files.
    subjects = None if options.subject is None else spooled.whose.as_codes()[output.order].tolist()
    ids: set[str] = set()
    for file in files:
        body = b"".join(read_file(keys, file))
        for row in rows_of(body, options.format):
            if list(row) != sorted([ROW_ID, *names]) and list(row) != [ROW_ID, *names]:
                raise GuaranteeBroken(part="columns")
            whose = None if subjects is None else subjects[len(ids)]
            ids.add(row[ROW_ID])
            check.add(tuple(row[name] for name in quasi), whose, [_key(row[name]) for name in sensitive])
    if len(ids) != len(output.order) or check.rows != len(ids):
        raise GuaranteeBroken(part="rows")
    check.finish()


def _attribute(name: str, options: GuaranteedOptions, spooled: Spooled, output: Output) -> Attribute:
    for column, coded in zip(options.columns, spooled.columns, strict=True):
        if column.name == name and column.is_ordered:
            values = coded.values()
            if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
                return Attribute(order=[_written(value, options, output.types[name]) for value in sorted(values)])
    return Attribute()


def _written(value: Any, options: GuaranteedOptions, kind: ColumnType) -> str:
    """How a sensitive value reads when it comes back."""
    if options.format is ExportFormat.CSV:
        return _key(cell(value))
    return _key(float(value) if options.format is ExportFormat.PARQUET and kind is ColumnType.DOUBLE else value)


def _key(value: Any) -> str:
    return orjson.dumps(value).decode()
