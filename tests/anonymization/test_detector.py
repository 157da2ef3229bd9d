import contextlib
import socket
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import pytest
from faker import Faker
from hypothesis import given, settings
from hypothesis import strategies as st
from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.context_aware_enhancers import LemmaContextAwareEnhancer
from presidio_analyzer.nlp_engine import NoOpNlpEngine

from anonymization.detectors import context
from anonymization.detectors import scan as scan_module
from anonymization.detectors.base import Span
from anonymization.detectors.engine import VaultDetector
from anonymization.detectors.recognizers.catalogue import build_recognizers
from anonymization.errors import DetectionFailed
from anonymization.findings import ACT_FROM, STORE_FROM


@cache
def detector():
    return VaultDetector()


@cache
def unfiltered():
    return VaultDetector(prefiltered=False)


def acted_on(text):
    [spans] = detector().detect_texts([text])
    return {(span.entity_type, text[span.start : span.end]) for span in spans if span.score >= ACT_FROM}


@pytest.mark.parametrize(
    ("text", "entity_type", "value"),
    [
        ("Write to jane.doe@example.com today", "EMAIL_ADDRESS", "jane.doe@example.com"),
        ("Write to jane@corp.internal today", "EMAIL_ADDRESS", "jane@corp.internal"),
        ("Call +1 415-555-0132 now", "PHONE_NUMBER", "+1 415-555-0132"),
        ("Call (415) 555-0132 now", "PHONE_NUMBER", "(415) 555-0132"),
        ("my phone is 4155550132", "PHONE_NUMBER", "4155550132"),
        ("Pay with 4111 1111 1111 1111 please", "CREDIT_CARD", "4111 1111 1111 1111"),
        ("Pay with 4111111111111111 please", "CREDIT_CARD", "4111111111111111"),
        ("Amex 378282246310005", "CREDIT_CARD", "378282246310005"),
        ("2-series 2221-0000-0000-0009", "CREDIT_CARD", "2221-0000-0000-0009"),
        ("JCB 3530 1113 3330 0000", "CREDIT_CARD", "3530 1113 3330 0000"),
        ("a maestro card 501234567896 (12)", "CREDIT_CARD", "501234567896"),
        ("card 4000 0000 0000 0000 006", "CREDIT_CARD", "4000 0000 0000 0000 006"),
        ("SSN 536-22-8726", "US_SSN", "536-22-8726"),
        ("IBAN DE89370400440532013000 2 days later", "IBAN_CODE", "DE89370400440532013000"),
        ("from 192.168.17.4 at noon", "IP_ADDRESS", "192.168.17.4"),
        ("host 2001:db8:85a3::8a2e:370:7334 up", "IP_ADDRESS", "2001:db8:85a3::8a2e:370:7334"),
        ("NINO AB123456C on file", "UK_NINO", "AB123456C"),
        ("Aadhaar: 2345 6789 0123", "IN_AADHAAR", "2345 6789 0123"),
        ("PAN card ABCPE1234F", "IN_PAN", "ABCPE1234F"),
        ("MRN: 00451234", "MEDICAL_RECORD_NUMBER", "00451234"),
        ("account number is 12345678", "BANK_ACCOUNT", "12345678"),
        ("routing number 021000021", "ABA_ROUTING_NUMBER", "021000021"),
        ("Employee ID: E-20417", "ID_NUMBER", "E-20417"),
        ("password: hunter2", "PASSWORD", "hunter2"),
        ('{"password": "correct horse"}', "PASSWORD", "correct horse"),
        ("my password is Tr0ub4dor&3 ok", "PASSWORD", "Tr0ub4dor&3"),
        ("sign in with password Qr7!dke#39 today", "PASSWORD", "Qr7!dke#39"),
        ("jane@example.com / W!nter2024", "PASSWORD", "W!nter2024"),
        ("account number 'SBIN012345678901'", "BANK_ACCOUNT", "SBIN012345678901"),
        ("her driver\u2019s license Y820-9283-4432", "DRIVER_LICENSE", "Y820-9283-4432"),
        ("TIN 11-4391209 on the form", "US_TIN", "11-4391209"),
        ("api_key=abcd1234efgh", "API_KEY", "abcd1234efgh"),
        ("key AKIAIOSFODNN7EXAMPLE used", "API_KEY", "AKIAIOSFODNN7EXAMPLE"),
        ("push with ghp_0123456789abcdefghijABCDEFGHIJ012345", "API_KEY", "ghp_0123456789abcdefghijABCDEFGHIJ012345"),
        ("use sk_" + "live_0123456789abcdefABCDEF", "API_KEY", "sk_" + "live_0123456789abcdefABCDEF"),
        ("bot xoxb-" + "123456789012-abcdefGHIJKL", "API_KEY", "xoxb-" + "123456789012-abcdefGHIJKL"),
        ("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "ACCESS_TOKEN",
         "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"),
        ("postgres://bob:s3cret@db.example.com/x", "ACCESS_TOKEN", "s3cret"),
        ("-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----", "PRIVATE_KEY",
         "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"),
        ("CVV: 123", "CARD_VERIFICATION", "123"),
        ("the visa security code is 9876", "CARD_VERIFICATION", "9876"),
        ("my card pin is 4921", "CARD_PIN", "4921"),
        ("pin block: 0412AC89ABCDEF67", "PIN_BLOCK", "0412AC89ABCDEF67"),
        (";4111111111111111=25121011234567890123?", "TRACK_DATA", ";4111111111111111=25121011234567890123?"),
        ("%B4111111111111111^DOE/JANE^25121010000000000000?", "TRACK_DATA",
         "%B4111111111111111^DOE/JANE^25121010000000000000?"),
    ],
)  # fmt: skip
def test_personal_data_is_found(text, entity_type, value):
    assert (entity_type, value) in acted_on(text)


