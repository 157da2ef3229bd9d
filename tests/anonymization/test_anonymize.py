import base64
import copy
import json
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.detectors.base import Span
from anonymization.detectors.engine import VaultDetector
from anonymization.detectors.walk import number_text, scan_records
from anonymization.errors import FindingMismatch, OperatorKeyMissing, UnknownOperator
from anonymization.findings import UNSCANNABLE, Finding
from anonymization.operators.base import Keys, Piece
from anonymization.operators.registry import OPERATORS, get_operator
from anonymization.services.anonymize import WITHHELD, apply, apply_to_text
from vaultsite.kernel.crypto.keys import SecretKey

KEY = SecretKey(bytes(range(32)))
EMAIL = "jane.doe@example.com"
#: Operators that work without the token vault.
ALONE = sorted(set(OPERATORS) - {"tokenize"})


@cache
def detector():
    return VaultDetector()


def shown(data, operator="replace", **options):
    record = {"data": data, "metadata": {}}
    [findings] = scan_records([record], detector())
    return apply(record, findings, operator=operator, hash_key=KEY, **options)["data"]


def finding(pointer, start, end, entity_type="EMAIL_ADDRESS", *, score=1.0, part="value"):
    return Finding(pointer, part, start, end, entity_type, score, "test")


def test_nested_fields_array_elements_numbers_and_names_are_all_hidden():
    data = {
        "messages": [{"content": f"I am {EMAIL}."}, {"content": "hello"}],
        "a/b": {"~": [EMAIL]},
        EMAIL: {"ssn": 536228726},
        "n": 5,
    }
    assert shown(data) == {
        "messages": [{"content": "I am <EMAIL_ADDRESS>."}, {"content": "hello"}],
        "a/b": {"~": ["<EMAIL_ADDRESS>"]},
        "<EMAIL_ADDRESS>": {"ssn": "<US_SSN>"},
        "n": 5,
    }


def test_two_names_that_become_equal_stay_apart_and_in_place():
    data = {"a": 1, "x@example.com": 2, "<EMAIL_ADDRESS>": 3, "y@example.com": {"z@example.com": EMAIL}, "b": 5}
    hidden = shown(data)
    assert list(hidden.values()) == [1, 2, 3, {"<EMAIL_ADDRESS>": "<EMAIL_ADDRESS>"}, 5]
    assert list(hidden) == ["a", "<EMAIL_ADDRESS>#2", "<EMAIL_ADDRESS>", "<EMAIL_ADDRESS>#3", "b"]


def test_the_record_given_is_not_changed():
    data = {"m": [{"c": EMAIL}], EMAIL: [1, {"phone": 4155550132}]}
    before = copy.deepcopy(data)
    assert shown(data) != before
    assert data == before


def test_json_inside_a_string_stays_json():
    text = json.dumps({"to": EMAIL + "\nBye", "phone": 4155550132, "list": [1, "x"], EMAIL: True})
    hidden = shown({"arguments": text})["arguments"]
    assert json.loads(hidden) == {
        "to": "<EMAIL_ADDRESS>\nBye", "phone": "<PHONE_NUMBER>", "list": [1, "x"], "<EMAIL_ADDRESS>": True,
    }  # fmt: skip
    for operator in ALONE:
        assert isinstance(json.loads(shown({"arguments": text}, operator)["arguments"]), dict)


