"""Phone numbers as people write them in their own country: by grouping, prefix and label, valid or not."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import phonenumbers
import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers.checksums import only_digits
from anonymization.detectors.recognizers.labels import LINK_BEFORE_BRACKET, START, STOP

#: Between two groups of digits of one number.
_GAP: Final = r"[ \u00a0.\-/\u2010-\u2013]"
_EXTENSION: Final = r"(?:[ ]?,?[ ]?(?:x|ext\.?|extension|ext[ ]no\.?|#)[ ]?\d{1,6})?"
_FREE: Final = r"(?<![\w.,/$\u20ac\u00a3+*=-])(?<!\d[ ])"
_END: Final = r"(?![\w=*%])(?![.,:/-]\d)"
_NO_DATE: Final = r"(?!\d{1,4}[./ -]\d{1,2}[./ -]\d{2,4}(?![\d ]))"
#: A number as it follows a label: any grouping, since the label says what it is.
_ANY: Final = (
    rf"{_NO_DATE}(?:\+[ ]?)?\(?\d(?:[ ()./\-\u00a0\u2010-\u2013]{{0,3}}\d){{6,14}}{_EXTENSION}(?!\w)(?![.,]\d)"
)

_WORDS: Final = [
    "phone", "telephone", "tel", "cell", "cellphone", "mobile", "mob", "call", "called", "calling", "fax", "whatsapp",
    "telegram", "signal", "dial", "sms", "contact", "reach", "reached", "hotline", "ring", "landline", "handy", "telefon",
    "telefono", "tel\u00e9fono", "telefone", "t\u00e9l\u00e9phone", "portable", "m\u00f3vil", "celular", "cellulare", "mobil", "viber", "pager", "beeper",
]  # fmt: skip
_LABELS: Final = (
    r"(?:(?:cell|mobile|home|work|office|business|day(?:time)?|evening|emergency|contact|direct|main|primary|secondary)[\s_-]?)?"
    r"(?:(?:tele)?phones?|tel(?:efono|efon|efone|\u00e9fono|\u00e9fon)?|t\u00e9l\.?(?:\u00e9phone)?|mobiles?|mob|cell(?:ulare|ular|phone)?|whats?app|handy|m\u00f3vil"
    r"|gsm|telegram|signal|viber|pager|hotline|landline|call(?:ed|ing)?|dial(?:l?ing|led)?|ring|(?:text|sms)(?:ing)?(?=\s(?:me|him|her|us|them|at|to)))"
    r"|(?:ph|t|m)(?=[.]?[ ]?:[ ]?[+(]?\d)|(?:my|his|her|their|your|our|new|old|contact|emergency|callback|call-back|home|work|office|direct|best|same|this)[\s_-](?:number|no\.|nr\.?|line)"
    r"|(?:reach|contact|phone|text|call|ring|message|msg|catch|get)\s(?:me|him|her|us|them|you|\w{2,15})(?:\s\w{2,12}){0,2}?(?=\s(?:at|on|under|via|using)\b)"
    r"|(?:reached|contacted|available|answers?)(?:\s\w{2,15}){0,2}?(?=\s(?:at|on|under|via)\b)"
)
_AT: Final = r"(?:[\s_]?(?:phone|number|line|me|him|her|us|them|now|back)\b)?(?:[\s_](?:at|on|under|via|using|to|with|directly|anytime)\b){0,2}"

_EIGHT: Final = 8
_YEARS: Final = regex.compile(r"(?:19|20)\d\d\D(?:19|20)\d\d")
_THOUSANDS: Final = regex.compile(r"\+?\d{1,3}(?:[. ]000)+|\d{1,3}(?:\.\d{3})+")
_QUAD: Final = regex.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_SUM: Final = regex.compile(r"\d{2,6}\.\d{2}")
_ISBN: Final = regex.compile(r"97[89]\D\d[\d\D]*")
_LONGEST: Final = 15
_NINE: Final = 9
_TWELVE: Final = 12

#: How many digits the numbers of a pattern have, country code and trunk zero included (ITU-T E.164: at most 15).
_LENGTHS: Final[Mapping[str, range]] = MappingProxyType(
    {
        "international": range(_EIGHT, _LONGEST + 1),
        "abroad": range(_NINE + 1, _LONGEST + 3),
        "area in brackets": range(_EIGHT, _TWELVE + 1),
        "trunk zero": range(_NINE, _TWELVE + 1),
    }
)


class PhoneShapeRecognizer(PatternRecognizer):
    """Groups of digits that look like a phone number; those of the weak patterns count only with a supporting word."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="PHONE_NUMBER",
            name="PhoneShapeRecognizer",
            version="1",
            context=_WORDS,
            patterns=[
                Pattern("international", rf"(?<![\w+.,/=*-])\(?\+[ ]?[1-9](?:[ .\-/()\u00a0\u2010-\u2013]{{0,3}}\d){{7,14}}{_EXTENSION}{_END}", 0.45),
                Pattern("abroad", rf"{_FREE}00[ .-]?[1-9]\d{{0,2}}[ .\-/(]{{1,2}}\d(?:[ .\-/()]{{0,2}}\d){{6,12}}{_EXTENSION}{_END}", 0.45),
                Pattern("North American", rf"{_FREE}(?:(?:\+?1|001)[ .\-]{{1,2}})?(?:\(\d{{3}}\)[ ]?[-.]?|\d{{3}}{_GAP})\d{{3}}{_GAP}\d{{4}}{_EXTENSION}{_END}", 0.4),
                Pattern("area in brackets", rf"(?<![\w)])(?<!\d[ ])\((?!(?:19|20)\d\d\))0?\d{{2,4}}(?:[ ]\d{{1,3}})?\)[ ]?-?\d{{2,5}}(?:{_GAP}\d{{2,5}}){{0,3}}{_EXTENSION}{_END}", 0.4),
                Pattern("trunk zero", rf"{_FREE}{_NO_DATE}0[1-9]\d{{0,3}}{_GAP}(?:[ ]?[-/][ ]?)?\d{{1,8}}(?:{_GAP}\d{{2,8}}){{0,4}}{_EXTENSION}{_END}", 0.4),
                Pattern("place behind it", rf"{_FREE}{_NO_DATE}\d{{2,4}}(?:{_GAP}\d{{2,5}}){{1,4}}(?=[ ]?[-(][ ]?(?:cell|mobile|home|work|office|fax|tel|direct)\b)", 0.5),
                Pattern("grouped", rf"{_FREE}{_NO_DATE}\d{{2,5}}(?:{_GAP}\d{{2,5}}){{1,4}}{_EXTENSION}{_END}", 0.25),
            ],
        )  # fmt: skip

    def invalidate_result(self, pattern_text: str) -> bool:
        digits = only_digits(pattern_text.lower().partition("x")[0].partition("#")[0])
        if not _EIGHT - 1 <= len(digits) <= _LONGEST + 2 or len(set(digits)) < 3:  # noqa: PLR2004 - 0000000 is none
            return True
        if any(shape.fullmatch(pattern_text) for shape in (_YEARS, _THOUSANDS, _QUAD, _SUM, _ISBN)):
            return True
        return _is_of_wrong_length(pattern_text, digits)


