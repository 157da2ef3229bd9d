from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.errors import InvalidRecordId, PersonalRecordId
from datasets.formats.ids import IdRule, checked_id, generated_ids, hashed_id, personal_shape
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.identifiers import uuid7_from

KEY = SecretKey(bytes(range(32)))
JOB = UUID("0192f0c1-2345-7678-9abc-def012345678")
MOMENT = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "a" * 128,
        "chat-0001",
        "user:42",
        "A.b_c~d:e@f-g",
        "train@v2",
        "550e8400-e29b-41d4-a716-446655440000",
        "2024-01-15",
        "2024-01-15T10:20:30",
        "4111111111111111",
        "123456789",
        "192.168.100.200",
        "555-123-4567",
        "1-2-3",
        "0001-0002-0003-0004",
        "a@b",
        "@handle",
        "000-12-3456",
        "666-12-3456",
        "9999-9999-9999-9999",
        "v1.2.3-rc.4",
    ],
)
def test_ids_of_the_allowed_form_pass_unchanged(value):
    assert checked_id(value, 1) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", "id-length"),
        ("a" * 129, "id-length"),
        ("a b", "id-characters"),
        ("é", "id-characters"),
        ("a/b", "id-characters"),
        ('a"b', "id-characters"),
        ("a\n", "id-characters"),
        ("+4915112345678", "id-characters"),
    ],
)
def test_ids_of_another_form_are_refused(value, reason):
    with pytest.raises(InvalidRecordId) as caught:
        checked_id(value, 9)
    assert (caught.value.reason, caught.value.line) == (reason, 9)


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ("jane.doe@example.com", "email"),
        ("user:jane@mail.example.co.uk", "email"),
        ("x~o@a-b.io", "email"),
        ("212-555-0134", "phone"),
        ("1.415.555.2671", "phone"),
        ("0049-171-1234567", "phone"),
        ("01.23.45.67.89", "phone"),
        ("4111-1111-1111-1111", "card"),
        ("3782-822463-10005", "card"),
        ("card:5500.0000.0000.0004", "card"),
        ("GB82-WEST-1234-5698-7654-32", "iban"),
        ("DE89.3704.0044.0532.0130.00", "iban"),
        ("123-45-6789", "ssn"),
        ("ssn:078_05_1120", "ssn"),
    ],
)
def test_personal_data_is_no_id(value, shape):
    with pytest.raises(PersonalRecordId) as caught:
        checked_id(value, 3)
    assert (caught.value.reason, caught.value.line) == (f"id-{shape}", 3)
    assert value not in str(caught.value.as_problem())


@pytest.mark.parametrize("value", ["4111-1111-1111-1112", "GB82-WEST-1234-5698-7654-33"])
def test_numbers_with_a_wrong_check_digit_are_not_personal(value):
    assert personal_shape(value) is None


@given(st.from_regex(r"[A-Za-z0-9._~:@-]{1,128}", fullmatch=True))
def test_any_allowed_id_is_judged_without_failing(value):
    assert personal_shape(value) in (None, "email", "phone", "card", "iban", "ssn")


_PERSONAL = ("jane@example.com", "312-555-0147", "078-05-1120", "4111-1111-1111-1111", "GB29.NWBK.6016.1331.9268.19")


@given(
    st.from_regex(r"[a-z0-9]{0,6}[:~]?", fullmatch=True),
    st.sampled_from(_PERSONAL) | st.text("0123456789-._@AB:~", max_size=20),
)
def test_the_quick_look_at_an_id_misses_no_shape(prefix, value):
    joined = prefix + value or "-"
    if personal_shape(joined) is None:
        assert checked_id(joined, 1) == joined
    else:
        with pytest.raises(PersonalRecordId):
            checked_id(joined, 1)


def test_a_rule_finds_strings_and_integers_in_its_field():
    rule = IdRule("key")
    assert rule.id_of({"key": "a-1"}, 1) == "a-1"
    assert rule.id_of({"key": 17}, 1) == "17"
    for absent in ({}, {"key": None}, {"key": 1.5}, {"key": True}, {"key": []}, {"id": "a"}):
        assert rule.id_of(absent, 1) is None
        with pytest.raises(InvalidRecordId, match="Line 4: "):
            IdRule("key", required=True).id_of(absent, 4)
    assert IdRule(None).id_of({"id": "a"}, 1) is None


def test_hashed_ids_hide_what_they_stand_for():
    rule = IdRule("id", hash_key=KEY)
    hashed = rule.id_of({"id": "jane@example.com"}, 1)
    assert hashed == hashed_id(KEY, "jane@example.com") == "ssdvrcluowotapk5irabpengaowyl7nj"
    assert checked_id(hashed, 1) == hashed
    assert hashed_id(SecretKey(bytes(32)), "jane@example.com") != hashed


@given(st.integers(1, 2**40), st.uuids())
def test_generated_ids_are_uuids_of_the_moment_the_job_and_the_line(line, job_id):
    counter = (job_id.int % 2**26) << 48 | line
    assert generated_ids(MOMENT, job_id)(line) == str(uuid7_from(1772366400123, counter))


def test_generated_ids_sort_by_line_and_do_not_depend_on_the_time_zone():
    generated = generated_ids(MOMENT, JOB)
    ids = [generated(line) for line in (1, 2, 9, 10, 255, 256, 10**9)]
    assert ids == sorted(ids)
    assert all(UUID(each).version == 7 and checked_id(each, 1) == each for each in ids)
    assert generated_ids(MOMENT.astimezone(timezone(timedelta(hours=5))), JOB)(7) == generated(7)
    with pytest.raises(ValueError, match="time zone"):
        generated_ids(MOMENT.replace(tzinfo=None), JOB)
