"""Payment cards, and the authentication data of cards that must never be stored (PCI DSS 4.0, requirement 3.3)."""

from typing import Final

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers.checksums import only_digits, passes_luhn

_GAP: Final = r"[ \-.\u00a0\u2009\u2010-\u2013]"
_CARD_CONTEXT: Final = [
    "card", "cards", "credit", "debit", "visa", "mastercard", "amex", "discover", "jcb", "diners", "maestro", "charge",
    "charged", "paid", "pay", "checkout", "cc", "unionpay", "rupay", "payment", "pan", "billing", "expiry", "expires",
]  # fmt: skip

#: Issuer ranges (ISO/IEC 7812): first and last prefix of equal length, and the lengths of numbers issued there.
_ISSUERS: Final = (
    ("34", "34", {15}),
    ("37", "37", {15}),
    ("300", "305", {14, 16, 19}),
    ("309", "309", {14, 16, 19}),
    ("35", "35", {16, 17, 18, 19}),
    ("36", "36", {14, 16, 19}),
    ("38", "39", {14, 16, 19}),
    ("4", "4", {13, 16, 19}),
    ("51", "55", {16}),
    ("2200", "2204", {16, 17, 18, 19}),
    ("2221", "2720", {16}),
    ("50", "50", set(range(12, 20))),
    ("56", "69", set(range(12, 20))),
    ("9792", "9792", {16}),
)

#: Lengths that need a supporting word: too many numbers of other kinds have them and pass the checksum by chance.
_AMBIGUOUS_LENGTHS: Final = frozenset({12, 13, 17, 18, 19})


def is_issued(digits: str) -> bool:
    """Whether numbers with this beginning and this length are issued to cards."""
    return any(first <= digits[: len(first)] <= last and len(digits) in lengths for first, last, lengths in _ISSUERS)


class PaymentCardRecognizer(PatternRecognizer):
    """Card numbers of 12 to 19 digits, grouped or not, by issuer range and check digit.

    Numbers of an ambiguous length keep the pattern's low score unless a word before them speaks of cards.
    """

    def __init__(self) -> None:
        def pattern(name: str, body: str) -> Pattern:
            return Pattern(name, rf"(?<![\w])(?<!\d[.,-]){body}(?!\w)(?![.,-]\d)", 0.3)

        super().__init__(
            supported_entity="CREDIT_CARD",
            name="PaymentCardRecognizer",
            version="1",
            context=_CARD_CONTEXT,
            patterns=[
                Pattern(
                    "4-4-4-4",
                    rf"(?<![\w])\d{{4}}({_GAP}){{1,2}}\d{{4}}{_GAP}{{1,2}}\d{{4}}{_GAP}{{1,2}}\d{{4}}(?!\w)",
                    0.3,
                ),
                Pattern("4-4-4-4-3", rf"(?<![\w])\d{{4}}(?:{_GAP}\d{{4}}){{3}}{_GAP}\d{{1,3}}(?!\w)", 0.3),
                Pattern("4-6-5", rf"(?<![\w])\d{{4}}{_GAP}\d{{6}}{_GAP}\d{{4,5}}(?!\w)", 0.3),
                pattern("4-4-4", rf"\d{{4}}{_GAP}\d{{4}}{_GAP}\d{{4,5}}"),
                pattern("6-13", rf"\d{{6}}{_GAP}\d{{10,13}}"),
                pattern("irregular", rf"\d{{4}}{_GAP}?\d{{3,4}}{_GAP}?\d{{3,4}}{_GAP}?\d{{3,5}}"),
                pattern("ungrouped", r"\d{12,19}"),
            ],
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        digits = only_digits(pattern_text)
        if not (is_issued(digits) and passes_luhn(digits)) or len(set(digits)) == 1:
            return False
        return None if len(digits) in _AMBIGUOUS_LENGTHS else True


class TrackDataRecognizer(PatternRecognizer):
    """The magnetic stripe of a card, tracks 1 and 2 (ISO/IEC 7813)."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="TRACK_DATA",
            name="TrackDataRecognizer",
            version="1",
            patterns=[
                Pattern("track 1", r"%?B\d{12,19}\^[^^\r\n?]{2,26}\^\d{7}[^?\r\n]{0,60}\??", 0.8),
                Pattern("track 2", r"(?<!\w);?\d{12,19}=\d{7,20}\??", 0.8),
            ],
        )

    def validate_result(self, pattern_text: str) -> bool:
        number = regex.search(r"\d{12,19}", pattern_text)
        return bool(number and passes_luhn(only_digits(number.group())))


def card_authentication_recognizers() -> list[EntityRecognizer]:
    """Verification values, PINs and PIN blocks, each after its label."""
    link = r"[\"'`]?(?:\s*(?:codes?|numbers?|no\.?|values?|#))?[\"'`]?\s*(?:is|was|:|=|#|->)?\s*[\"'`(]?"
    return [
        PatternRecognizer(
            supported_entity="CARD_VERIFICATION",
            name="CardVerificationRecognizer",
            version="1",
            context=_CARD_CONTEXT,
            patterns=[
                Pattern("cvv", rf"\b(?:cvv2?|cvc2?|csc|cvn2?|cav2){link}\K\d{{3,4}}\b(?![.,]\d)", 0.6),
                Pattern(
                    "card code", rf"\bcard\s+(?:verification|security|validation){link}\K\d{{3,4}}\b(?![.,]\d)", 0.6
                ),
                Pattern("security code", rf"\bsecurity\s+code{link}\K\d{{3,4}}\b(?![.,]\d)", 0.25),
            ],
        ),
        PatternRecognizer(
            supported_entity="CARD_PIN",
            name="CardPinRecognizer",
            version="1",
            patterns=[Pattern("card pin", rf"\b(?:card|atm|debit|credit)\s+pin{link}\K\d{{4,6}}\b(?![.,]\d)", 0.6)],
        ),
        PatternRecognizer(
            supported_entity="PIN_BLOCK",
            name="PinBlockRecognizer",
            version="1",
            patterns=[Pattern("pin block", rf"\bpin[\s_-]?block{link}\K[0-9A-F]{{16}}\b", 0.8)],
        ),
    ]
