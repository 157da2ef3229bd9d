import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonymization.errors import MalformedFindings
from anonymization.findings import Finding, decode_findings, encode_findings, escape_token, profile, unescape_token

_FINDINGS = st.builds(
    Finding,
    pointer=st.text(max_size=20),
    part=st.sampled_from(["value", "key"]),
    start=st.integers(0, 10**9),
    end=st.integers(0, 10**9),
    entity_type=st.sampled_from(["EMAIL_ADDRESS", "PHONE_NUMBER"]),
    score=st.floats(0, 1),
    recognizer=st.text(max_size=20),
    pattern=st.text(max_size=8),
    context=st.sampled_from(["", "card"]),
    path=st.lists(st.sampled_from(["validated", "supported:+0.35", ""]), max_size=3).map(tuple),
)


@given(st.lists(st.lists(_FINDINGS, max_size=4), max_size=4))
def test_findings_survive_their_encoding(records):
    assert decode_findings(encode_findings(records)) == records


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"v":3,"names":[],"kinds":[],"records":[]}',
        b'{"v":2,"names":[],"records":[]}',
        b'{"v":2,"names":["a"],"kinds":[[0]],"records":[[[0,0,0,1,0,1]]]}',
        b'{"v":2,"names":["a"],"kinds":[[0,0,0,0]],"records":[[[0,0,0,1,1,1]]]}',
        b'{"v":[],"names":[],"records":[]}',
        b'{"v":1,"names":[],"records":[[[0,0,0,1,0,1,0]]]}',
        b'{"v":1,"names":["a"],"records":[[[0,0,1]]]}',
        b'{"v":1,"names":["a"],"records":7}',
    ],
)
def test_other_bytes_are_refused(encoded):
    with pytest.raises(MalformedFindings):
        decode_findings(encoded)


def test_findings_of_format_1_are_still_read():
    encoded = b'{"v":1,"names":["/data/a","US_SSN","SsnRecognizer"],"records":[[[0,1,2,9,1,0.5,2]],[]]}'
    assert decode_findings(encoded) == [[Finding("/data/a", "key", 2, 9, "US_SSN", 0.5, "SsnRecognizer")], []]


def test_what_led_to_findings_is_stored_once():
    def one(number: int) -> Finding:
        return Finding(
            f"/data/{number}", "value", 0, 11, "US_SSN", 0.85, "UsSsn", "SSN5", "social", ("supported:+0.35",)
        )

    alike = [[one(number) for number in range(100)]]
    assert encode_findings(alike).count(b"supported") == 1
    assert len(encode_findings(alike)) < 100 * 40


@given(st.text(max_size=12))
def test_pointer_tokens_are_escaped_reversibly(token):
    assert unescape_token(escape_token(token)) == token
    assert "/" not in escape_token(token)


def test_a_profile_counts_by_field_and_shows_no_personal_name():
    findings = [
        Finding("/data/m/0/c", "value", 0, 3, "EMAIL_ADDRESS", 1.0, "t"),
        Finding("/data/m/12/c", "value", 0, 3, "EMAIL_ADDRESS", 0.4, "t"),
        Finding("/data/m/12/c", "value", 5, 8, "EMAIL_ADDRESS", 0.39, "t"),
        Finding("/data/jane@example.com", "key", 0, 16, "EMAIL_ADDRESS", 0.3, "t"),
        Finding("/data/jane@example.com/ssn", "value", 0, 9, "US_SSN", 0.9, "t"),
    ]
    other = [Finding("/data/m/1/c", "value", 0, 3, "EMAIL_ADDRESS", 1.0, "t")]
    assert profile([findings, other]) == {
        ("/data/m/*/c", "EMAIL_ADDRESS"): 3,
        ("/data/{key}/ssn", "US_SSN"): 1,
    }
    assert profile([findings], threshold=0.2)[("/data/{key}", "EMAIL_ADDRESS")] == 1
