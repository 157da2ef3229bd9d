import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import UnreadableFile, WrongEncoding
from datasets.formats.lines import numbered_lines
from datasets.formats.rows import KEPT_BYTES, Rejected

MIB = 1 << 20


def outcome(blocks, limit=100):
    return [(item.line, item.reason) if isinstance(item, Rejected) else item for item in numbered_lines(blocks, limit)]


@given(st.lists(st.sampled_from([b"a", b"\n", b"\r\n", b"\xc3\xa9", b"bc\n", b"x" * 5]), max_size=30), st.data())
def test_lines_do_not_depend_on_where_blocks_end(parts, data):
    whole = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=5)))
    blocks = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    expected = whole.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert outcome(blocks) == list(enumerate(expected, start=1))


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_byte_order_mark_is_dropped_at_the_start_only(size):
    file = b"\xef\xbb\xbfa\n\xef\xbb\xbfb"
    assert outcome([file[at : at + size] for at in range(0, len(file), size)]) == [(1, b"a"), (2, b"\xef\xbb\xbfb")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
@pytest.mark.parametrize("size", [1, 100])
def test_utf_16_is_refused_at_line_1(encoding, size):
    file = "\ufeff".encode("utf-16-le") * (encoding == "utf-16-le") + '{"a": 1}\n'.encode(encoding)
    with pytest.raises(WrongEncoding) as caught:
        outcome([file[at : at + size] for at in range(0, len(file), size)])
    assert (caught.value.line, caught.value.reason) == (1, "utf-16")


def test_utf_16_without_a_mark_shows_by_its_nul_bytes():
    assert outcome(["ab\n".encode("utf-16-be")])[0] == (1, "nul-byte")


def test_bad_lines_are_refused_one_by_one():
    blocks = [b"ok\nlatin \xe9\nok\nnul \0\n", b"surrogate \xed\xa0\x80\nover", b"long ", b"x" * 100, b"\nok"]
    assert outcome(blocks) == [
        (1, b"ok"),
        (2, "not-utf-8"),
        (3, b"ok"),
        (4, "nul-byte"),
        (5, "not-utf-8"),
        (6, "record-too-long"),
        (7, b"ok"),
    ]


def test_the_limit_is_exact():
    assert outcome([b"x" * 100 + b"\n" + b"x" * 101 + b"\n" + b"y\n"]) == [
        (1, b"x" * 100),
        (2, "record-too-long"),
        (3, b"y"),
    ]
    assert outcome([b"x" * 100]) == [(1, b"x" * 100)]
    assert outcome([b"x" * 101]) == [(1, "record-too-long")]


def test_a_line_of_a_gigabyte_is_refused_at_flat_memory():
    def blocks():
        yield b"first\n"
        for _ in range(1024):
            yield b"x" * MIB
        yield b"\nthird\n"

    tracemalloc.start()
    try:
        first, second, third = numbered_lines(blocks())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (first, third) == ((1, b"first"), (3, b"third"))
    assert (second.line, second.reason, second.code) == (2, "record-too-long", "VAULT_DATA_4102")
    assert len(second.raw) == KEPT_BYTES
    assert peak < 24 * MIB


def test_an_unreadable_file_names_the_line_being_read():
    def blocks():
        yield b"one\ntwo\nthr"
        raise UnreadableFile("the gzip data ends too early", reason="truncated-gzip")

    lines = numbered_lines(blocks())
    assert [next(lines), next(lines)] == [(1, b"one"), (2, b"two")]
    with pytest.raises(UnreadableFile, match="Line 3: ") as caught:
        next(lines)
    assert caught.value.line == 3
    assert caught.value.as_problem()["errors"] == [{"field": "file", "detail": caught.value.rule, "line": 3}]
