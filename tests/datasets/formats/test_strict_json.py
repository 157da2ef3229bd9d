import json
import random
from collections import Counter

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.errors import MalformedRecord, RefusedLine
from datasets.formats.strict_json import MAX_DEPTH, parse_canonical, parse_object, reference

BLANKS = ["", "", "", " ", "  ", "\t", "\r"]
#: String contents as written, with ways to spell what the fast way counts.
PIECES = [
    ":",
    "\\u003a",
    "\\u003A",
    "a",
    "b",
    "\\u0061",
    '\\"',
    "\\u0022",
    "\\\\",
    "\\n",
    "{",
    "[",
    "é",
    "\\u00e9",
    "😀",
]
RARE_PIECES = ["\\ud83d\\ude00", "\\ud800", "\\udc00", "\\", "\x7f", "\\u0000", '":', '\\":', "\\/", "\n"]
NUMBERS = ["0", "-0", "7", "-12", "18446744073709551615", "-9223372036854775808", "1.5", "-0.0", "0.10", "1e5", "2E-3"]
RARE_NUMBERS = ["1E400", "1e-400", "0.1000000000000000055", "01", "1.", "+1", "NaN", "Infinity", "-Infinity"]
RARE_NUMBERS += ["18446744073709551616", "-9223372036854775809", "12345678901234567890.0"]


