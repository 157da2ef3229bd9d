import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.errors import CorruptTree
from datasets.tree.chunk import ChunkSidecar
from datasets.tree.record import TreeRecord, canonical_record
from datasets.tree.statistics import MAX_MEMBERS, TEXT_BYTES, ChunkStatistics, describe, describe_records

texts = st.text(alphabet="abcé√😀", max_size=40)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2)
rows = st.lists(st.dictionaries(st.sampled_from(["a", "b", "ö" * 10, "n" * 70]), values, max_size=4), max_size=12)


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


@settings(max_examples=300, deadline=None)
@given(rows, scalars)
def test_what_a_chunk_holds_is_never_ruled_out(rows, asked):
    statistics = ChunkStatistics.decode(describe(rows).encode())
    assert statistics == describe(rows)
    for name in ("a", "b", "ö" * 10, "n" * 70):
        member = statistics.member(name)
        held = [row[name] for row in rows if name in row]
        if member is None:
            assert not statistics.is_complete
            assert not held or len(name) > 64
            continue
        assert member.missing == len(rows) - len(held)
        for value in held:
            assert member.can_equal(value)
            if (is_number(value) and is_number(asked)) or (isinstance(value, str) and isinstance(asked, str)):
                assert member.can_be_below(asked) or value >= asked
                assert member.can_be_above(asked) or value <= asked
                assert member.can_be_below(asked, or_equal=True) or value > asked
                assert member.can_be_above(asked, or_equal=True) or value < asked
            if isinstance(value, str):
                assert all(member.can_begin_with(value[:end]) for end in range(len(value) + 1))


def test_bounds_rule_out_what_lies_beyond_them():
    member = describe([{"n": 3, "t": "beta"}, {"n": 7.5, "t": "delta"}, {"n": 4}]).member
    assert [member("n").can_equal(value) for value in (2, 3, 5, 7.5, 8, "3", None, True, [])] == [
        False, True, True, True, False, False, False, False, False,
    ]  # fmt: skip
    assert (member("n").can_be_below(3), member("n").can_be_below(3, or_equal=True)) == (False, True)
    assert (member("n").can_be_above(7.5), member("n").can_be_above(7.5, or_equal=True)) == (False, True)
    assert [member("t").can_equal(value) for value in ("alpha", "beta", "c", "delta", "deltb", 3)] == [
        False, True, True, True, False, False,
    ]  # fmt: skip
    assert [member("t").can_begin_with(value) for value in ("a", "be", "betaa", "c", "del", "deltaa", "e")] == [
        False, True, True, True, True, False, False,
    ]  # fmt: skip
    assert (member("t").can_be_above("delta"), member("t").can_be_below("beta")) == (False, False)
    assert (member("t").missing, member("x").missing, member("x").can_equal(1)) == (1, 3, False)
    assert not member("n").can_be_above("a")
    assert not member("n").can_begin_with("a")


def test_long_texts_are_cut_between_characters():
    member = describe([{"t": "é" * 50}, {"t": "z" * 50}]).member("t")
    assert member.texts == ("é" * 12, "z" * TEXT_BYTES) or member.texts == ("z" * TEXT_BYTES, "é" * 12)
    assert member.is_cut
    assert member.can_equal("é" * 50)
    assert member.can_be_above("é" * 40)
    assert not member.can_be_above("ê")
    assert member.can_begin_with("é" * 40)
    odd = describe([{"t": "a" + "é" * 50}]).member("t")
    assert odd.texts == ("a" + "é" * 11, "a" + "é" * 11)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63) + 1, 2**64 - 1, 2**53 + 1, -(2**53) - 1])
def test_integers_a_double_cannot_hold_are_rounded_outwards(number):
    low, high = describe([{"n": number}]).member("n").numbers
    assert low <= number <= high
    assert high - low <= 2 * math.ulp(float(number))


def test_scalars_of_other_kinds_are_told_of():
    member = describe([{"v": None}, {"v": False}, {"v": []}]).member("v")
    assert [member.can_equal(value) for value in (None, False, True, [], {}, 0, "")] == [
        True, True, False, True, True, False, False,
    ]  # fmt: skip


def test_of_very_many_members_only_some_are_told_of_and_the_rest_is_unknown():
    statistics = describe([{f"m{number}": number for number in range(100)}])
    assert len(statistics.members) == MAX_MEMBERS
    assert not statistics.is_complete
    assert statistics.member("m99") is None
    assert statistics.member("never") is None
    assert statistics.member("m3").can_equal(3)
    assert len(statistics.encode()) < 32 * 40


def test_records_are_described_by_their_data():
    data = [{"id": "x", "score": 1}, {"score": 2}]
    records = [
        TreeRecord(f"r{n}", bytes(16), bytes(16), canonical_record(f"r{n}", each, {"score": 99}))
        for n, each in enumerate(data)
    ]
    assert describe_records(records) == describe(data).encode()
    assert describe_records([]) == describe([]).encode()


def test_damaged_statistics_are_refused():
    encoded = describe([{"a": 1, "b": "x"}]).encode()
    for damaged in (b"", encoded[:-1], encoded + b"\0", b"\x09" + encoded[1:], encoded.replace(b"x", b"\xff")):
        with pytest.raises(CorruptTree):
            ChunkStatistics.decode(damaged)
    twice = encoded[:2] + b"\x02" + encoded[3:5] + 2 * describe([{"a": 1}]).encode()[5:]
    with pytest.raises(CorruptTree):
        ChunkStatistics.decode(twice)


def test_sidecars_with_and_without_statistics_are_read_back():
    statistics = describe([{"a": 1}]).encode()
    for sidecar in (ChunkSidecar("a", "b", 7, (3, 4)), ChunkSidecar("a", "b", 7, (3, 4), statistics, has_erased=True)):
        encoded = sidecar.encode()
        assert ChunkSidecar.decode(encoded) == sidecar
        for damaged in (encoded[:-1], encoded + b"\0", encoded[:5] + b"\x02" + encoded[6:]):
            with pytest.raises(CorruptTree):
                ChunkSidecar.decode(damaged)


def test_statistics_are_compact():
    rows = [{"id": f"row-{n:07d}", "text": "x" * 500, "score": n / 7, "tags": ["a"], "ok": True} for n in range(100)]
    assert len(describe(rows).encode()) < 160
