import decimal
from contextlib import suppress
from datetime import date, datetime

import pytest

pa = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")

from hypothesis import given, settings  # noqa: E402 - after the skip
from hypothesis import strategies as st  # noqa: E402

from datasets.errors import DecompressionLimit, FormatUnavailable, InvalidHeader, UnreadableFile  # noqa: E402
from datasets.formats.ids import IdRule  # noqa: E402
from datasets.formats.parquet.reader import read_parquet  # noqa: E402
from datasets.formats.parquet.wire import Bounds  # noqa: E402
from datasets.formats.rows import RawRecord, Rejected  # noqa: E402
from tests.datasets.formats.parquet_files import InMemory, packed, read  # noqa: E402

MOMENT = datetime.fromisoformat("2024-02-29T12:30:00.123456")


def column(values, kind):
    return [row.data["c"] for row in read({"c": pa.array(values, kind)})]


def test_rows_become_records_numbered_from_one():
    first, second = read({"id": ["a", "b"], "n": [1, None]})
    assert first == RawRecord(1, "a", {"id": "a", "n": 1}, {}, b'{"id":"a","n":1}')
    assert (second.line, second.id, second.data) == (2, "b", {"id": "b", "n": None})


@pytest.mark.parametrize(
    ("values", "kind", "shown"),
    [
        ([True, None], pa.bool_(), [True, None]),
        ([-(2**63), 2**63 - 1], pa.int64(), [-(2**63), 2**63 - 1]),
        ([2**64 - 1], pa.uint64(), [2**64 - 1]),
        ([0.1, -0.0, 1e300], pa.float64(), [0.1, -0.0, 1e300]),
        ([0.5], pa.float32(), [0.5]),
        (["", "héllo\u0000", None], pa.string(), ["", "héllo\u0000", None]),
        ([b"\x00\xff"], pa.binary(), ["AP8="]),
        ([b"ab"], pa.binary(2), ["YWI="]),
        ([decimal.Decimal("1.50"), decimal.Decimal("-0.01")], pa.decimal128(20, 2), ["1.50", "-0.01"]),
        ([decimal.Decimal("0E-10")], pa.decimal128(38, 10), ["0.0000000000"]),
        ([date(2024, 2, 29)], pa.date32(), ["2024-02-29"]),
        ([MOMENT], pa.timestamp("us"), ["2024-02-29T12:30:00.123456"]),
        ([MOMENT], pa.timestamp("us", "Europe/Riga"), ["2024-02-29T12:30:00.123456Z"]),
        ([1, -1], pa.timestamp("ns", "UTC"), ["1970-01-01T00:00:00.000000001Z", "1969-12-31T23:59:59.999999999Z"]),
        ([-1], pa.timestamp("ms"), ["1969-12-31T23:59:59.999"]),
        ([1500], pa.time32("ms"), ["00:00:01.500"]),
        ([86_399_999_999_999], pa.time64("ns"), ["23:59:59.999999999"]),
        ([[1, 2], [], None], pa.list_(pa.int32()), [[1, 2], [], None]),
        ([[1, 2], None], pa.list_(pa.int32(), 2), [[1, 2], None]),
        ([{"x": [{"y": 1}]}, None], pa.struct({"x": pa.list_(pa.struct({"y": pa.int8()}))}), [{"x": [{"y": 1}]}, None]),
        (
            [[("k", [1]), ("l", None)], None, []],
            pa.map_(pa.string(), pa.list_(pa.int8())),
            [{"k": [1], "l": None}, None, {}],
        ),
        (["x", "y", None, "x"], pa.dictionary(pa.int32(), pa.string()), ["x", "y", None, "x"]),
        ([None, None], pa.null(), [None, None]),
    ],
)
def test_values_are_kept_exactly(values, kind, shown):
    assert column(values, kind) == shown
    assert column(values * 40, kind)[-len(values) :] == shown


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([1.0, float("nan")], pa.float64(), "not-finite"),
        ([1.0, float("-inf")], pa.float32(), "not-finite"),
        ([0, 2**62], pa.timestamp("ms"), "date-range"),
        ([0, -(2**31)], pa.date32(), "date-range"),
        ([[], [("k", 1), ("k", 2)]], pa.map_(pa.string(), pa.int8()), "duplicate-key"),
    ],
)
def test_a_value_without_an_exact_form_refuses_its_row_and_no_other(values, kind, reason):
    first, second, third = read({"c": pa.array([*values, values[0]], kind)})
    assert (first.line, third.line) == (1, 3)
    assert (second.line, second.reason, second.raw) == (2, reason, b"")


def test_text_that_is_not_utf_8_refuses_its_row():
    table = pa.table({"c": pa.array([b"fine", b"\xff\xfe"]).cast(pa.binary())})
    broken = table.column("c").chunk(0)
    text = pa.Array.from_buffers(pa.string(), 2, broken.buffers())
    good, bad = read({"c": text})
    assert (good.data, bad.line, bad.reason) == ({"c": "fine"}, 2, "not-utf-8")


@pytest.mark.parametrize("kind", [pa.duration("s"), pa.map_(pa.int8(), pa.string())])
def test_types_without_a_json_form_refuse_the_file_and_name_the_column(kind):
    with pytest.raises(UnreadableFile, match="column 2") as caught:
        read({"a": [1], "c": pa.array([None], kind)})
    assert caught.value.reason == "unsupported-type"


def test_old_timestamps_are_refused_since_they_may_have_wrapped():
    with pytest.raises(UnreadableFile) as caught:
        read(packed({"c": pa.array([MOMENT], pa.timestamp("ns"))}, use_deprecated_int96_timestamps=True))
    assert caught.value.reason == "int96"


