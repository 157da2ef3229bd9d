import base64
import json
from functools import cache
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.detectors import walk
from anonymization.detectors.base import Detector, Span
from anonymization.detectors.engine import VaultDetector
from anonymization.findings import ACT_FROM, UNSCANNABLE

EMAIL = "jane.doe@example.com"
#: A card number in full-width digits.
WIDE_CARD = "4111 1111 1111 1111".translate({ord(digit): ord(digit) + 0xFEE0 for digit in "14"})


@cache
def detector():
    return VaultDetector()


def scan(data, metadata=None):
    [findings] = walk.scan_records([{"data": data, "metadata": metadata or {}}], detector())
    return [finding for finding in findings if finding.score >= ACT_FROM]


def places(data, metadata=None):
    return {(finding.pointer, finding.part, finding.entity_type) for finding in scan(data, metadata)}


class Marks(Detector):
    """Finds every run of ``#``: a detector whose right answer is known for any text."""

    name, version = "marks", "1"
    content_hash = b""

    def detect_texts(self, texts):
        return [list(self._runs(text)) for text in texts]

    def _runs(self, text):
        at = text.find("#")
        while at >= 0:
            end = at
            while end < len(text) and text[end] == "#":
                end += 1
            yield Span(at, end, "MARK", 1.0, "marks")
            at = text.find("#", end)


def test_every_place_of_a_record_is_reached():
    data = {
        "messages": [{"role": "user", "content": f"I am {EMAIL}"}, {"parts": [["x", [f"{EMAIL}"]]]}],
        EMAIL: {"a/b~c": EMAIL},
        "phone_number": 4155550132,
        "balance": 12.5,
        "flag": True,
        "nothing": None,
    }
    assert places(data, {"author": EMAIL}) == {
        ("/data/messages/0/content", "value", "EMAIL_ADDRESS"),
        ("/data/messages/1/parts/0/1/0", "value", "EMAIL_ADDRESS"),
        (f"/data/{EMAIL}", "key", "EMAIL_ADDRESS"),
        (f"/data/{EMAIL}/a~1b~0c", "value", "EMAIL_ADDRESS"),
        ("/data/phone_number", "value", "PHONE_NUMBER"),
        ("/metadata/author", "value", "EMAIL_ADDRESS"),
    }


def test_a_field_name_labels_its_value_at_any_spelling():
    for name in ("ssn", "SSN", "user_ssn", "userSsn", "user-ssn"):
        assert ("/data/" + name, "value", "US_SSN") in places({name: 536228726}), name
    assert ("/data/password", "value", "PASSWORD") in places({"password": "correct horse battery"})
    assert ("/data/cards/0/cvv", "value", "CARD_VERIFICATION") in places({"cards": [{"cvv": "123"}]})
    assert places({"rows": 536228726, "text": "correct horse"}) == set()


def test_a_label_is_no_part_of_the_finding():
    [finding] = [f for f in scan({"password": "hunter2!"}) if f.entity_type == "PASSWORD"]
    assert (finding.start, finding.end) == (0, 8)


def test_json_inside_a_string_is_read_and_located():
    inner = {
        "to": "jane\u0040example.com\nBye",
        "n": {"phone": 4155550132},
        EMAIL: [],
        "deep": json.dumps({"cc": "bob@example.com"}),
    }
    text = json.dumps(inner).replace("@", "\\u0040")
    found = [f for f in scan({"arguments": text}) if f.entity_type in ("EMAIL_ADDRESS", "PHONE_NUMBER")]
    assert [text[f.start : f.end] for f in found] == [
        "jane\\u0040example.com",
        "4155550132",
        "jane.doe\\u0040example.com",
        "bob\\u0040example.com",
    ]


def test_broken_json_is_read_as_text_and_its_escapes_are_decoded():
    text = '{"to": "jane\\u0040example.com", '
    found = {(f.entity_type, text[f.start : f.end]) for f in scan({"arguments": text})}
    assert ("EMAIL_ADDRESS", "jane\\u0040example.com") in found


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_of_text_is_hidden_as_a_whole(encode):
    token = encode(f"please write to {EMAIL} ??>".encode()).decode()
    text = f"payload={token} end"
    [finding] = scan({"x": text})
    assert (finding.entity_type, text[finding.start : finding.end].strip("=")) == ("EMAIL_ADDRESS", token.strip("="))


def test_base64_over_several_lines_is_hidden_as_a_whole():
    token = base64.encodebytes((f"Dear all, this is a long letter. Yours, {EMAIL}. " * 4).encode()).decode().strip()
    findings = scan({"x": f"begin\n{token}\nend"})
    assert {f.entity_type for f in findings} == {"EMAIL_ADDRESS"}
    assert findings[0].end - findings[0].start == len(token)


def test_percent_encoding_is_hidden_as_a_whole():
    token = quote(EMAIL, safe="").replace("j", "%6A")
    text = f"see q={token} now"
    [finding] = [f for f in scan({"x": text}) if f.entity_type == "EMAIL_ADDRESS"]
    assert text[finding.start : finding.end] == f"q={token}"


