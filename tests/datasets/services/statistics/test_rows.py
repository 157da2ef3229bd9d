"""Contributions are bounded per subject before anything is added up, in however many passes."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.query.ast import parse_path
from datasets.services.statistics.rows import SubjectKeys, SubjectRows, passes_for

values = st.one_of(st.none(), st.integers(-5, 5))
records = st.lists(st.tuples(st.integers(0, 6), values, values), max_size=60)


def naive(rows, limits):
    found = [[] for _ in limits]
    for column, limit in enumerate(limits):
        used = defaultdict(int)
        for who, *gives in rows:
            if gives[column] is not None and used[who] < limit:
                used[who] += 1
                found[column].append(gives[column])
    return [sorted(column) for column in found]


@settings(deadline=None)
@given(records, st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(1, 4))
def test_of_each_subject_the_first_records_that_give_something_count(rows, limits, passes):
    keys = SubjectKeys()
    found = [[], []]
    for number in range(passes):
        part = SubjectRows(limits, number=number, passes=passes)
        for who, *gives in rows:
            key = keys.of({"id": "x", "data": {"who": who}}, parse_path("who"))
            part.add(key, gives)
        for column, counted in zip(found, part.counted(), strict=True):
            column += counted.tolist()
    assert [sorted(column) for column in found] == naive(rows, limits)


def test_who_leaves_changes_the_rest_by_no_more_than_was_declared():
    keys, path = SubjectKeys(), parse_path("who")
    rows = [(who, 1) for who in range(50) for _ in range(who % 7 + 1)]

    def total(without: int | None) -> int:
        part = SubjectRows([3])
        for who, value in rows:
            if who != without:
                part.add(keys.of({"data": {"who": who}}, path), [value])
        return int(next(part.counted()).sum())

    everybody = total(None)
    assert all(0 <= everybody - total(who) <= 3 for who in range(50))


def test_a_record_that_names_nobody_is_left_out():
    keys, path = SubjectKeys(), parse_path("who")
    for nobody in ({}, {"who": None}, {"who": ""}, {"who": {"a": 1}}, {"who": [1]}):
        assert keys.of({"data": nobody}, path) is None
    assert keys.of({"data": {"who": 1}}, path) != keys.of({"data": {"who": "1"}}, path)


def test_no_key_of_another_request_is_the_same():
    record = {"data": {"who": "ada"}}
    assert SubjectKeys().of(record, parse_path("who")) != SubjectKeys().of(record, parse_path("who"))


def test_rows_are_packed_in_batches():
    part = SubjectRows([1])
    for who in range(45_000):
        part.add(who.to_bytes(16, "big"), [who])
    counted = next(part.counted())
    assert np.array_equal(np.sort(counted), np.arange(45_000))


def test_passes_follow_from_the_memory_that_is_allowed():
    assert passes_for(1000, 1) == 1
    assert passes_for(1_000_000, 16, pass_bytes=32 * 1024 * 1024) == 6
    assert passes_for(0, 1) == 1