def _is_of_wrong_length(number: str, digits: str) -> bool:
    """Whether a number has more or fewer digits than its prefix allows, or a country code no country has."""
    if "+" in number:
        return len(digits) not in _LENGTHS["international"] or not _has_country(digits)
    if digits.startswith("00"):
        return len(digits) not in _LENGTHS["abroad"] or not _has_country(digits[2:])
    if number.startswith("("):
        return len(digits) not in _LENGTHS["area in brackets"]
    if digits.startswith("0"):
        return len(digits) not in _LENGTHS["trunk zero"]
    return False


def _has_country(digits: str) -> bool:
    return any(int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for length in (1, 2, 3))


class LabelledPhoneRecognizer(PatternRecognizer):
    """Digits after a word or phrase that announces a phone number: "call me at", "Tel.", "my number is"."""

    def __init__(self) -> None:
        super().__init__(
            supported_entity="PHONE_NUMBER",
            name="LabelledPhoneRecognizer",
            version="1",
            patterns=[
                Pattern("after its label", rf"{START}(?:{_LABELS}){STOP}\.?{_AT}{LINK_BEFORE_BRACKET}\K{_ANY}", 0.6)
            ],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        digits = only_digits(pattern_text)
        is_other = any(shape.fullmatch(pattern_text) for shape in (_YEARS, _QUAD))
        return is_other or len(set(digits)) < 3  # noqa: PLR2004 - 0000000 is none


def phone_shape_recognizers() -> list[EntityRecognizer]:
    """The recognizer of shapes; the labelled one asks for no further support."""
    return [PhoneShapeRecognizer()]
