import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.errors import InvalidHeader
from datasets.formats.csv import read_csv
from datasets.formats.ids import IdRule
from datasets.formats.rows import RawRecord, Rejected


def read(text, **options):
    return list(read_csv([text], **options))


def test_rows_become_records_of_strings():
    first, second = read(b"id,question,n\r\n1,why?,2\r\nx-2,,\r\n")
    assert first == RawRecord(
        2, "1", {"id": "1", "question": "why?", "n": "2"}, {}, b'{"id":"1","n":"2","question":"why?"}'
    )
    assert (second.line, second.id, second.data) == (3, "x-2", {"id": "x-2", "question": "", "n": ""})


def test_quoted_fields_hold_delimiters_quotes_and_line_ends():
    records = read(b'a,b\n"x, ""y""","two\r\nlines"\n\n"",3\n')
    assert [(record.line, record.data) for record in records] == [
        (2, {"a": 'x, "y"', "b": "two\r\nlines"}),
        (5, {"a": "", "b": "3"}),
    ]


fields = st.text(alphabet='ab",\n é;', max_size=6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(fields, fields, fields), max_size=6), st.sampled_from([",", ";"]), st.integers(1, 9))
def test_what_the_standard_library_writes_is_read_back(rows, delimiter, size):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["p", "q", "r"])
    writer.writerows(rows)
    encoded = out.getvalue().encode()
    blocks = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    records = list(read_csv(blocks, delimiter=delimiter, ids=IdRule(None)))
    assert [tuple(record.data.values()) for record in records] == rows


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1", "ragged-row"),
        (b"1,2,3", "ragged-row"),
        (b'1,5" disk', "stray-quote"),
        (b'"1"x,2', "stray-quote"),
        (b"1,\xff", "not-utf-8"),
        (b"1,\0", "nul-byte"),
        (b"1," + b"y" * 300, "record-too-long"),
        (b'1,"' + b"y\n" * 150 + b'"', "record-too-long"),
    ],
)
def test_a_bad_row_is_named_by_the_line_where_it_starts(row, reason):
    items = read(b'a,b\n1,"two\nlines"\n' + row + b"\n7,8\n", max_record_bytes=200)
    rejected = next(item for item in items if isinstance(item, Rejected))
    assert (rejected.line, rejected.reason, rejected.error.line) == (4, reason, 4)
    assert rejected.raw.startswith(row[:100])
    if reason != "record-too-long":
        assert items[-1].data == {"a": "7", "b": "8"}


def test_a_quote_left_open_is_refused_where_it_opened():
    items = read(b'a,b\n1,2\n3,"open\nand on\n')
    assert [(item.line, getattr(item, "reason", None)) for item in items] == [(2, None), (3, "open-quote")]
    assert items[1].raw == b'3,"open\nand on'


def test_a_line_that_is_not_text_ends_the_open_row():
    items = read(b'a,b\n1,"open\n\xff"\n3,4\n')
    assert [(item.line, getattr(item, "reason", None)) for item in items] == [(2, "not-utf-8"), (4, None)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "empty-file"),
        (b"\n\n", "empty-file"),
        (b"a,,b\n", "empty-name"),
        (b"a,b,a\n", "duplicate-name"),
        (b'a,"b\n', "unreadable"),
        (b"a,\xff\n", "unreadable"),
    ],
)
def test_a_header_must_name_every_column_once(text, reason):
    with pytest.raises(InvalidHeader) as caught:
        read(text)
    assert caught.value.reason == reason


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert read(b"\xef\xbb\xbfid,a\n5,6\n")[0].id == "5"


def test_personal_ids_are_refused_in_csv_too():
    rejected, record = read(b"id,a\njane@example.com,1\nok,2\n")
    assert (rejected.line, rejected.reason, record.id) == (2, "id-email", "ok")


def test_an_odd_delimiter_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="delimiter"):
        read(b"a\n", delimiter='"')
