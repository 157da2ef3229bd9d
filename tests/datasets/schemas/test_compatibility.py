"""Compatibility: what is called compatible is, and the everyday changes are judged as people expect."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.schemas.compatibility import incompatibilities
from datasets.schemas.compile import compile_schema
from datasets.schemas.shorthand import expand_shorthand
from tests.datasets.schemas.cases import NAMES, SCHEMAS, VALUES


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, SCHEMAS, st.lists(st.dictionaries(NAMES, VALUES, max_size=3), min_size=3, max_size=8))
def test_what_is_compatible_takes_every_record_of_the_other(old, new, rows):
    # What a schema does not speak of is taken as not there: so both say it of everything here.
    old, new = _spoken(old), _spoken(new)
    for mode, before, after in (("backward", old, new), ("forward", new, old)):
        if not incompatibilities(old, new, mode):
            for row in rows:
                if not compile_schema(before).problems(row):
                    assert not compile_schema(after).problems(row)


def _spoken(schema):
    if not isinstance(schema, dict):
        return schema
    nested = {name: _spoken(part) for name, part in schema.get("properties", {}).items()}
    whole = {"additionalProperties": True} | schema
    if "properties" in schema:
        whole["properties"] = nested
    for keyword in ("additionalProperties", "items"):
        if keyword in whole:
            whole[keyword] = _spoken(whole[keyword])
    return whole


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS)
def test_a_schema_is_compatible_with_itself(schema):
    assert incompatibilities(schema, schema, "full") == []


BASE = {"a": "string", "n": "int"}


@pytest.mark.parametrize(
    ("old", "new", "backward", "forward"),
    [
        (BASE, BASE | {"b": "string?"}, [], []),
        (BASE, BASE | {"b": "string"}, ["/required"], []),
        (BASE | {"b": "string"}, BASE, [], ["/required"]),
        (BASE, BASE | {"n": "float"}, [], ["/properties/n/type"]),
        (BASE, BASE | {"n": "string"}, ["/properties/n/type"], ["/properties/n/type"]),
        (BASE, BASE | {"a": "string?"}, [], ["/properties/a/type", "/required"]),
        (BASE, BASE | {"a": "date"}, ["/properties/a/format"], []),
        ({"m": {"x": "int"}}, {"m": {"x": "float"}}, [], ["/properties/m/properties/x/type"]),
        ({"m": ["int"]}, {"m": ["string"]}, ["/properties/m/items/type"], ["/properties/m/items/type"]),
    ],
)
def test_everyday_changes(old, new, backward, forward):
    before, after = expand_shorthand(old), expand_shorthand(new)
    assert sorted(one.pointer for one in incompatibilities(before, after, "backward")) == backward
    assert sorted(one.pointer for one in incompatibilities(before, after, "forward")) == forward
    assert len(incompatibilities(before, after, "full")) == len(backward) + len(forward)
    assert incompatibilities(before, after, "none") == []


@pytest.mark.parametrize(
    ("old", "new", "pointers"),
    [
        ({"properties": {"a": {"minimum": 1}}}, {"properties": {"a": {"minimum": 0}}}, []),
        ({"properties": {"a": {"minimum": 0}}}, {"properties": {"a": {"minimum": 1}}}, ["/properties/a/minimum"]),
        ({"properties": {"a": {"exclusiveMinimum": 0}}}, {"properties": {"a": {"minimum": 0}}}, []),
        ({"properties": {"a": {"enum": [1, 2]}}}, {"properties": {"a": {"enum": [1, 2, 3]}}}, []),
        ({"properties": {"a": {"enum": [1, 2]}}}, {"properties": {"a": {"enum": [1]}}}, ["/properties/a"]),
        ({"properties": {"a": {"const": 3}}}, {"properties": {"a": {"type": "integer", "maximum": 9}}}, []),
        ({"properties": {"a": {"multipleOf": 4}}}, {"properties": {"a": {"multipleOf": 2}}}, []),
        ({}, {"additionalProperties": False}, ["/additionalProperties"]),
        ({"additionalProperties": False}, {}, []),
        ({"additionalProperties": False}, {"properties": {"b": {"type": "string"}}}, []),
        ({"additionalProperties": True}, {"properties": {"b": {"type": "string"}}}, ["/properties/b/type"]),
        ({}, {"type": "object"}, []),
        ({"type": "object"}, {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, ["/anyOf"]),
        ({"anyOf": [{"required": ["a"]}]}, {"anyOf": [{"required": ["a"]}]}, []),
        ({"not": {"required": ["a"]}}, {}, []),
        ({}, {"unevaluatedProperties": False}, ["/unevaluatedProperties"]),
        ({"title": "old", "x-note": 1}, {"title": "new", "description": "d"}, []),
        (
            {"$defs": {"s": {"type": "string"}}, "properties": {"a": {"$ref": "#/$defs/s"}}},
            {"properties": {"a": {"type": "string"}}},
            [],
        ),
        ({"properties": {"a": {"pattern": "x"}}}, {"properties": {"a": {"pattern": "y"}}}, ["/properties/a/pattern"]),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"if": {"required": ["a"]}}, ["/if"]),
    ],
)
def test_what_can_be_decided_and_what_is_refused(old, new, pointers):
    assert [one.pointer for one in incompatibilities(old, new, "backward")] == pointers