@pytest.mark.parametrize(
    "text",
    [
        "The event at 1700000000000 was late",
        "ts=1700000000000",
        "created 1700000000",
        "row 123456789 of the table",
        "order 4155550132 was shipped",
        "order number 4155550132 was shipped",
        "order 112-1234567-1234567 from the shop",
        "ids 100000001 100000002 100000003",
        "sequence 1234567890, 12345678901, 123456789012 and 1234567890123",
        "a snowflake 1047281948172648449",
        "microseconds 1700000000123456",
        "He saved 3000-2700=300 dollars",
        "1,800,000-180,000=$1800000-180000=1620000",
        "There are 400-120-200=80",
        "The status code is 404 and 1234567 rows",
        "sodium bicarbonate is a white powder",
        "Password: required",
        "the secret: ********",
        "a password manager with 12characters and password hashing",
        "write to the team@ 5: then leave",
        "He did not pass: nobody does",
        "To be sure.Is it so",
        "I wrote a card 4111 1111 1111 1112",
        "version 2.10.3 build 20240131",
    ],
)
def test_plain_numbers_and_words_stay_below_the_threshold(text):
    assert acted_on(text) == set()


def test_a_run_of_digits_never_counts_without_support():
    fake = Faker()
    fake.seed_instance(7)
    for length in (9, 10, 11, 12, 13):
        for _ in range(200):
            number = fake.numerify("%" + "#" * (length - 1))
            assert acted_on(f"we saw {number} there") == set(), length


def test_a_field_name_or_word_supports_a_run_of_digits():
    assert acted_on("phone: 4155550132") == {("PHONE_NUMBER", "4155550132")}
    assert ("US_SSN", "536228726") in acted_on("ssn: 536228726")


def test_findings_are_kept_from_the_lower_threshold():
    [spans] = detector().detect_texts(["we saw 4155550132 there"])
    assert any(STORE_FROM <= span.score < ACT_FROM for span in spans)


