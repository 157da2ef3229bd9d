"""Rules of schemas: what may be one, and what they say of records."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from anonymization.detectors.recognizers.catalogue import build_recognizers
from anonymization.findings import REFUSED_ENTITIES
from datasets.errors.schemas import InvalidSchema
from datasets.schemas.annotations import PII_TYPES, stated_findings
from datasets.schemas.compile import MAX_BYTES, MAX_PROBLEMS, compile_schema
from datasets.schemas.formats import FORMATS, is_of_format
from datasets.schemas.patterns import MATCH_SECONDS, pattern_fault
from datasets.schemas.shorthand import expand_shorthand
from tests.datasets.schemas.cases import SCHEMAS, VALUES


def faults_of(document, **named):
    with pytest.raises(InvalidSchema) as refused:
        compile_schema(document, **named)
    return [problem.field for problem in refused.value.errors]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS, VALUES)
def test_a_record_is_judged_as_the_stock_validator_judges_it(document, value):
    assert (not compile_schema(document).problems(value)) == Draft202012Validator(document).is_valid(value)


def test_problems_have_the_pointer_and_the_rule_and_never_the_value():
    document = {
        "properties": {
            "age": {"type": "integer", "minimum": 0},
            "mails": {"items": {"format": "email"}},
            "kind": {"enum": ["chat", "note"]},
            "code": {"pattern": "^[A-Z]+$"},
            "in/ner": {"required": ["x"]},
        },
        "required": ["kind", "title"],
        "additionalProperties": {"type": "string"},
    }
    data = {
        "age": -4711,
        "mails": ["a@b.example", "secret-4711"],
        "kind": "4711",
        "code": "4711\n",
        "in/ner": {},
        "4711": 1,
    }
    found = {problem.pointer: problem.rule for problem in compile_schema(document).problems(data)}
    assert found == {
        "/age": "must be at least 0",
        "/mails/1": "must be of the format email",
        "/kind": "must be one of the values that the schema lists",
        "/code": "must match the pattern of the schema",
        "/in~1ner/x": "is required",
        "/title": "is required",
        "/*": "must be of type string",
    }
    assert "4711" not in str(found)


def test_problems_are_bounded():
    document = {"properties": {"a": {"items": {"type": "string"}}}}
    assert len(compile_schema(document).problems({"a": [1] * 5000})) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ([], ["/schema"]),
        ("x", ["/schema"]),
        ({"type": "strin"}, ["/schema/type"]),
        ({"properties": {"a": {"minimum": "1"}}}, ["/schema/properties/a/minimum"]),
        ({"required": "a"}, ["/schema/required"]),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, ["/schema/$schema"]),
        ({"properties": {"a": {"$ref": "https://example.com/x.json"}}}, ["/schema/properties/a/$ref"]),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, ["/schema/properties/a/$ref"]),
        ({"properties": {"a": {"$ref": "#/$defs/none"}}}, ["/schema/properties/a/$ref"]),
        ({"$ref": "#"}, ["/schema/$ref"]),
        ({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}}, ["/schema/$defs/a"]),
        ({"$defs": {"a": {"properties": {"x": {"$ref": "#/$defs/a"}}}}, "$ref": "#/$defs/a"}, ["/schema/$defs/a"]),
        ({"$dynamicRef": "#x"}, ["/schema/$dynamicRef"]),
        ({"properties": {"a": {"$id": "https://example.com/b"}}}, ["/schema/properties/a/$id"]),
        ({"properties": {"a": {"format": "hostname"}}}, ["/schema/properties/a/format"]),
        ({"properties": {"a": {"pattern": "("}}}, ["/schema/properties/a/pattern"]),
        ({"properties": {"a": {"pattern": "(?<!x)a"}}}, ["/schema/properties/a/pattern"]),
        ({"properties": {"a": {"pattern": r"(a)\1"}}}, ["/schema/properties/a/pattern"]),
        ({"patternProperties": {"(?i)x": {}}}, ["/schema/patternProperties/(?i)x"]),
        ({"patternProperties": {"x": {}}, "unevaluatedProperties": False}, ["/schema/unevaluatedProperties"]),
        ({"properties": {"a": {"x-pii-type": "NOBODY"}}}, ["/schema/properties/a/x-pii-type"]),
        ({"properties": {"a": {"x-pii-type": "CARD_VERIFICATION"}}}, ["/schema/properties/a/x-pii-type"]),
        (
            {"properties": {"a": {"x-pii-type": "PERSON", "x-pii-strategy": "shout"}}},
            ["/schema/properties/a/x-pii-strategy"],
        ),
        ({"properties": {"a": {"anyOf": [{"x-pii-type": "PERSON"}]}}}, ["/schema/properties/a/anyOf/0"]),
        ({"x-pii-type": "PERSON"}, ["/schema"]),
        ({"description": "x" * MAX_BYTES}, ["/schema"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_pointer(document, fields):
    assert faults_of(document) == fields


def test_a_schema_that_grows_by_its_references_is_refused():
    doubling = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    assert faults_of({"$defs": {**doubling, "d30": {}}, "$ref": "#/$defs/d0"}) == ["/schema"]
    deep = {}
    for _ in range(500):
        deep = {"properties": {"a": deep}}
    assert faults_of(deep)


def test_equal_schemas_are_compiled_once():
    assert compile_schema({"type": "object", "title": "x"}) is compile_schema({"title": "x", "type": "object"})


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", r"(\w+\s*)+:", ".*.*.*.*=x"])
def test_a_catastrophic_pattern_ends_in_its_time(pattern):
    schema = compile_schema({"properties": {"a": {"pattern": pattern}}})
    started = time.monotonic()
    assert schema.problems({"a": "a" * 5000 + "!"})
    assert time.monotonic() - started < 100 * MATCH_SECONDS, "uncut, none of them would ever end"


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("^[a-z]+(-[a-z]+)*$", "two-words", True),
        ("^a$", "a\n", False),
        (r"^\d{3}$", "123", True),
        (r"^\d{3}$", "\u0661\u0662\u0663", False),
        ("b", "abc", True),
        (r"[\]\-x]", "]", True),
        ("^(?:x|y){2,3}$", "xyx", True),
        (r"^\$1$", "$1", True),
    ],
)
def test_patterns_mean_what_they_do_elsewhere(pattern, text, matches):
    assert pattern_fault(pattern) is None
    assert (not compile_schema({"properties": {"a": {"pattern": pattern}}}).problems({"a": text})) is matches


@pytest.mark.parametrize(
    "pattern", ["(?=a)", "(?P<n>a)", r"\1", "(?i)a", "a{1,2}{e<=1}", "(?R)", r"\p{L}", "a{e}", "[a", "x" * 2000, r"\Z"]
)
def test_patterns_beyond_the_common_kind_are_refused(pattern):
    assert pattern_fault(pattern) is not None


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T23:59:60Z", "2024-02-29"),
        ("date-time", "2024-02-29T10:00:00.123+05:30", "2024-02-29T10:00:00"),
        ("time", "10:00:00Z", "25:00:00Z"),
        ("email", "ada.l+x@mail.example.com", "ada..l@example.com"),
        ("email", "a@b", "a@b@c"),
        ("uri", "https://example.com/a?b#c", "example.com"),
        ("uri", "urn:isbn:1", "http://exa mple"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("ipv4", "192.0.2.1", "192.0.2.256"),
        ("ipv6", "2001:db8::1", "2001:db8:::1"),
    ],
)
def test_formats_are_checked(name, good, bad):
    assert is_of_format(name, good)
    assert not is_of_format(name, bad)
    assert compile_schema({"properties": {"a": {"format": name}}}).problems({"a": bad})
    assert not compile_schema({"properties": {"a": {"format": name}}}).problems({"a": 5})


@given(st.sampled_from(sorted(FORMATS)), st.text(max_size=40))
def test_no_text_breaks_a_format(name, text):
    assert is_of_format(name, text) in {True, False}


def test_the_shorthand_is_a_schema():
    document = expand_shorthand(
        {"model_id": "string", "accuracy": "float", "runs": "int?", "tags": ["string"], "at": {"day": "date"}}
    )
    schema = compile_schema(document)
    assert document["required"] == ["model_id", "accuracy", "tags", "at"]
    good = {"model_id": "m", "accuracy": 0.5, "tags": [], "at": {"day": "2024-01-01"}, "other": 1}
    assert schema.problems(good) == []
    assert schema.problems(good | {"runs": None}) == []
    assert [problem.pointer for problem in schema.problems(good | {"runs": 1.5})] == ["/runs"]
    assert [problem.pointer for problem in schema.problems(good | {"at": {"day": "soon"}})] == ["/at/day"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({}, ""),
        ([], ""),
        ("string", ""),
        ({"a": "text"}, "/a"),
        ({"a": 5}, "/a"),
        ({"a": {}}, "/a"),
        ({"a": ["int", "int"]}, "/a"),
        ({"a": {"b/c": "x"}}, "/a/b~1c"),
        ({"a": "?"}, "/a"),
    ],
)
def test_what_is_no_shorthand_is_refused_with_its_pointer(fields, pointer):
    with pytest.raises(InvalidSchema) as refused:
        expand_shorthand(fields)
    assert refused.value.errors[0].field == f"/shorthand{pointer}"


def test_annotated_values_are_findings_over_the_whole_value():
    schema = compile_schema(
        {
            "properties": {
                "name": {"x-pii-type": "PERSON", "x-pii-strategy": "redact"},
                "born": {"x-pii-type": "DATE_OF_BIRTH"},
                "homes": {"items": {"$ref": "#/$defs/home"}},
            },
            "$defs": {"home": {"properties": {"street": {"x-pii-type": "ADDRESS"}}}},
        }
    )
    assert [(one.pointer, one.pii_type, one.strategy) for one in schema.annotations] == [
        ("/born", "DATE_OF_BIRTH", ""),
        ("/homes/*/street", "ADDRESS", ""),
        ("/name", "PERSON", "redact"),
    ]
    data = {"name": "Ada", "born": 18151210, "homes": [{"street": {"line": "St 1", "no": True}}, {"street": ""}, 5]}
    found = stated_findings(schema.annotations, data)
    assert [(one.pointer, one.start, one.end, one.entity_type, one.recognizer) for one in found] == [
        ("/data/born", 0, 8, "DATE_OF_BIRTH", "schema"),
        ("/data/homes/0/street/line", 0, 4, "ADDRESS", "schema"),
        ("/data/name", 0, 3, "PERSON", "schema"),
    ]


def test_whatever_the_detector_finds_can_be_stated_too():
    found = {entity for recognizer in build_recognizers() for entity in recognizer.supported_entities}
    assert found - REFUSED_ENTITIES <= PII_TYPES
    assert not PII_TYPES & REFUSED_ENTITIES