def test_content_nobody_can_look_into_is_withheld_whatever_the_operator():
    data = {"url": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg=="}
    for operator in ALONE:
        assert shown(data, operator) == {"url": WITHHELD}
    assert shown(data, per_entity={UNSCANNABLE: "mask"}) == {"url": WITHHELD}


@pytest.mark.parametrize(
    "wrong",
    [
        finding("/data/missing", 0, 1),
        finding("/data/list/7", 0, 1),
        finding("/data/list/-1", 0, 1),
        finding("/data/list/x", 0, 1),
        finding("/data/text/0", 0, 1),
        finding("/data", 0, 1),
        finding("", 0, 1),
        finding("/data/text", 0, 6),
        finding("/data/text", 3, 3),
        finding("/data/text", -2, 1),
        finding("/data/flag", 0, 1),
        finding("/data/number", 0, 5),
        finding("/data/list/0", 0, 1, part="key"),
        finding("/data/text", 0, 5, part="key"),
        finding("/data/text", 0, 99, score=0.21),
    ],
)
def test_findings_that_do_not_fit_release_nothing(wrong):
    record = {"data": {"text": "abcde", "list": ["a"], "flag": True, "number": 1234}, "metadata": {}}
    with pytest.raises(FindingMismatch):
        apply(record, [wrong], operator="redact")


def test_overlapping_findings_hide_their_union_under_the_best_name():
    spans = [
        Span(2, 6, "A", 0.5, "t"), Span(4, 9, "B", 0.9, "t"), Span(8, 10, "C", 0.6, "t"), Span(12, 13, "D", 0.4, "t"),
        Span(0, 20, "E", 0.39, "t"),
    ]  # fmt: skip
    assert apply_to_text("0123456789abcdefghij", spans, operator="replace") == "01<B>ab<D>defghij"


def test_findings_below_the_threshold_stay():
    spans = [Span(0, 3, "A", 0.3, "t")]
    assert apply_to_text("abcdef", spans, operator="redact") == "abcdef"
    assert apply_to_text("abcdef", spans, operator="redact", threshold=0.2) == "[REDACTED]def"


def test_single_entity_types_may_have_another_operator():
    spans = [Span(0, 3, "A", 1.0, "t"), Span(4, 7, "B", 1.0, "t")]
    assert apply_to_text("abc def", spans, operator="redact", per_entity={"B": "replace"}) == "[REDACTED] <B>"


def test_unknown_operators_are_refused_even_where_nothing_is_found():
    with pytest.raises(UnknownOperator):
        apply({"data": {}}, [], operator="nothing")
    with pytest.raises(UnknownOperator):
        apply({"data": {}}, [], operator="mask", per_entity={"A": "nothing"})


def test_hashing_needs_a_key_and_depends_on_key_type_and_value():
    def hashed(text, entity_type, key):
        return get_operator("hash").bind({}, Keys(key))(Piece(text, entity_type))

    with pytest.raises(OperatorKeyMissing):
        hashed("x", "A", None)
    other = SecretKey(bytes(32))
    results = {hashed("x", "A", KEY), hashed("y", "A", KEY), hashed("x", "B", KEY), hashed("x", "A", other)}
    assert len(results) == 4
    assert hashed("x", "A", KEY) == hashed("x", "A", KEY)
    assert hashed("x", "A", KEY).startswith("<A:")
    assert len(hashed("x", "A", KEY)) == len("<A:>") + 16


def masked_text(text, entity_type, **parameters):
    return get_operator("mask").bind(parameters, Keys())(Piece(text, entity_type))


@pytest.mark.parametrize(
    ("text", "entity_type", "masked"),
    [
        ("4111 1111 1111 1234", "CREDIT_CARD", "**** **** **** 1234"),
        ("6304000000000000009", "CREDIT_CARD", "***************0009"),
        ("123-45-6789", "US_SSN", "***-**-**89"),
        ("jane@example.com", "EMAIL_ADDRESS", "****@*******.com"),
        ("abc", "PERSON", "***"),
        ("hunter2 and more", "PASSWORD", "****************"),
        ("123", "CARD_VERIFICATION", "***"),
        ("ja\u200dne", "PERSON", "****e"),
    ],
)
def test_masking_shows_a_quarter_at_most(text, entity_type, masked):
    assert masked_text(text, entity_type) == masked


@given(st.text(min_size=1, max_size=60), st.sampled_from(["CREDIT_CARD", "PERSON", "PASSWORD"]))
def test_masking_never_shows_more_than_a_quarter_nor_four(text, entity_type):
    masked = masked_text(text, entity_type)
    revealing = [a for a, b in zip(text, masked, strict=True) if a == b and a.isalnum()]
    assert len(masked) == len(text)
    assert len(revealing) <= min(4, len(text) // 4)
    assert masked_text(masked, entity_type).count("*") >= masked.count("*")


_SECRET = st.text(alphabet="QZXJ☃é", min_size=5, max_size=12)
_CLEAN = st.text(alphabet='abc /~.,\n"\\', max_size=10)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(_CLEAN, _SECRET, _CLEAN), min_size=1, max_size=5),
    st.sampled_from(ALONE),
    st.booleans(),
)
def test_no_value_of_a_finding_survives(parts, operator, as_json):
    text = "".join(before + secret + after for before, secret, after in parts)
    findings, at = [], 0
    for before, secret, after in parts:
        at += len(before)
        findings.append(finding("/data/t", at, at + len(secret), "PERSON"))
        at += len(secret) + len(after)
    if as_json:
        text, findings = json.dumps([secret for _, secret, _ in parts], ensure_ascii=False), []
        at = 0
        for _, secret, _ in parts:
            at = text.index(secret, at)
            findings.append(finding("/data/t", at, at + len(secret), "PERSON"))
            at += len(secret)
    record = {"data": {"t": text}}
    hidden = apply(record, findings, operator=operator, hash_key=KEY)["data"]["t"]
    for _, secret, _ in parts:
        assert secret not in hidden
    if as_json:
        assert len(json.loads(hidden)) == len(parts)
    else:
        assert hidden.startswith(parts[0][0])
        assert hidden.endswith(parts[-1][2])


_JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=12,
)


def _everything(node, pointer):
    if isinstance(node, dict):
        for name, value in node.items():
            below = pointer + "/" + name.replace("~", "~0").replace("/", "~1")
            if name:
                yield finding(below, 0, len(name), "NAME", part="key")
            yield from _everything(value, below)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _everything(value, f"{pointer}/{index}")
    elif isinstance(node, str):
        if node:
            yield finding(pointer, 0, len(node), "VALUE")
    elif isinstance(node, int | float) and not isinstance(node, bool):
        yield finding(pointer, 0, len(number_text(node)), "VALUE")


def _shape(node):
    if isinstance(node, dict):
        return [_shape(value) for value in node.values()]
    return [_shape(value) for value in node] if isinstance(node, list) else "leaf"


def _leaf_texts(node):
    if isinstance(node, dict | list):
        for value in node.values() if isinstance(node, dict) else node:
            yield from _leaf_texts(value)
    else:
        yield node


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=5), _JSON, max_size=4), st.sampled_from(["redact", "replace", "hash"]))
def test_any_record_can_be_hidden_entirely_and_keeps_its_shape(data, operator):
    record = {"data": data}
    before = json.dumps(record)
    hidden = apply(record, list(_everything(data, "/data")), operator=operator, hash_key=KEY)["data"]
    assert _shape(hidden) == _shape(data)
    assert json.dumps(record) == before
    if operator == "redact":
        assert set(_leaf_texts(hidden)) <= {"[REDACTED]", "", None, True, False}


def test_an_encoded_value_does_not_survive():
    token = base64.b64encode(f"write to {EMAIL} please".encode()).decode()
    for operator in ALONE:
        hidden = shown({"x": f"a {token} b"}, operator)["x"]
        assert token[:-8] not in hidden
        assert hidden.startswith("a ")
        assert hidden.endswith(" b")
