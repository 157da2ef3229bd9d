"""E-mail addresses no public registry knows, and dates of birth."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers.labels import Identifier, labelled

_MONTH: Final = r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
_DATE: Final = (
    r"(?:\d{1,4}\s?[-/.]\s?\d{1,2}\s?[-/.]\s?\d{1,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\sof)?[\s-]{_MONTH}(?:,?[\s-]+(?:19|20)?\d\d)?|{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s(?:19|20)?\d\d)?"
    rf"|{_MONTH}\s(?:19|20)\d\d|(?:19|20)\d{{6}}|(?:19|20)\d\d)(?!\w)"
)


class InternalEmailRecognizer(PatternRecognizer):
    """E-mail addresses under domains no public registry knows, such as ``.local`` and ``.internal``.

    The stock recognizer drops them because their top-level domain is not on the public suffix list.
    """

    def __init__(self) -> None:
        super().__init__(
            supported_entity="EMAIL_ADDRESS",
            name="InternalEmailRecognizer",
            version="1",
            patterns=[
                Pattern("internal address", r"(?<![\w.+%-])[\w.+%-]{1,64}@\w+(?:-+\w+)*(?:\.\w+(?:-+\w+)*){1,8}\b", 0.5)
            ],
        )


def birth_date_recognizers() -> list[EntityRecognizer]:
    """The recognizer of DATE_OF_BIRTH: a date behind a label or a verb of birth."""
    return labelled(
        Identifier(
            "DATE_OF_BIRTH",
            "BirthDateRecognizer",
            r"(?:date[\s_-]of[\s_-]birth|birth[\s_-]?da(?:te|y)|d\.?o\.?b\.?|born|geburtsdatum|geboren(?:\sam)?|date\sde\snaissance|n\u00e9e?\sle|fecha\sde\snacimiento|data\sdi\snascita|geb\.?)"
            r"(?:\s(?:on|in|the|falls|am))*",
            _DATE,
            score=0.7,
        )
    )