_ODDITIES = [
    "phone", "password", "api_key", ": ", "=", " ", "\n", "@", ".", "-", "/", "://", "::", "account number", "mrn",
    "pan", "\u017fsn", "pa\u017f\u017fword: hunter2 ", "TO\N{KELVIN SIGN}EN=abcd1234 ", "passport", "\u0130ban",
    "driv", "card", "cvv", "pin block ", "www.example.com", "'http://a.io'", '"b.org"', "a1:b2:c3:d4:e5:f6",
    "fe80::1", "10.0.0.1", "1/2/2020", "3-mar-2020", "\u0664\u0661\u0665\u0665\u0665\u0660\u0661\u0663\u0662",
    "\uff14\uff11", "\u200b", "0012.3456.789a", "sort code", "routing", "medicare", "bc1q", "x", "insurance",
    "RSSMRA85T10A562S", "token", "swift",
]  # fmt: skip
_PIECES = st.one_of(
    st.sampled_from(_ODDITIES),
    st.text(alphabet="0123456789- .", min_size=1, max_size=18),
    st.text(alphabet="ABCXYZabcxyz0189", min_size=1, max_size=18),
    st.text(max_size=6),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=14).map("".join))
def test_the_prefilter_changes_nothing(text):
    assert detector().detect_texts([text]) == unfiltered().detect_texts([text])


def _fake_texts(count):
    for seed, locale in enumerate(
        ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pl_PL", "hi_IN", "ja_JP", "tr_TR"]
    ):
        fake = Faker(locale)
        fake.seed_instance(seed)
        makers = [
            fake.phone_number, fake.email, fake.iban, fake.ssn, fake.ipv4, fake.ipv6, fake.mac_address, fake.url,
            fake.uuid4, fake.date, fake.address, fake.name, fake.sentence, fake.credit_card_number, fake.swift,
            fake.bban, fake.password, partial(fake.bothify, "??######?"), partial(fake.numerify, "###-##-####"),
        ]  # fmt: skip
        for _ in range(count):
            yield fake.random_element([" ", ", ", "\n", ": ", ""]).join(
                fake.random_element(makers)() for _ in range(fake.random_int(1, 6))
            )


def test_the_prefilter_changes_nothing_on_realistic_text():
    texts = list(_fake_texts(60))
    gated, full = detector().detect_texts(texts), unfiltered().detect_texts(texts)
    assert sum(map(len, full)) > 500
    assert gated == full


class _OurContext(LemmaContextAwareEnhancer):
    """presidio's scoring with our choice of words."""

    def enhance_using_context(self, text, raw_results, nlp_artifacts, recognizers, context=None):
        self.text = text
        nlp_artifacts.tokens = [text]
        return super().enhance_using_context(text, raw_results, nlp_artifacts, recognizers, context)

    def _extract_surrounding_words(self, nlp_artifacts, word, start):  # noqa: ARG002 - presidio's signature
        return context.words_before(self.text, start)

    @staticmethod
    def _find_supportive_word_in_context(context_list, recognizer_context_list, _matching_mode="substring"):
        return "found" if context.is_supported(context_list, recognizer_context_list) else ""


@cache
def engine():
    registry = RecognizerRegistry(build_recognizers(), supported_languages=["en"])
    nlp = NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "no_op"}])
    with warnings.catch_warnings(action="ignore"):  # it warns that the words of the text will be missing: we bring them
        return AnalyzerEngine(registry, nlp, supported_languages=["en"], context_aware_enhancer=_OurContext())


def test_spans_and_scores_are_those_of_the_analyzer_engine():
    texts = [
        *_fake_texts(25),
        *(f"{label} {text}" for label, text in zip(["phone", "ssn", "card"] * 20, _fake_texts(6), strict=True)),
    ]
    compared = 0
    for text in texts:
        expected = {(r.start, r.end, r.entity_type, r.score) for r in engine().analyze(text, "en")}
        actual = {(s.start, s.end, s.entity_type, s.score) for s in detector().pattern_spans(text)}
        assert actual == expected, text
        compared += len(expected)
    assert compared > 300