class Scribe:
    """Writes JSON objects as people, programs and attackers would; most are good."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.pick = self.random.choice

    def one(self, common, rare):
        return self.pick(rare) if self.random.random() < 0.02 else self.pick(common)

    def string(self):
        return '"' + "".join(self.one(PIECES, RARE_PIECES) for _ in range(self.pick([0, 1, 1, 1, 2, 4]))) + '"'

    def value(self, depth):
        kind = self.random.random()
        if kind < 0.5 or depth > 4:
            return self.string()
        if kind < 0.65:
            return self.one(NUMBERS, RARE_NUMBERS)
        if kind < 0.75:
            return self.pick(["true", "false", "null"])
        return self.object(depth + 1) if kind < 0.9 else self.array(depth + 1)

    def blank(self):
        return self.pick(BLANKS)

    def array(self, depth):
        return "[" + ",".join(self.blank() + self.value(depth) for _ in range(self.pick([0, 1, 3]))) + "]"

    def object(self, depth):
        members = [
            f"{self.blank()}{self.string()}{self.blank()}:{self.blank()}{self.value(depth)}{self.blank()}"
            for _ in range(self.pick([0, 1, 2, 3, 4]))
        ]
        return "{" + ",".join(members) + "}"


def outcome(parse, line):
    try:
        value, canonical = parse(line)
    except RefusedLine as error:
        return type(error), error.reason
    return json.dumps(value), canonical


@pytest.mark.parametrize("seed", range(10))
def test_the_fast_way_gives_what_the_reference_gives(seed):
    scribe = Scribe(seed)
    outcomes = Counter()
    for _ in range(1000):
        line = scribe.object(0).encode()
        expected = outcome(reference, line)
        assert outcome(parse_canonical, line) == expected, line
        outcomes[expected[1] if isinstance(expected[0], type) else "good"] += 1
    assert outcomes["good"] > 300
    assert outcomes["duplicate-key"] > 50


@pytest.mark.parametrize(
    "line",
    [
        b'{"a":1,"a":2,"b":"\\u003a"}',
        b'{"a":1,"a":2,"b":"\\u003A"}',
        b'{"a":1,"a":2,"b":"\\u0022:"}',
        b'{"a" :1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":":","a":"x","b":"\\u003a\\u003a"}',
        b'{"":1}',
        b'{"a":-0}',
        b'{":":":"}',
        b'{"a":"\\\\u003a"}',
    ],
)
def test_colons_cannot_hide_a_duplicate_key(line):
    assert outcome(parse_canonical, line) == outcome(reference, line)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=12) | st.text(alphabet='{}[]":,0e.-\\u tn\x00é', max_size=12).map(str.encode))
def test_the_fast_way_refuses_what_the_reference_refuses(line):
    assert outcome(parse_canonical, line) == outcome(reference, line)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='abé:"', max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(alphabet="abc:", max_size=3), json_values, max_size=4), st.booleans())
def test_whatever_python_can_write_comes_back_equal_and_canonical(value, ascii_only):
    parsed, canonical = parse_canonical(json.dumps(value, ensure_ascii=ascii_only).encode())
    assert parsed == value
    assert json.loads(canonical) == value
    assert canonical == orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    assert parse_canonical(canonical) == (value, canonical)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a":', "syntax"),
        (b'{"a":1}}', "syntax"),
        (b"{'a':1}", "syntax"),
        (b'{"a":1,}', "syntax"),
        (b'{"a":"tab\there"}', "syntax"),
        (b"\xef\xbb\xbf{}", "syntax"),
        (b'{"a":1,"a":1}', "duplicate-key"),
        (b'{"x":[{"deep":{"a":1,"b":2,"a":3}}]}', "duplicate-key"),
        (b'{"a":NaN}', "not-finite"),
        (b'{"a":-Infinity}', "not-finite"),
        (b'{"a":18446744073709551616}', "integer-range"),
        (b'{"a":-9223372036854775809}', "integer-range"),
        (b'{"a":' + b"9" * 5000 + b"}", "integer-range"),
        (b'{"a":3.14159265358979323846}', "inexact-number"),
        (b'{"a":12345678901234567890.0}', "inexact-number"),
        (b'{"a":1e400}', "inexact-number"),
        (b'{"a":1e-400}', "inexact-number"),
        (b'{"a":1e-99999999999999999999}', "inexact-number"),
        (b'{"a":0.' + b"1" * 100_000 + b"}", "inexact-number"),
        (b'{"a":"\\ud800"}', "lone-surrogate"),
        (b'{"\\udc00":1}', "lone-surrogate"),
        (b'{"a":"\\ude00\\ud83d"}', "lone-surrogate"),
        (b"[1]", "not-an-object"),
        (b'"text"', "not-an-object"),
        (b"5", "not-an-object"),
        (b"null", "not-an-object"),
    ],
)
def test_refused_lines_say_why_and_where_without_quoting(line, reason):
    with pytest.raises(MalformedRecord) as caught:
        parse_object(line, 5)
    assert caught.value.reason == reason
    assert caught.value.line == 5
    assert str(caught.value).startswith("Line 5: ")
    assert "deep" not in str(caught.value.as_problem()) or reason == "too-deep"


@pytest.mark.parametrize(
    "text",
    ["0.1", "0.10", "1.0", "100e-2", "-0.0", "0e99", "1e22", "5e-324", "1.7976931348623157e308", "123456789.12345679"],
)
def test_numbers_that_a_double_holds_exactly_as_written_are_kept(text):
    value, canonical = parse_canonical(b'{"a":%b}' % text.encode())
    assert value == {"a": float(text)}
    assert json.loads(canonical)["a"] == float(text)


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 0, 2**53 + 1])
def test_integers_of_64_bits_are_kept_exactly(number):
    assert parse_object(b'{"a":%d}' % number) == {"a": number}


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_nesting_a_hundred_thousand_deep_is_refused_without_recursion(opening):
    with pytest.raises(MalformedRecord) as caught:
        parse_object(b'{"a":' + opening * 100_000)
    assert caught.value.reason == "too-deep"


def test_the_depth_limit_is_exact_and_counts_no_brackets_in_strings():
    def nested(depth):
        return b'{"a":' + b"[" * (depth - 1) + b'"[{[{\\"[{"' + b"]" * (depth - 1) + b"}"

    assert outcome(parse_canonical, nested(MAX_DEPTH)) == outcome(reference, nested(MAX_DEPTH))
    assert parse_object(nested(MAX_DEPTH))
    for parse in (parse_canonical, reference):
        assert outcome(parse, nested(MAX_DEPTH + 1)) == (MalformedRecord, "too-deep")


def test_many_brackets_side_by_side_are_not_deep():
    assert len(parse_object(b'{"a":[' + b",".join([b"[]"] * 1000) + b"]}")["a"]) == 1000


def test_a_string_that_never_ends_costs_one_pass():
    with pytest.raises(MalformedRecord):
        parse_object(b'{"a":' + b"[" * 200 + b'"' + b'\\"' * 2_000_000)
