"""Which recognizers the shipped detector has, in the order they run, and which of them bring their own evidence."""

from presidio_analyzer import EntityRecognizer

from anonymization.detectors.recognizers.addresses import address_recognizers
from anonymization.detectors.recognizers.categories import category_recognizers
from anonymization.detectors.recognizers.contact import InternalEmailRecognizer, birth_date_recognizers
from anonymization.detectors.recognizers.finance import finance_recognizers
from anonymization.detectors.recognizers.health import health_recognizers
from anonymization.detectors.recognizers.identity import checked_identity_recognizers, identity_recognizers
from anonymization.detectors.recognizers.payment import (
    PaymentCardRecognizer,
    TrackDataRecognizer,
    card_authentication_recognizers,
)
from anonymization.detectors.recognizers.phone import PhoneRecognizer
from anonymization.detectors.recognizers.phone_shapes import LabelledPhoneRecognizer, PhoneShapeRecognizer
from anonymization.detectors.recognizers.secrets import secret_recognizers
from anonymization.detectors.recognizers.stock import stock_recognizers
from anonymization.detectors.recognizers.things import checked_thing_recognizers, thing_recognizers


def build_recognizers() -> list[EntityRecognizer]:
    """Fresh presidio recognizers, in the order they run; usable in presidio's own AnalyzerEngine as well."""
    return [
        *stock_recognizers(),
        InternalEmailRecognizer(),
        PhoneRecognizer(),
        PhoneShapeRecognizer(),
        PaymentCardRecognizer(),
        *checked_identity_recognizers(),
        *checked_thing_recognizers(),
        *label_demanding_recognizers(),
    ]


def label_demanding_recognizers() -> list[EntityRecognizer]:
    """Recognizers whose patterns contain the label or an unmistakable shape, so that no other support is asked for."""
    return [
        TrackDataRecognizer(),
        *card_authentication_recognizers(),
        *secret_recognizers(),
        *identity_recognizers(),
        *health_recognizers(),
        *finance_recognizers(),
        *thing_recognizers(),
        LabelledPhoneRecognizer(),
        *birth_date_recognizers(),
        *address_recognizers(),
        *category_recognizers(),
    ]
