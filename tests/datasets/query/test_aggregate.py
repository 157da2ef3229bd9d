"""Aggregates against the plainest computation, and what they refuse."""

import json
from statistics import fmean

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.errors.query import InvalidQuery, TooManyGroups
from datasets.query.aggregate import MAX_GROUPS, Groups, parse_aggregates, parse_paths, project
from tests.datasets.query.cases import RECORDS, SCALARS, kind_of

ROWS = st.lists(st.fixed_dictionaries({}, optional={"g": SCALARS, "v": SCALARS}), max_size=12)


def records(rows):
    return [{"id": f"r{index}", "data": row, "metadata": {}} for index, row in enumerate(rows)]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_groups_add_up_as_the_reference_does(rows):
    groups = Groups(
        parse_aggregates(["count", *({"op": op, "path": "v"} for op in ("count", "min", "max", "avg"))]),
        parse_paths("g", "group_by", most=1),
    )
    for record in records(rows):
        groups.add(record)
    expected = {}
    for row in rows:
        key = ("g" in row, kind_of(row["g"]), row["g"]) if "g" in row else (False,)
        expected.setdefault(key, []).append(row)
    results = groups.results()
    assert len(results) == len(expected)
    for result in results:
        group = result["group"]
        key = (True, kind_of(group["/data/g"]), group["/data/g"]) if group else (False,)
        members = expected[key]
        values = [row["v"] for row in members if "v" in row]
        numbers = [value for value in values if kind_of(value) == "number"]
        bounded = numbers or [value for value in values if isinstance(value, str)]
        got = result["values"]
        assert got["count"] == len(members)
        assert got["count(v)"] == len([value for value in values if value is not None])
        assert got["min(v)"] == (min(bounded) if bounded else None)
        assert got["max(v)"] == (max(bounded) if bounded else None)
        assert got["avg(v)"] == (pytest.approx(fmean(map(float, numbers)), rel=1e-9) if numbers else None)
        json.dumps(result, allow_nan=False)


def test_without_records_there_is_one_group_of_nothing():
    assert Groups(parse_aggregates("count")).results() == [{"group": {}, "values": {"count": 0}}]


def test_an_average_loses_nothing_to_large_neighbours():
    groups = Groups(parse_aggregates([{"op": "avg", "path": "v"}]))
    for value in (1e16, 1.0, -1e16, 1.0):
        groups.add({"id": "r", "data": {"v": value}, "metadata": {}})
    assert groups.results()[0]["values"] == {"avg(v)": 0.5}


def test_groups_are_bounded():
    groups = Groups(parse_aggregates("count"), parse_paths(["v"], "group_by", most=1))
    for value in range(MAX_GROUPS):
        groups.add({"id": "r", "data": {"v": value}, "metadata": {}})
    groups.add({"id": "r", "data": {"v": 1.0}, "metadata": {}})
    with pytest.raises(TooManyGroups):
        groups.add({"id": "r", "data": {"v": "one more"}, "metadata": {}})
    with pytest.raises(TooManyGroups):
        Groups(parse_aggregates("count"), parse_paths(["v"], "g", most=1)).add(
            {"id": "r", "data": {"v": "x" * 5000}, "metadata": {}}
        )


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ([], "/aggregate"),
        (["sum"], "/aggregate/0/op"),
        ([{"op": "max"}], "/aggregate/0/path"),
        ([{"op": "max", "path": 1}], "/aggregate/0/path"),
        ([{"op": "max", "path": "a__b"}], "/aggregate/0/path"),
        ([{"op": "max", "path": "a", "name": "x;y"}], "/aggregate/0/name"),
        ([{"op": "max", "path": "a", "by": 1}], "/aggregate/0"),
        (["count", "count"], "/aggregate"),
        (5, "/aggregate/0"),
        (["count"] * 17, "/aggregate"),
        ([{"op": ["count"]}], "/aggregate/0/op"),
    ],
)
def test_what_is_no_aggregate_is_refused(content, pointer):
    with pytest.raises(InvalidQuery) as refused:
        parse_aggregates(content)
    assert refused.value.errors[0].field == pointer


@given(RECORDS)
def test_fields_pick_what_they_name_and_nothing_else(record):
    before = json.dumps(record)
    shown = project(record, parse_paths(["a", "/metadata/b", "b.a", "b"], "fields", most=9))
    wanted = {name: record["data"][name] for name in ("a", "b") if name in record["data"]}
    assert shown == {
        "id": "r1",
        "data": wanted,
        "metadata": {name: record["metadata"][name] for name in ("b",) if name in record["metadata"]},
    }
    assert json.dumps(record) == before


def test_a_field_below_an_object_leaves_its_siblings_out():
    record = {"id": "r", "data": {"a": {"x": 1, "y": 2}, "m": [{"k": 1}, {"k": 2}]}, "metadata": {"s": 1}}
    assert project(record, parse_paths(["a.x", "m.0.k", "a.none"], "fields", most=9)) == {
        "id": "r",
        "data": {"a": {"x": 1}, "m": [{"k": 1}, {"k": 2}]},
        "metadata": {},
    }
