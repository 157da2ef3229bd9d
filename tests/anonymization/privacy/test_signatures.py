"""Which subjects several releases together still hide among each other, against a naive model."""

from collections import defaultdict
from functools import partial
from itertools import islice

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.privacy.signatures import (
    SEGMENT_ROWS,
    Promise,
    Released,
    collect,
    find_breach,
    segments_of,
)

KEY = b"k" * 32


def subject(name: int) -> bytes:
    """Spread over the whole space, as HMACs are."""
    return (name * 0x9E3779B97F4A7C15 % (1 << 64)).to_bytes(8, "big") + bytes(8)


def rows_of(classes: dict[int, tuple[str, str]]):
    rows = ((subject(who), group.encode(), [value.encode()]) for who, (group, value) in classes.items())
    return collect(rows, key=KEY)


def released(classes: dict[int, tuple[str, str]], *, k: int = 1, l: int = 1, size: int = SEGMENT_ROWS) -> Released:  # noqa: E741
    rows = rows_of(classes)
    parts = [rows[start : start + size] for start in range(0, len(rows), size)]
    return Released(Promise(k, l), len(rows), lambda: iter(parts))


def naive(releases: list[tuple[dict[int, tuple[str, str]], int, int]]) -> tuple[str, int] | None:
    cells = defaultdict(set)
    for who in set().union(*(classes for classes, _, _ in releases)):
        cells[tuple(classes[who][0] if who in classes else None for classes, _, _ in releases)].add(who)
    at_risk = {"k": 0, "l": [0] * len(releases)}
    for signature, members in cells.items():
        promised = [k for group, (_, k, _) in zip(signature, releases, strict=True) if group is not None]
        if len(members) < max(promised):
            at_risk["k"] += len(members)
        for number, (classes, _, l_diversity) in enumerate(releases):
            values = {classes[who][1] for who in members if who in classes}
            if signature[number] is not None and len(values) < l_diversity:
                at_risk["l"][number] += len(members)
    if at_risk["k"]:
        return "k", at_risk["k"]
    broken = [count for count in at_risk["l"] if count]
    return ("l", broken[0]) if broken else None


def same(count: int, group: str = "a", value: str = "v", start: int = 0) -> dict[int, tuple[str, str]]:
    return {start + number: (group, f"{value}{number % 3}") for number in range(count)}


def test_one_release_is_held_to_its_own_promise():
    assert find_breach([released(same(5), k=5)]) is None
    breach = find_breach([released(same(4), k=5)])
    assert breach is not None
    assert (breach.guarantee, breach.required, breach.found, breach.subjects) == ("k", 5, 4, 4)


def test_the_same_classes_again_tell_nothing_new():
    classes = same(5) | same(6, "b", start=10)
    assert find_breach([released(classes, k=5), released(classes, k=5)]) is None


def test_another_partition_of_the_same_subjects_isolates_those_in_the_overlap():
    one = same(5) | same(5, "b", start=5)
    other = {who: ("c" if who in {0, 1, 2, 3, 9} else "d", value) for who, (_, value) in one.items()}
    breach = find_breach([released(one, k=5), released(other, k=5)])
    assert breach is not None
    assert (breach.guarantee, breach.found, breach.subjects) == ("k", 1, 10)


def test_who_is_missing_from_the_next_version_is_told_apart_by_the_difference():
    breach = find_breach([released(same(6), k=5), released(same(5), k=5)])
    assert breach is not None
    assert breach.subjects == 1


def test_a_difference_of_k_subjects_is_allowed():
    assert find_breach([released(same(10), k=5), released(same(5), k=5)]) is None


def test_the_stricter_promise_binds_its_own_subjects_only():
    strict, loose = same(10), same(3, "b", start=100)
    assert find_breach([released(strict, k=10), released(loose, k=3)]) is None


def test_values_that_are_left_in_a_cell_are_counted():
    one = {who: ("a", "flu" if who < 5 else "cold") for who in range(10)}
    other = {who: ("x" if who < 5 else "y", value) for who, (_, value) in one.items()}
    assert find_breach([released(one, k=5, l=2)]) is None
    breach = find_breach([released(one, k=5, l=2), released(other, k=5)])
    assert breach is not None
    assert (breach.guarantee, breach.required, breach.found, breach.subjects) == ("l", 2, 1, 10)


def test_a_subject_with_several_rows_is_one_subject():
    rows = collect([(subject(1), b"a", [b"x"]), (subject(1), b"b", [b""]), (subject(1), b"a", [b"x"])], key=KEY)
    again = collect([(subject(1), b"b", [b""]), (subject(1), b"a", [b"x"])], key=KEY)
    assert len(rows) == 1
    assert rows.tobytes() == again.tobytes()
    assert rows["group"] != collect([(subject(1), b"a", [b"x"])], key=KEY)["group"]


def test_a_short_subject_key_is_refused():
    with pytest.raises(ValueError, match="16 bytes"):
        collect([(b"short", b"a", [b""])], key=KEY)


def test_rows_have_a_value_for_each_column_of_the_first():
    rows = collect([(subject(1), b"a", [b"x", b"y"]), (subject(2), b"a", [b"x", b""])], key=KEY)
    assert rows["value"].shape == (2, 2)
    assert len(set(rows["value"][:, 1].tolist())) == 2
    with pytest.raises(ValueError, match="each column"):
        collect([(subject(1), b"a", [b"x", b"y"]), (subject(2), b"a", [b"x"])], key=KEY)


def test_the_second_column_is_held_to_l_like_the_first():
    rows = collect([(subject(who), b"a", [b"%d" % who, b"flu"]) for who in range(6)], key=KEY)
    breach = find_breach([Released(Promise(5, 2), 6, partial(segments_of, rows))])
    assert breach is not None
    assert (breach.guarantee, breach.required, breach.found) == ("l", 2, 1)


def test_nothing_released_breaks_nothing():
    assert len(collect([], key=KEY)) == 0
    assert find_breach([released({}, k=5)]) is None


def test_rows_are_cut_into_segments_in_order():
    rows = collect(((subject(who), b"a", [b""]) for who in range(SEGMENT_ROWS + 10)), key=KEY)
    first, second = segments_of(rows)
    assert (len(first), len(second)) == (SEGMENT_ROWS, 10)
    assert (np.diff(rows["subject"].astype(object)) > 0).all()
    assert first["subject"][-1] < second["subject"][0]


groups = st.dictionaries(
    st.integers(0, 14), st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=15
)


@settings(deadline=None)
@given(
    st.lists(st.tuples(groups, st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=4),
    st.integers(1, 5),
    st.sampled_from([3, 2_000_000]),
)
def test_breaches_are_those_of_a_naive_model(releases, size, at_once):
    found = find_breach(
        [released(classes, k=k, l=l_diversity, size=size) for classes, k, l_diversity in releases],
        pass_subjects=at_once,
    )
    expected = naive(releases)
    assert (found.guarantee if found else None) == (expected[0] if expected else None)
    if found and expected and (found.guarantee == "k" or at_once > 3):
        assert found.subjects == expected[1]


def test_segments_are_read_one_after_the_other_and_as_often_as_asked():
    rows = rows_of(same(10))
    opened = []

    def parts():
        for number in range(5):
            opened.append(number)
            yield rows[number * 2 : number * 2 + 2]

    assert next(iter(islice(parts(), 1))).tobytes() == rows[:2].tobytes()
    opened.clear()
    assert (
        find_breach([Released(Promise(5, 1), 10, parts), Released(Promise(5, 1), 10, partial(segments_of, rows))])
        is None
    )
    assert opened == list(range(5))
