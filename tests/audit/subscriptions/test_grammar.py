"""Rules of the language of event filters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.subscriptions.errors import InvalidFilter
from audit.subscriptions.filter import FIELDS, Subject
from audit.subscriptions.grammar import MAX_DEPTH, MAX_LENGTH, compile_filter

BODY = {
    "event_type": "data.access.denied",
    "severity": "warning",
    "actor": {"type": "user", "id": "u1"},
    "resource": {"type": "dataset", "classification": "pii"},
    "action": {"operation": "read", "status": "denied"},
    "context": {"purpose": "analytics", "compliance_tags": ["gdpr", "hipaa"]},
    "metadata": {"records_accessed": 500, "is_partial": True, "nested": {"deep": "er"}},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", True),
        ("event_type = 'data.read' AND\n resource.classification = 'pii' AND\n action.status = 'denied'", True),
        ("event_type = 'data.access.denied'", True),
        ("event_type = 'data.write'", False),
        ("event_type != 'data.read'", False),
        ("event_type ^= 'data.access.'", True),
        ("event_type LIKE 'data.%'", True),
        ("event_type NOT LIKE 'data.%'", False),
        ("metadata.records_accessed > 499 and metadata.records_accessed <= 500", True),
        ("metadata.records_accessed >= 500.5", False),
        ("metadata.records_accessed = '500'", False),
        ("metadata.is_partial = 'true'", True),
        ("metadata.is_partial = 1", False),
        ("metadata.nested.deep = 'er'", True),
        ("severity IN ('warning', 'critical')", True),
        ("severity NOT IN ('warning', 'critical')", False),
        ("context.compliance_tags = 'hipaa'", True),
        ("context.compliance_tags != 'sox'", True),
        ("resource.version = 'v1.0.0'", False),
        ("resource.version != 'v1.0.0'", True),
        ("resource.version ^= ''", False),
        ("NOT severity = 'info' AND (action.status = 'failure' OR action.status = 'denied')", True),
        ("severity = 'info' OR severity = 'warning' AND action.status = 'success'", False),
        ("context.purpose = 'it''s'", False),
    ],
)
def test_what_a_filter_holds_for(text: str, expected: bool) -> None:
    assert compile_filter(text).holds(Subject(BODY)) is expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("severity", 8),
        ("severity =", 10),
        ("severity = info", 11),
        ("severity = 'info' severity = 'x'", 18),
        ("colour = 'red'", 0),
        ("resource.owner = 'x'", 0),
        ("metadata = 'x'", 0),
        ("(severity = 'info'", 18),
        ("severity = 'info", 11),
        ("severity == 'info'", 10),
        ("severity IN ()", 13),
        ("severity IN ('a',)", 17),
        ("severity LIKE 'a%b'", 14),
        ("severity LIKE 5", 14),
        ("severity ^= 5", 12),
        ("severity NOT = 'x'", 13),
        ("metadata.a > 12x", 13),
        ("severity = 'a'; DROP TABLE x", 14),
        ("__import__('os')", 0),
        ("(" * (MAX_DEPTH + 1) + "severity = 'a'", MAX_DEPTH),
        ("NOT " * (MAX_DEPTH + 1) + "severity = 'a'", 4 * MAX_DEPTH),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(text: str, position: int) -> None:
    with pytest.raises(InvalidFilter) as refusal:
        compile_filter(text)
    assert refusal.value.extra["position"] == position
    assert refusal.value.errors[0].field == "/filter"


def test_a_filter_has_a_length() -> None:
    fitting = "severity = 'a'" + " " * (MAX_LENGTH - 14)
    assert not compile_filter(fitting).holds(Subject(BODY))
    with pytest.raises(InvalidFilter):
        compile_filter(fitting + " ")


TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NUMBERS = st.integers(-(10**12), 10**12)
COMPARISONS = st.one_of(
    st.builds(
        lambda field, sign, text: (f"{field} {sign} '{text.replace(chr(39), chr(39) * 2)}'", field, sign, text),
        st.sampled_from(FIELDS[1:]),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        TEXTS,
    ),
    st.builds(lambda sign, number: (f"metadata.n {sign} {number}", "metadata.n", sign, number),
              st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), NUMBERS),
)  # fmt: skip
JUDGE = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def body_with(field: str, value: object) -> dict:
    first, _, second = field.partition(".")
    return {first: {second: value}} if second else {first: value}


@settings(deadline=None)
@given(COMPARISONS, st.one_of(TEXTS, NUMBERS))
def test_a_comparison_says_what_python_says_of_values_of_one_kind(comparison, value) -> None:
    text, field, sign, given_ = comparison
    holds = compile_filter(text).holds(Subject(body_with(field, value)))
    alike = isinstance(value, str) == isinstance(given_, str)
    assert holds is (JUDGE[sign](value, given_) if alike else sign == "!=")


@settings(deadline=None)
@given(COMPARISONS, COMPARISONS, COMPARISONS, st.one_of(TEXTS, NUMBERS))
def test_and_or_and_not_are_those_of_logic(first, second, third, value) -> None:
    body = body_with(first[1], value) | body_with(second[1], value)
    one, two, three = (compile_filter(each[0]).holds(Subject(body)) for each in (first, second, third))
    text = f"{first[0]} OR NOT {second[0]} AND ({third[0]} OR {first[0]})"
    assert compile_filter(text).holds(Subject(body)) is (one or ((not two) and (three or one)))


@settings(deadline=None)
@given(
    st.text(max_size=60),
    st.recursive(st.none() | TEXTS | NUMBERS, lambda inner: st.dictionaries(TEXTS, inner), max_leaves=5),
)
def test_whatever_is_typed_is_a_filter_or_refused_with_a_place(text, body) -> None:
    try:
        tree, position = compile_filter(text), 0
    except InvalidFilter as refusal:
        tree, position = compile_filter(""), refusal.extra["position"]
    assert 0 <= position <= len(text)
    assert isinstance(tree.holds(Subject(body if isinstance(body, dict) else {})), bool)


def test_a_filter_says_what_it_costs_and_a_list_costs_one() -> None:
    assert compile_filter("").comparisons == 0
    assert compile_filter("severity = 'a' AND NOT (severity = 'b' OR severity ^= 'c')").comparisons == 3
    listed = compile_filter("metadata.n IN (1, 2.0, 'true', 'x')")
    assert listed.comparisons == 1
    for value, expected in ((1, True), (2, True), (True, True), ("x", True), ("1", False), (False, False), ({}, False)):
        assert listed.holds(Subject({"metadata": {"n": value}})) is expected


def test_a_member_is_looked_up_once_however_often_it_is_compared() -> None:
    class Counting(dict):
        asked = 0

        def get(self, *args):
            self.asked += 1
            return super().get(*args)

    body = Counting(BODY)
    assert not compile_filter(" OR ".join(["event_type = 'x'"] * 100)).holds(Subject(body))
    assert body.asked == 2, "the type and the operation, for the names it goes by"
