"""Phone numbers, by the metadata of libphonenumber."""

from typing import Any, Final

import phonenumbers
import regex
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult
from presidio_analyzer.predefined_recognizers import PhoneRecognizer as StockPhoneRecognizer

#: Shorter numbers are valid somewhere (four digits in Germany) but not worth what they would hide.
SHORTEST: Final = 7

_SCORE: Final = 0.4
_DIGIT: Final = regex.compile(r"\d")
_EXTENSION: Final = regex.compile(r"[^\W\d_xXー]")


class PhoneRecognizer(StockPhoneRecognizer):  # type: ignore[misc]  # presidio is untyped
    """The stock recognizer without numbers under seven digits, and without ``number`` as a supporting word."""

    def __init__(self) -> None:
        super().__init__(
            name="PhoneRecognizer",
            context=["phone", "telephone", "tel", "cell", "cellphone", "mobile", "call", "called", "calling", "fax",
                     "whatsapp", "signal", "dial", "text", "sms", "contact", "reach", "hotline", "ring"],
        )  # fmt: skip

    def spans(self, text: str) -> set[tuple[int, int]]:
        """Start and end of every number that is valid in one of the supported regions."""
        return {
            (match.start, match.end)
            for region in self.supported_regions
            for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=self.leniency)
            if len(_DIGIT.findall(_EXTENSION.split(match.raw_string, maxsplit=1)[0])) >= SHORTEST
        }

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        del entities, nlp_artifacts
        metadata = {
            RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
            RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
        }
        results = [
            RecognizerResult("PHONE_NUMBER", start, end, _SCORE, AnalysisExplanation(self.name, _SCORE), dict(metadata))
            for start, end in self.spans(text)
        ]
        found: list[RecognizerResult] = EntityRecognizer.remove_duplicates(results)
        return found