def test_detection_opens_no_socket(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    [spans] = VaultDetector().detect_texts(["a@new-domain-never-seen.co.uk http://x.example.museum/ b@c.invalid"])
    assert {"EMAIL_ADDRESS", "URL"} <= {span.entity_type for span in spans}


def test_a_batch_gives_what_single_texts_give_and_order_is_kept():
    texts = [*_fake_texts(5), "", "a@b.com", "a@b.com"]
    assert detector().detect_texts(texts) == [detector().detect_texts([text])[0] for text in texts]


def test_threads_share_a_detector():
    texts = list(_fake_texts(3))
    expected = detector().detect_texts(texts)
    fresh = VaultDetector()
    with ThreadPoolExecutor(6) as pool:
        assert all(found == expected for found in pool.map(lambda _: fresh.detect_texts(texts), range(12)))


def slow_recognizer():
    # What must not stand before is no part of the prefilter's condition, so the backtracking engine does run.
    return PatternRecognizer("SLOW", name="Slow", patterns=[Pattern("slow", r"(?:a|aa)+(?<!a)", 0.5)])


def test_a_pattern_that_runs_too_long_fails_the_text(monkeypatch):
    monkeypatch.setattr(scan_module, "REGEX_TIMEOUT_SECONDS", 0.05)
    slow = VaultDetector(recognizers=["tests.anonymization.test_detector.slow_recognizer"])
    with pytest.raises(DetectionFailed) as failure:
        slow.detect_texts(["a" * 60])
    assert failure.value.__cause__ is None


def broken_recognizer():
    class Broken(PatternRecognizer):
        def validate_result(self, pattern_text):
            raise ValueError(pattern_text)

    return Broken("BROKEN", name="Broken", patterns=[Pattern("digits", r"\d{4} \d{4}", 0.5)])


def test_a_failing_recognizer_fails_the_text_without_quoting_it():
    failing = VaultDetector(recognizers=["tests.anonymization.test_detector.broken_recognizer"])
    with pytest.raises(DetectionFailed) as failure:
        failing.detect_texts(["a@b.com 4111 1111 1111 1111"])
    assert "4111" not in str(failure.value)
    assert failure.value.__suppress_context__


def test_hostile_text_is_scanned_or_refused_in_time():
    hostile = [
        "1" * 100_000, "1-" * 10_000, "a." * 5_000, "a@" * 50_000, ":" * 100_000, "(+" * 50_000, "password: " * 10_000,
        "-" * 100_000, "eyJ" * 30_000, "::1" * 30_000, "a" * 100_000, "'a" * 50_000,
    ]  # fmt: skip
    for text in hostile:
        started = time.process_time()
        with contextlib.suppress(DetectionFailed):
            detector().detect_texts([text])
        assert time.process_time() - started < 60, text[:4]


def test_the_content_hash_tells_what_the_result_depends_on():
    assert detector().content_hash == VaultDetector().content_hash
    assert len(detector().content_hash) == 32
    other = VaultDetector(custom=[{"name": "badge", "regex": r"B-\d{6}", "entity_type": "ID_NUMBER"}])
    assert other.content_hash != detector().content_hash


def test_card_checks_follow_issuer_and_check_digit():
    assert acted_on("number 1234 5678 9012 3452") == set()
    assert acted_on("visa 4222222222222") == {("CREDIT_CARD", "4222222222222")}


def test_every_span_lies_in_its_text():
    for text in _fake_texts(10):
        for span in detector().detect_texts([text])[0]:
            assert isinstance(span, Span)
            assert 0 <= span.start < span.end <= len(text)
            assert STORE_FROM <= span.score <= 1.0
