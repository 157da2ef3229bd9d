import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import InvalidRecordId
from datasets.formats.ids import IdRule, checked_id
from datasets.formats.jsonl import read_jsonl
from datasets.formats.key_fields import KeyFields, key_pointers
from vaultsite.kernel.crypto.keys import SecretKey

SECRET = SecretKey(b"k" * 32)


def key(names, secret=SECRET):
    return KeyFields.of(names, secret)


def test_equal_values_give_one_id_whatever_the_order_of_fields():
    data = {"mail": "jane@example.com", "day": 7, "more": 1}
    named = key("mail,day").id_of(data, 1)
    assert named == key("day, mail").id_of(data | {"more": 2}, 9)
    assert named == key("/mail,/day").id_of(data, 1)
    assert checked_id(named, 1) == named
    assert len(named) == 32


@pytest.mark.parametrize(
    "other", [{"a": "1", "b": 2}, {"a": 1, "b": "2"}, {"a": 12, "b": ""}, {"a": 2, "b": 1}, {"a": 1.0, "b": 2}]
)
def test_other_values_or_types_give_another_id(other):
    assert key("a,b").id_of({"a": 1, "b": 2}, 1) != key("a,b").id_of(other, 1)


def test_another_dataset_gives_another_id():
    data = {"mail": "jane@example.com"}
    assert key("mail").id_of(data, 1) != key("mail", SecretKey(b"o" * 32)).id_of(data, 1)


def test_pointers_lead_into_objects_and_arrays():
    data = {"a/b": {"~": [{"n": 1}, {"n": 2}]}}
    assert key("/a~1b/~0/1/n").id_of(data, 1) == key("/a~1b/~0/1/n").id_of({"a/b": {"~": [0, {"n": 2}]}}, 1)
    assert key("a/b").pointers == ("/a~1b",)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "key-missing"),
        ({"a": None}, "key-missing"),
        ({"a": []}, "key-type"),
        ({"a": {"b": 1}}, "key-type"),
    ],
)
def test_a_record_without_its_key_is_refused_with_its_line(data, reason):
    with pytest.raises(InvalidRecordId) as caught:
        key("a").id_of(data, 5)
    assert (caught.value.reason, caught.value.line) == (reason, 5)


@pytest.mark.parametrize("names", ["", "a,,b", "a,a", "/", "a,/a", "/a~2", ",".join(f"f{n}" for n in range(17))])
def test_a_list_of_fields_that_makes_no_sense_is_a_value_error(names):
    with pytest.raises(ValueError):
        key_pointers(names)


@pytest.mark.parametrize("pointer", ["/0", "/a/-1", "/a/01", "/a/9", "/a/99999999999999999999", "/a/x", "/a/0/b"])
def test_a_pointer_that_leads_nowhere_is_a_missing_key(pointer):
    with pytest.raises(InvalidRecordId):
        key(pointer).id_of({"a": [1]}, 1)


def test_in_an_envelope_the_key_is_sought_in_the_data():
    rule = IdRule(key=key("n"))
    (record,) = read_jsonl([b'{"id": "x", "data": {"n": 1}}\n'], ids=rule, envelope=True)
    assert record.id == key("n").id_of({"n": 1}, 1)


@given(
    st.dictionaries(st.text(min_size=1, max_size=4), st.text(max_size=4) | st.integers(-9, 9), min_size=1, max_size=4)
)
def test_every_member_can_be_a_key(data):
    for name in data:
        pointer = "/" + name.replace("~", "~0").replace("/", "~1")
        if "," not in name and name == name.strip():
            assert key(pointer).id_of(data, 1) == key(pointer).id_of({name: data[name]}, 1)
