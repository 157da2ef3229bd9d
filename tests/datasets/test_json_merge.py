import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.json_merge import (
    ABSENT,
    MemberChange,
    MemberConflict,
    apply_members,
    diff_members,
    is_equal,
    merge_members,
)

SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, 2.5]) | st.text(max_size=3)
NAMES = st.sampled_from(["a", "b", "", "a/b", "m~n", "0"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
RECORDS = st.dictionaries(NAMES, VALUES, max_size=4)

#: A busy machine is no bug.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def canonical(value):
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def merged(base, ours, theirs, prefer=None):
    value, conflicts = merge_members(base, ours, theirs, prefer)
    return canonical(value), conflicts


@UNHURRIED
@given(VALUES, VALUES)
def test_values_are_equal_when_their_canonical_bytes_are(left, right):
    assert is_equal(left, right) == (canonical(left) == canonical(right))


@UNHURRIED
@given(VALUES, VALUES)
def test_applying_the_difference_gives_the_other_value(before, after):
    changes = diff_members(before, after)
    assert canonical(apply_members(before, changes)) == canonical(after)
    assert bool(changes) == (canonical(before) != canonical(after))


@UNHURRIED
@given(RECORDS, RECORDS)
def test_a_merge_with_an_unchanged_side_is_the_other_side(base, changed):
    assert merged(base, changed, base) == (canonical(changed), [])
    assert merged(base, base, changed) == (canonical(changed), [])


@UNHURRIED
@given(RECORDS, RECORDS)
def test_the_same_change_on_both_sides_is_no_conflict(base, changed):
    assert merged(base, changed, changed) == (canonical(changed), [])


@UNHURRIED
@given(RECORDS, RECORDS, RECORDS)
def test_conflicts_are_symmetric(base, ours, theirs):
    one, conflicts = merged(base, ours, theirs)
    other, mirrored = merged(base, theirs, ours)
    assert one == other
    turned = [MemberConflict(pointer, base, ours, theirs) for pointer, base, theirs, ours in mirrored]
    assert [(c.pointer, repr(c)) for c in conflicts] == [(c.pointer, repr(c)) for c in turned]


@UNHURRIED
@given(RECORDS, RECORDS, RECORDS)
def test_preferring_a_side_leaves_no_conflict_and_differs_only_at_conflicts(base, ours, theirs):
    _, conflicts = merge_members(base, ours, theirs)
    undecided, _ = merge_members(base, ours, theirs)
    for side, other in (("ours", "theirs"), ("theirs", "ours")):
        chosen, left = merge_members(base, ours, theirs, side)
        assert left == []
        places = {conflict.pointer for conflict in conflicts}
        for change in diff_members(undecided, chosen):
            assert any((change.pointer + "/").startswith(place + "/") for place in places), (change, side, other)


@UNHURRIED
@given(RECORDS, RECORDS, RECORDS)
def test_merging_again_changes_nothing(base, ours, theirs):
    """Idempotence: who has merged theirs gains nothing from merging it again."""
    once, conflicts = merge_members(base, ours, theirs)
    if not conflicts:
        assert merged(theirs, once, theirs) == (canonical(once), [])


def test_pointers_are_those_of_rfc_6901():
    before = {"a/b": 1, "m~n": [1, {"x": None}], "": "kept", "gone": True}
    after = {"a/b": 2, "m~n": [1, {"x": False}], "": "kept", "new": 1}
    assert diff_members(before, after) == [
        MemberChange("/a~1b", "changed", 1, 2),
        MemberChange("/gone", "removed", True, ABSENT),
        MemberChange("/m~0n/1/x", "changed", None, False),
        MemberChange("/new", "added", ABSENT, 1),
    ]


def test_arrays_of_two_lengths_differ_as_a_whole():
    assert diff_members({"a": [1, 2]}, {"a": [2]}) == [MemberChange("/a", "changed", [1, 2], [2])]


def test_turns_of_a_conversation_are_merged_one_by_one():
    base = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
    ours = {"messages": [{"role": "user", "content": "Hi!"}, {"role": "assistant", "content": "hello"}]}
    theirs = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "Hello."}]}
    value, conflicts = merge_members(base, ours, theirs)
    assert conflicts == []
    assert [turn["content"] for turn in value["messages"]] == ["Hi!", "Hello."]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "pointer"),
    [
        ({"v": [1, 2]}, {"v": [1, 3]}, {"v": [0, 2]}, "/v"),
        ({"v": 1}, {}, {"v": 2}, "/v"),
        ({}, {"v": 1}, {"v": 1.0}, "/v"),
        ({"v": {"x": 1}}, {"v": 2}, {"v": {"x": 3}}, "/v"),
        ({"v": [{}]}, {"v": [{"x": 1}, {}]}, {"v": [{"x": 2}]}, "/v"),
    ],
)
def test_what_both_changed_differently_is_listed_and_never_guessed(base, ours, theirs, pointer):
    value, conflicts = merge_members(base, ours, theirs)
    assert [conflict.pointer for conflict in conflicts] == [pointer]
    assert value == base


def test_records_added_on_both_sides_are_merged_by_member():
    value, conflicts = merge_members(ABSENT, {"a": 1, "b": 2}, {"a": 1, "b": 3})
    assert (value, [conflict.pointer for conflict in conflicts]) == ({"a": 1}, ["/b"])


def test_deleting_against_modifying_is_a_conflict_of_the_whole():
    _, conflicts = merge_members({"a": 1}, ABSENT, {"a": 2})
    assert conflicts == [MemberConflict("", {"a": 1}, ABSENT, {"a": 2})]