def test_encodings_within_encodings_are_read():
    once = base64.b64encode(f"mail {EMAIL} today".encode()).decode()
    twice = base64.b64encode(f"inside: {once}".encode()).decode()
    assert places({"x": json.dumps({"a": quote(f"v={twice}&w", safe="")})}) == {("/data/x", "value", "EMAIL_ADDRESS")}


def test_what_is_encoded_too_deep_is_withheld():
    text = "plain"
    for _ in range(walk.MAX_DEPTH + 2):
        text = json.dumps({"a": text})
    assert (("/data/x", "value", UNSCANNABLE)) in places({"x": text})


@pytest.mark.parametrize(
    "content",
    [
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUg==",
        base64.b64encode(bytes(range(256)) * 2).decode(),
        "data:application/pdf;base64," + base64.b64encode(b"%PDF-1.7\xff\xfe" * 9).decode(),
        "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4",
    ],
)
def test_content_nobody_can_look_into_is_marked(content):
    text = f"look: {content} nice"
    [finding] = [f for f in scan({"x": text}) if f.entity_type == UNSCANNABLE]
    assert text[finding.start : finding.end] == content
    assert finding.score == 1.0


def test_a_data_url_of_text_is_read():
    assert places({"x": "data:text/plain;base64," + base64.b64encode(EMAIL.encode()).decode()}) == {
        ("/data/x", "value", "EMAIL_ADDRESS")
    }


@pytest.mark.parametrize(
    "text",
    [
        "d41d8cd98f00b204e9800998ecf8427e",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "internationalization",
        "someCamelCaseIdentifierName",
    ],
)
def test_digests_and_words_are_not_content(text):
    assert places({"x": text}) == set()


@pytest.mark.parametrize(
    ("text", "entity_type", "hidden"),
    [
        ("mail ja\u200dne@exam\u200bple.com x", "EMAIL_ADDRESS", "ja\u200dne@exam\u200bple.com"),
        ("mail jane\uff20example\uff0ecom x", "EMAIL_ADDRESS", "jane\uff20example\uff0ecom"),
        ("card 4111\u200b1111\u200b1111\u200b1111 x", "CREDIT_CARD", "4111\u200b1111\u200b1111\u200b1111"),
        (f"card {WIDE_CARD} x", "CREDIT_CARD", WIDE_CARD),
        ("\u0440\u0430\u0455\u0455w\u043erd: hunter2 x", "PASSWORD", "hunter2"),
        ("\u202eIBAN\u202c DE89\u00ad3704\u00ad0044\u00ad0532\u00ad0130\u00ad00 x", "IBAN_CODE",
         "DE89\u00ad3704\u00ad0044\u00ad0532\u00ad0130\u00ad00"),
    ],
)  # fmt: skip
def test_invisible_and_look_alike_characters_hide_nothing(text, entity_type, hidden):
    found = {(f.entity_type, text[f.start : f.end]) for f in scan({"x": text})}
    assert (entity_type, hidden) in found


def test_offsets_count_code_points():
    text = f"😀😀 {EMAIL}"
    [finding] = scan({"x": text})
    assert (finding.start, text[finding.start : finding.end]) == (3, EMAIL)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 700), st.integers(1, 120)), max_size=12))
def test_windows_see_what_one_scan_sees(runs):
    text = "".join("." * gap + "#" * length + "." for gap, length in runs)
    original = walk.WINDOW, walk.OVERLAP
    walk.WINDOW, walk.OVERLAP = 400, 100
    try:
        found = walk.scan_text(text, Marks())
    finally:
        walk.WINDOW, walk.OVERLAP = original
    assert found == Marks().detect_texts([text])[0]


@pytest.mark.parametrize("shift", [-30, -21, -20, -10, -1, 0, 1, 5, 500, 990, 1000, 1010])
def test_data_across_the_cut_of_a_long_text_is_found_once_and_whole(shift):
    filler = "lorem ipsum " * 30_000
    cut = walk.WINDOW + shift - walk.OVERLAP
    for at in (cut, walk.WINDOW + shift):
        text = f"{filler[:at]} {EMAIL} {filler[at : 2 * walk.WINDOW]}"
        assert [text[f.start : f.end] for f in scan({"x": text})] == [EMAIL]


def test_a_secret_longer_than_the_overlap_is_hidden_to_its_end():
    body = "\n".join(["MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7"] * 80)
    pem = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    for before in (walk.WINDOW - 2_000, walk.WINDOW - 40, walk.WINDOW - 1_500):
        text = "word " * (before // 5) + pem + " word" * 30_000
        start, end = text.index(pem), text.index(pem) + len(pem)
        assert any(f.entity_type == "PRIVATE_KEY" and f.start == start and f.end == end for f in scan({"x": text})), (
            before
        )


def test_a_batch_gives_what_single_records_give():
    records = [
        {"data": {"a": EMAIL}, "metadata": {}},
        {"data": {}, "metadata": {}},
        {"data": {"a": [EMAIL, 1]}, "metadata": {}},
    ]
    assert walk.scan_records(records, detector()) == [walk.scan_records([r], detector())[0] for r in records]


def test_depth_costs_no_recursion():
    node = EMAIL
    for _ in range(20_000):
        node = [node]
    assert len(scan({"x": node})) == 1
