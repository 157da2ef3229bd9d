"""Rules of filters: both syntaxes mean the same, and mean what the plain reference says."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from datasets.errors.query import InvalidFilter
from datasets.query import Filter, parse_expression, parse_filter
from datasets.query.ast import MAX_COMPARISONS, MAX_DEPTH, MAX_LISTED, MAX_STRING, Comparison, Operator, Path
from datasets.query.text_syntax import MAX_TEXT
from tests.datasets.query.cases import FILTERS, RECORDS, is_met

RECORD = {
    "id": "r7",
    "data": {
        "a": "x", "n": 3, "f": 3.0, "t": True, "z": None, "text": "hello world", "tags": ["red", 2, None],
        "deep": {"er": {"est": [10, {"k": "v"}]}}, "created_at": "2024-03-01T10:00:00Z", "x y": 1, "a.b": 2, "": 5,
    },
    "metadata": {"source": "web", "data": 1},
}  # fmt: skip


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILTERS, RECORDS)
def test_a_filter_means_what_the_reference_says(node, record):
    assert Filter(node).matches(record) is is_met(node, record)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILTERS)
def test_a_filter_written_and_read_again_is_the_same(node):
    one = Filter(node)
    assert parse_expression(str(one)) == one
    assert parse_filter(one.as_json()) == one


@pytest.mark.parametrize(
    ("text", "is_true"),
    [
        ("a = 'x'", True),
        ("a = 'x' AND n > 3", False),
        ("a = 'y' or n >= 3 and f <= 3", True),
        ("(a = 'y' OR n >= 3) AND f < 3", False),
        ("not a = 'y'", True),
        ("n = 3.0 and f = 3", True),
        ("n = '3'", False),
        ("n != '3'", False),
        ("n <> 4", True),
        ("t = 1", False),
        ("t = true", True),
        ("t != false", True),
        ("z = null", True),
        ("z IS NULL", True),
        ("z is not null", False),
        ("a is not null", True),
        ("nowhere is null", False),
        ("nowhere != 1", False),
        ("NOT nowhere = 1", True),
        ("nowhere exists", False),
        ("nowhere NOT EXISTS", True),
        ("z exists", True),
        ("z > 0", False),
        ("n in (1, 2, 3)", True),
        ("n not in (1, 2, '3')", True),
        ("text contains 'o w'", True),
        ("text not contains 'x'", True),
        ("tags contains 'red'", True),
        ("tags contains null", True),
        ("tags contains 'ed'", False),
        ("text prefix 'hell'", True),
        ("created_at >= '2024-03' AND created_at < '2024-04'", True),
        ("deep.er.est.0 = 10", True),
        ("deep.er.est.1.k = 'v'", True),
        ("deep.er.est.01 exists", None),
        ("/data/deep/er/est/2 exists", False),
        ("/data/x exists", False),
        ("'/data/x y' = 1", True),
        ('"/data/x y" = 1', True),
        ("/data/a.b = 2", True),
        ("/data/ = 5", True),
        ("metadata.source = 'web' and data.a = 'x'", True),
        ("metadata.data = 1", True),
        ("id = 'r7'", True),
        ("id prefix 'r'", True),
        ("a gte 'w' and n lt 4", True),
        ("data exists", True),
        ("data = 'x'", False),
    ],
)
def test_an_expression_finds_the_record_or_not(text, is_true):
    if is_true is None:
        with pytest.raises(InvalidFilter):
            parse_expression(text)
    else:
        assert parse_expression(text).matches(RECORD) is is_true


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"created_at": {"gte": "2024-01-01"}}, "created_at >= '2024-01-01'"),
        ({"a": "x"}, "a = 'x'"),
        ({"n": {"gte": 1, "lt": 5}, "a": "x"}, "n >= 1 AND n < 5 AND a = 'x'"),
        ({"or": [{"a": 1}, {"not": {"b": {"exists": True}}}]}, "a = 1 OR NOT b EXISTS"),
        ({"and": [{"a": None}]}, "a = null"),
        ({"metadata.source": {"in": ["x", 1, True]}}, "metadata.source IN ('x', 1, true)"),
        ({"/data/and": {"prefix": "x"}}, "/data/and PREFIX 'x'"),
        ({}, ""),
        (None, ""),
        ("  ", ""),
        ("a = 1", "a = 1"),
    ],
)
def test_json_and_text_say_the_same(content, text):
    parsed = parse_filter(content)
    if len(content or "") > 1 and isinstance(content, dict):  # an object joins its members in one conjunction
        assert parsed.matches(RECORD) is parse_expression(text).matches(RECORD)
    else:
        assert parsed == parse_expression(text)
    assert parse_expression(str(parsed)) == parsed


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a", 2),
        ("a =", 4),
        ("a = x", 5),
        ("= 1", 1),
        ("a = 'x", 5),
        ("a = 1 1", 7),
        ("a = 1 AND", 10),
        ("a = 1 AND AND b = 2", 11),
        ("(a = 1", 7),
        ("a = 1)", 6),
        ("a IN 1", 6),
        ("a IN ()", 7),
        ("a IN (1,)", 9),
        ("a IN (1 2)", 9),
        ("a LIKE 'x%'", 3),
        ("a NOT = 1", 7),
        ("a IS 1", 6),
        ("a > true", 5),
        ("a < null", 5),
        ("a PREFIX 1", 10),
        ("a = 01", 5),
        ("a = 1e999", 5),
        ("a = 1.", 5),
        ("a = -", 5),
        ("a = " + "9" * 65, 5),
        ("or = 1", 1),
        ("_connector = 'OR'", 1),
        ("a__gt = 1", 1),
        ("$where = 1", 1),
        ("a.$ne = 1", 1),
        ("data.__class__ exists", 1),
        ("a; DROP TABLE x = 1", 2),
        ("a = 1 -- x", 7),
        ("é = 1", 1),
        ("\uff41 = 1", 1),
        ("a\u00a0= 1", 2),
        ("a = \u2018x\u2019", 5),
        ("/nowhere = 1", 1),
        ("/data/~2 = 1", 1),
        ("'a' = 1", 1),
        ("id.x = 1", 1),
        ("a..b = 1", 1),
        ("a. = 1", 1),
        ("a\0 = 1", 2),
        ("/data/a\0 = 1", 1),
        ("a = 1 /* x */", 12),
    ],
)
def test_a_broken_expression_is_refused_where_it_breaks(text, position):
    with pytest.raises(InvalidFilter) as refused:
        parse_expression(text)
    assert refused.value.position == position
    assert refused.value.status == 400
    assert refused.value.errors[0].field == "/filter"


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ([], ""),
        (1, ""),
        (True, ""),
        ({"a": {}}, "/a"),
        ({"a": []}, "/a"),
        ({"a": {"regex": "x"}}, "/a/regex"),
        ({"a": {"$gt": 1}}, "/a/$gt"),
        ({"a": {"gt": None}}, "/a/gt"),
        ({"a": {"gt": True}}, "/a/gt"),
        ({"a": {"eq": {}}}, "/a/eq"),
        ({"a": {"in": "x"}}, "/a/in"),
        ({"a": {"in": []}}, "/a/in"),
        ({"a": {"in": [[1]]}}, "/a/in"),
        ({"a": {"exists": "yes"}}, "/a/exists"),
        ({"a": {"prefix": 1}}, "/a/prefix"),
        ({"and": []}, "/and"),
        ({"and": {"a": 1}}, "/and"),
        ({"and": [{}]}, "/and/0"),
        ({"or": [{"a": 1}, 5]}, "/or/1"),
        ({"not": []}, "/not"),
        ({"_connector": "OR"}, "/_connector"),
        ({"__class__": 1}, "/__class__"),
        ({"a__icontains": 1}, "/a__icontains"),
        ({"$where": "1"}, "/$where"),
        ({"a'": 1}, "/a'"),
        ({'a"b': 1}, '/a"b'),
        ({"\uff41": 1}, "/\uff41"),
        ({"": 1}, "/"),
        ({"/a": 1}, "/~1a"),
        ({"/data/~": 1}, "/~1data~1~0"),
        ({"a": {"eq": "x" * (MAX_STRING + 1)}}, "/a/eq"),
        ({"a": {"in": [1] * (MAX_LISTED + 1)}}, "/a/in"),
        ({"a": float("inf")}, "/a"),
    ],
)
def test_broken_json_is_refused_where_it_breaks(content, pointer):
    with pytest.raises(InvalidFilter) as refused:
        parse_filter(content)
    assert refused.value.errors[0].field == f"/filter{pointer}"


def test_filters_are_bounded_in_depth_and_size():
    def nested(depth):
        return {"a": 1} if not depth else {"not": nested(depth - 1)}

    assert parse_filter(nested(MAX_DEPTH - 1)).node is not None
    assert parse_expression("NOT " * (MAX_DEPTH - 1) + "a = 1").node is not None
    wide = [{"a": number} for number in range(MAX_COMPARISONS)]
    assert parse_filter({"or": wide}).node is not None
    for content in (
        nested(MAX_DEPTH),
        {"and": [{"or": wide}, {"b": 1}]},
        "NOT " * MAX_DEPTH + "a = 1",
        "(" * 5000 + "a = 1" + ")" * 5000,
        " OR ".join(["a = 1"] * (MAX_COMPARISONS + 1)),
        "a = '" + "x" * MAX_TEXT + "'",
        "a IN (" + "1," * 5000 + "1)",
        "/" * 3000 + " = 1",
        "a." * 40 + "a = 1",
    ):
        with pytest.raises(InvalidFilter):
            parse_filter(content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60))
@example("a='")
@example('"')
@example("not")
@example("a in(")
def test_no_text_breaks_the_parser(text):
    try:
        parsed = parse_expression(text)
    except InvalidFilter as refused:
        assert 1 <= refused.position <= len(text) + 1  # noqa: PT017 - either outcome is one
    else:
        assert parse_expression(str(parsed)) == parsed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["and", "or", "not", "a", "/data/b", "eq", "in", "gt", "exists", "$", "__"]), inner
        )
    ),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(JSON)
def test_no_json_breaks_the_parser(content):
    try:
        parsed = parse_filter(content)
    except InvalidFilter:
        return
    assert isinstance(parsed.matches(RECORD), bool)


def test_the_shape_of_a_filter_tells_no_path_and_no_value():
    shape = parse_expression("secret = 'ada@example.com' AND NOT (ssn > 3 OR ssn IN (1, 2))").shape
    assert shape == "and(eq,not(or(gt,in)))"


def test_an_error_repeats_no_operand():
    with pytest.raises(InvalidFilter) as refused:
        parse_filter({"a": {"gt": ["078-05-1120"]}})
    assert "078-05-1120" not in str(refused.value.as_problem())


def test_paths_are_written_so_that_they_are_read_alike():
    for tokens in (("data", "data"), ("data", "id", "x"), ("data", "metadata"), ("metadata",), ("data", "0"), ("id",)):
        one = Filter(Comparison(Path(tokens), Operator.EXISTS, operand=True))
        assert parse_expression(str(one)) == one