@pytest.mark.parametrize(("names", "reason"), [(["a", "a"], "duplicate-name"), (["a", ""], "empty-name")])
def test_every_column_has_one_name_of_its_own(names, reason):
    with pytest.raises(InvalidHeader) as caught:
        read(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=names))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "options", [{"row_group_size": 7}, {"compression": "zstd"}, {"use_dictionary": False}, {"data_page_version": "2.0"}]
)
@pytest.mark.parametrize("skip", [0, 1, 6, 7, 40, 99, 100])
def test_reading_goes_on_after_any_row(options, skip):
    file = packed({"n": list(range(100))}, **options)
    rows = read(file, skip=skip)
    assert [(row.line, row.data["n"]) for row in rows] == [(n + 1, n) for n in range(skip, 100)]


def test_only_what_is_needed_is_read_of_a_file():
    file = InMemory(
        packed({"n": list(range(200_000))}, row_group_size=20_000, compression="none", use_dictionary=False)
    )
    rows = list(read_parquet(file, skip=180_000))
    assert len(rows) == 20_000
    assert file.read < file.size / 3


def test_a_large_file_comes_through_whole_in_pieces():
    rows = read({"id": [f"r{n}" for n in range(30_000)], "text": ["x" * (n % 300) for n in range(30_000)]})
    assert [row.id for row in rows] == [f"r{n}" for n in range(30_000)]
    assert all(len(row.data["text"]) == (row.line - 1) % 300 for row in rows)


def test_ids_follow_the_same_rules_as_everywhere():
    bad, good = read({"id": ["jane@example.com", "ok"]}, ids=IdRule())
    assert (bad.reason, bad.line, good.id) == ("id-email", 1, "ok")


def test_a_record_longer_than_allowed_is_refused_alone():
    rows = read({"c": ["a", "x" * 5000, "b"]}, bounds=Bounds(record_bytes=1000))
    assert [getattr(row, "reason", "good") for row in rows] == ["good", "record-too-long", "good"]


FILE = packed({"n": list(range(1000)), "text": [f"row {n}" for n in range(1000)]}, row_group_size=300)


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (b"", "not-parquet"),
        (b"PAR1", "not-parquet"),
        (FILE[:-1], "not-parquet"),
        (FILE[:-300], "not-parquet"),
        (FILE[4:], "not-parquet"),
        (b"PARE" + FILE[4:], "encrypted"),
        (FILE[:4] + FILE[-200:], "footer"),
        (b"PAR1" + bytes(8) + b"PAR1", "footer"),
        (FILE[:-8] + b"\xff\xff\x00\x00PAR1", "footer"),
        (FILE[:-8] + b"\xff\xff\xff\x7fPAR1", "footer-size"),
    ],
)
def test_a_file_that_is_cut_or_broken_is_refused(file, reason):
    with pytest.raises((UnreadableFile, DecompressionLimit)) as caught:
        read(file)
    assert caught.value.reason == reason


def test_too_many_columns_or_levels_are_refused():
    with pytest.raises(DecompressionLimit) as caught:
        read({f"c{n}": [1] for n in range(50)}, bounds=Bounds(columns=49))
    assert caught.value.reason == "columns"
    deep = pa.int8()
    for _ in range(12):
        deep = pa.struct({"d": deep})
    with pytest.raises(DecompressionLimit) as caught:
        read({"c": pa.array([None], deep)}, bounds=Bounds(depth=12))
    assert caught.value.reason == "depth"


def test_without_the_extra_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(FormatUnavailable, match="llm-data-vault\\[parquet\\]"):
        read(FILE)


@settings(max_examples=25, deadline=None)
@given(st.integers(4, len(FILE) - 1), st.integers(1, 255), st.integers(1, 40))
def test_damage_ends_in_a_clear_error_or_in_rows(place, flip, length):
    file = bytearray(FILE)
    for at in range(place, min(place + length, len(file))):
        file[at] ^= flip
    rows = []
    with suppress(UnreadableFile, DecompressionLimit, InvalidHeader):
        rows = read(bytes(file))
    assert all(isinstance(row, RawRecord | Rejected) for row in rows)


json_rows = st.fixed_dictionaries(
    {
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "f": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "t": st.none() | st.text(max_size=8),
        "l": st.none() | st.lists(st.none() | st.text(max_size=3), max_size=3),
        "s": st.none()
        | st.fixed_dictionaries({"a": st.none() | st.booleans(), "b": st.lists(st.integers(0, 9), max_size=2)}),
    }
)
KIND = pa.schema(
    {
        "i": pa.int64(),
        "f": pa.float64(),
        "t": pa.string(),
        "l": pa.list_(pa.string()),
        "s": pa.struct({"a": pa.bool_(), "b": pa.list_(pa.int8())}),
    }
)


@settings(max_examples=20, deadline=None)
@given(st.lists(json_rows, min_size=1, max_size=12), st.integers(1, 12))
def test_what_pyarrow_writes_is_read_back(rows, group):
    file = packed(pa.Table.from_pylist(rows, schema=KIND), row_group_size=group)
    assert [row.data for row in read(file)] == rows


def test_dates_of_the_whole_calendar_are_written_with_four_digits():
    assert column([date(1, 1, 1), date(9999, 12, 31)], pa.date32()) == ["0001-01-01", "9999-12-31"]
    assert column([datetime.fromisoformat("0001-01-01"), datetime.fromisoformat("9999-12-31")], pa.timestamp("us")) == [
        "0001-01-01T00:00:00.000000",
        "9999-12-31T00:00:00.000000",
    ]
