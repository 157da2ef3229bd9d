"""Rules of written files."""

import csv
import io

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.formats.write_columns import Columns, ColumnType
from datasets.formats.write_csv import FORMULA_STARTS, CsvTable, cell, escaped
from datasets.formats.write_jsonl import JsonLines

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM",
        "\u22121",
        " =1+1",
        "\ufeff=1+1",
        "\u200b=1",
        "\u00a0=cmd|' /C calc'!A0",
    ],
)
def test_what_a_spreadsheet_would_run_is_escaped(text):
    assert escaped(text) == f"'{text}"
    table = CsvTable([text])
    header, row = csv.reader(io.StringIO((table.opening() + table.rows([{text: text}])).decode(), newline=""))
    assert (header, row) == ([f"'{text}"], [f"'{text}"])


@pytest.mark.parametrize("text", ["", "plain", "a=1", "1-1", "mail@example.com", "'=1", "#1", "a\n=1"])
def test_what_it_would_not_run_stays(text):
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (-5, "-5"),
        (1.5, "1.5"),
        (True, "true"),
        ({"b": "=1", "a": [None]}, '{"a":[null],"b":"=1"}'),
        ([], "[]"),
    ],
)
def test_values_that_are_no_text_are_json(value, shown):
    assert cell(value) == shown


@given(st.lists(st.tuples(TEXT, TEXT), max_size=10), st.booleans())
def test_a_csv_file_reads_back_as_it_was_written(rows, marked):
    table = CsvTable(["a", "b"], byte_order_mark=marked)
    body = table.opening() + table.rows({"a": a, "b": b} for a, b in rows)
    text = body.decode("utf-8-sig" if marked else "utf-8")
    assert body.startswith(b"\xef\xbb\xbf") == marked
    read = list(csv.reader(io.StringIO(text, newline="")))
    assert read == [["a", "b"], *([escaped(a), escaped(b)] for a, b in rows)]
    assert all(not value or value[0] not in FORMULA_STARTS for row in read for value in row)


def test_a_row_without_values_is_still_a_row():
    table = CsvTable(["only"])
    assert list(csv.reader(io.StringIO(table.rows([{}, {"only": None}]).decode()))) == [[""], [""]]


def test_json_lines_are_canonical():
    assert JsonLines().rows([{"b": 1, "a": "é\n"}, {}]) == '{"a":"é\\n","b":1}\n{}\n'.encode()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "string"),
        ([None], "string"),
        (["x", None], "string"),
        ([1, 2], "int64"),
        ([1, 2**60], "int64"),
        ([1, 2**63], "json"),
        ([1.5], "double"),
        ([1, 1.5], "double"),
        ([2**60, 1.5], "json"),
        ([True, None], "bool"),
        ([True, 1], "json"),
        (["x", 1], "json"),
        ([{}], "json"),
        ([[1]], "json"),
    ],
)
def test_a_column_has_the_plainest_type_that_keeps_every_value(values, kind):
    columns = Columns()
    for value in values or [None]:
        columns.see({"x": value})
    assert columns.types() == {"x": ColumnType(kind)}


def test_parquet_keeps_every_value_exactly():
    pq = pytest.importorskip("pyarrow.parquet")
    from datasets.formats.write_parquet import ParquetFiles

    rows = [{"i": 2**60, "f": 0.1, "b": True, "s": "é", "j": {"k": [1, None]}}, {"i": -1}, {}]
    columns = Columns()
    for row in rows:
        columns.see(row)
    writer = ParquetFiles(columns.types())
    table = pq.read_table(io.BytesIO(writer.rows(rows)))
    found = table.to_pylist()
    assert orjson.loads(found[0].pop("j")) == rows[0].pop("j")
    assert [{name: value for name, value in row.items() if value is not None} for row in found] == rows
    assert table.schema.field("j").metadata == {b"content": b"json"}
    assert writer.rows(rows) == writer.rows(rows)
    assert pq.read_table(io.BytesIO(writer.rows([]))).num_rows == 0
