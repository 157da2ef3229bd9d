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
        b'{"v":2,"names":[],"records":[]}',
        b'{"v":1,"names":[],"records":[[[0,0,0,1,0,1,0]]]}',
        b'{"v":1,"names":["a"],"records":[[[0,0,1]]]}',
        b'{"v":1,"names":["a"],"records":7}',
    ],
)
def test_other_bytes_are_refused(encoded):
    with pytest.raises(MalformedFindings):
        decode_findings(encoded)


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
