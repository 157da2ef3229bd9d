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


def shown(items):
    return [(item.line, item.reason if isinstance(item, Rejected) else item.data["b"]) for item in items]


@pytest.mark.parametrize(
    "row",
    [
        b'1,"' + b"y" * 190 + b'\n7,8\n7,8\nlast"',  # grows too long over lines
        b'1,"' + b"y" * 300 + b'\n7,8\nlast"',  # a line too long for itself, and then on
        b'1,"a\n' + b"y" * 300 + b'\n7,8\nlast"',
        b'1,"a\n' + b"y" * 300 + b'"',
        b'1,"\xff\n7,8\nlast"',
        b'1,"a\n\xff\n7,8\n"',
        b'1,"a\n\xff""\n7,8\n"',
        b'"1"x,"2\n7,8\n"',  # a quote out of place, then a field that goes on
        b'1,"2\n7,8\n"x',
        b'1,"2","3\n7,8\n"',  # ragged
    ],
)
def test_nothing_inside_a_refused_row_is_read_as_rows(row):
    items = read(b"a,b\n1,2\n" + row + b"\n9,good\n", max_record_bytes=200)
    assert [shown(items)[index] for index in (0, -1)] == [(2, "2"), (3 + row.count(b"\n") + 1, "good")]
    assert len(items) == 3
    assert items[1].line == 3
    assert isinstance(items[1], Rejected)


def test_a_refused_row_whose_field_never_ends_is_said_to_swallow_the_rest():
    items = read(b'a,b\n1,"' + b"y" * 300 + b"\n7,8\n", max_record_bytes=200)
    assert shown(items) == [(2, "record-too-long"), (2, "open-quote")]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("good"), st.lists(fields, min_size=2, max_size=2)),
            st.tuples(st.just("ragged"), st.lists(fields, min_size=3, max_size=4)),
            st.tuples(st.just("long"), st.tuples(fields, st.text(alphabet='ab",\n', min_size=60, max_size=90))),
        ),
        max_size=8,
    ),
    st.integers(1, 40),
)
def test_in_a_file_by_the_rules_every_good_row_survives_its_neighbours(rows, size):
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([["p", "q"], *(row for _, row in rows)])
    encoded = out.getvalue().encode()
    blocks = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    items = list(read_csv(blocks, ids=IdRule(None), max_record_bytes=56))
    read_back = [list(item.data.values()) for item in items if isinstance(item, RawRecord)]
    assert read_back == [list(row) for kind, row in rows if kind == "good"]
    assert len(items) == len(rows)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(1, 9))
def test_no_bytes_make_the_reader_fail_in_another_way(text, size):
    file = b"a,b\n" + text
    for item in read_csv([file[at : at + size] for at in range(0, len(file), size)], max_record_bytes=20):
        assert item.line >= 2


def test_a_byte_order_mark_is_no_part_of_the_first_name():
    assert read(b"\xef\xbb\xbfid,a\n5,6\n")[0].id == "5"


def test_personal_ids_are_refused_in_csv_too():
    rejected, record = read(b"id,a\njane@example.com,1\nok,2\n")
    assert (rejected.line, rejected.reason, record.id) == (2, "id-email", "ok")


def test_an_odd_delimiter_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="delimiter"):
        read(b"a\n", delimiter='"')
