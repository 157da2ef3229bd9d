"""The short way of moving people comes to what the long one does."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.scim.documents import members_of, patch
from access.scim.member_patch import read_member_patch
from access.scim.resources import Group, Member
from tests.access.scim.conftest import PATCH

PEOPLE = [str(UUID(int=number)) for number in range(1, 6)]
SOMEBODY = st.sampled_from(PEOPLE)
SOME = st.lists(SOMEBODY.map(lambda one: {"value": one}), min_size=1, max_size=3)
MOVES = st.one_of(
    SOME.map(lambda some: {"op": "Add", "path": "members", "value": some}),
    SOME.map(lambda some: {"op": "Remove", "path": "members", "value": some}),
    SOMEBODY.map(lambda one: {"op": "remove", "path": f'members[value eq "{one}"]'}),
)


@given(held=st.sets(SOMEBODY), moves=st.lists(MOVES, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_both_ways_end_with_the_same_people(held: set[str], moves: list[dict[str, Any]]) -> None:
    body = {"schemas": [PATCH], "Operations": moves}
    wanted = read_member_patch(body)
    assert wanted is not None
    shortly = {UUID(one) for one in held} | {one for one, is_in in wanted.items() if is_in}
    shortly -= {one for one, is_in in wanted.items() if not is_in}
    group = Group(display_name="g", members=[Member(value=one) for one in sorted(held)] or None)
    assert members_of(patch(Group, body)(group)) == shortly


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "members", "value": []},
        {"op": "remove", "path": "members"},
        {"op": "remove", "path": "members", "value": []},
        {"op": "add", "path": "members", "value": [{"value": "no-id"}]},
        {"op": "add", "path": "members", "value": [{"value": 5}]},
        {"op": "add", "path": "members", "value": [{"value": PEOPLE[0], "other": "x"}]},
        {"op": "add", "path": "members", "value": {"value": PEOPLE[0]}},
        {"op": "add", "value": {"members": []}},
        {"op": "add", "path": "displayName", "value": "x"},
        {"op": "remove", "path": f'members[value ne "{PEOPLE[0]}"]'},
        {"op": "remove", "path": 'members[value eq "-----------------------------------x"]'},
        "nothing",
    ],
)
def test_everything_else_goes_the_long_way(operation: Any) -> None:
    assert read_member_patch({"schemas": [PATCH], "Operations": [operation]}) is None
    assert read_member_patch({"schemas": [], "Operations": []}) is None
    assert read_member_patch([operation]) is None
