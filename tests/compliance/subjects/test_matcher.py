"""What is taken for a person's identifier, and what is not."""

import base64

import orjson
import pytest

from compliance.subjects.identifiers import Identifier
from compliance.subjects.matcher import Matcher


def reasons(kind, value, text):
    body = text if isinstance(text, bytes) else orjson.dumps({"text": text})
    return [hit.reason for _, hit in Matcher([Identifier(kind, value)]).find([b'{"n":1}', body])]


@pytest.mark.parametrize(
    ("kind", "value", "text", "expected"),
    [
        ("EMAIL_ADDRESS", "ada@example.com", "Write to ada@example.com.", "exact"),
        ("EMAIL_ADDRESS", "ada@example.com", "Write to ADA@Example.Com!", "normalized"),
        ("EMAIL_ADDRESS", "ada@example.com", "to=ada%40example.com", "encoded"),
        ("EMAIL_ADDRESS", "ada@example.com", "\uff41da@example.com", "normalized"),
        ("PHONE_NUMBER", "+49 30 1234567", "+49-30-123 45 67", "normalized"),
        ("PHONE_NUMBER", "+49 30 1234567", "0049301234567", "normalized"),
        ("PHONE_NUMBER", "+49 30 1234567", "(030) 1234567", "national"),
        ("PHONE_NUMBER", "+1 202 555 0143", "202-555-0143", "national"),
        ("IBAN_CODE", "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "normalized"),
        ("US_SSN", "078-05-1120", "ssn 078051120", "normalized"),
        ("OTHER", "CUST-90417", "account cust 90417", "normalized"),
        ("PERSON", "Jörg Müller", "called Joerg Mueller today", "name"),
        ("PERSON", "Jörg Müller", "Muller, Jorg", "name_variant"),
        ("PERSON", "Jane Mary Doe", "Jane Doe", "name_variant"),
        ("PERSON", "Jane Mary Doe", "J. Doe", "initials"),
        ("PERSON", "Doe, Jane", "JANE\nDOE", "name"),
        ("PERSON", "Ivan Petrov", "Иван Петров", "name"),
    ],
)
def test_a_spelling_is_found_for_its_reason(kind, value, text, expected):
    assert reasons(kind, value, text) == [expected]


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_what_is_encoded_in_base64_is_found_wherever_it_begins(before):
    text = base64.b64encode(f"{before}ada@example.com, and more".encode()).decode()
    assert reasons("EMAIL_ADDRESS", "ada@example.com", text) == ["encoded"]


def test_escaped_characters_of_a_raw_upload_are_read():
    assert reasons("PERSON", "Jörg Müller", b'{"name": "J\\u00f6rg M\\u00fcller"}') == ["name"]
    assert reasons("EMAIL_ADDRESS", "ada@example.com", b'{"a": "ada\\u0040example.com"}') == ["normalized"]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("EMAIL_ADDRESS", "ada@example.com", "nada@example.com"),
        ("EMAIL_ADDRESS", "ada@example.com", "ada@example.com.au"),
        ("EMAIL_ADDRESS", "ada@example.com", "not.ada@example.com"),
        ("PHONE_NUMBER", "+49 30 1234567", "49301234567890"),
        ("US_SSN", "078-05-1120", "1078051120"),
        ("IBAN_CODE", "DE89370400440532013000", "DE893704004405320130"),
        ("PERSON", "Jane Doe", "Janet Doering"),
        ("OTHER", "CUST-90417", "CUST-904170"),
    ],
)
def test_what_only_looks_alike_is_not_found(kind, value, text):
    assert reasons(kind, value, text) == []


def test_every_identifier_of_a_text_has_its_own_hit():
    given = [Identifier("EMAIL_ADDRESS", "ada@example.com"), Identifier("PERSON", "Ada Byron")]
    texts = [b'{"a":"Ada Byron"}', b'{"a":"ada@example.com, Byron Ada"}']
    found = [(index, hit.number, hit.reason) for index, hit in Matcher(given).find(texts)]
    assert found == [(0, 1, "name"), (1, 0, "exact"), (1, 1, "name_variant")]


def test_the_spelling_that_was_found_is_told_letter_by_letter():
    hits = Matcher([Identifier("PHONE_NUMBER", "+49301234567")]).find([b'{"t":"call +49 30 1234567 now"}'])
    assert [hit.spelling for _, hit in hits] == ["+49 30 1234567"]
