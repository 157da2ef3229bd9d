"""What presidio's documentation and demonstration say it finds, our detector finds too."""

from functools import cache

import pytest

from anonymization.detectors.engine import VaultDetector
from anonymization.findings import ACT_FROM


@cache
def detector():
    return VaultDetector()


@pytest.mark.parametrize(
    ("text", "entity_type", "value"),
    [
        ("My phone number is 212-555-5555", "PHONE_NUMBER", "212-555-5555"),
        ("His name is Mr. Jones and his phone number is 212-555-5555", "PHONE_NUMBER", "212-555-5555"),
        ("John Smith drivers license is AC432223", "US_DRIVER_LICENSE", "AC432223"),
        ("My credit card number is 4095-2609-9393-4932", "CREDIT_CARD", "4095-2609-9393-4932"),
        ("my crypto wallet id is 16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ.", "CRYPTO", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ"),
        ("I visited microsoft.com and sent an email to test@presidio.site", "EMAIL_ADDRESS", "test@presidio.site"),
        ("I visited microsoft.com and sent an email to test@presidio.site", "URL", "microsoft.com"),
        ("from the IP 192.168.0.1.", "IP_ADDRESS", "192.168.0.1"),
        ("My passport: 191280342", "US_PASSPORT", "191280342"),
        ("my phone number: (212) 555-1234.", "PHONE_NUMBER", "(212) 555-1234"),
        ("International Bank Account Number: IL150120690000003111111 .", "IBAN_CODE", "IL150120690000003111111"),
        ("the status on bank account 954567876544?", "US_BANK_NUMBER", "954567876544"),
        ("Kate's social security number is 078-05-1126.", "US_SSN", "078-05-1126"),
        ("Her driver license? it is 1234567A.", "US_DRIVER_LICENSE", "1234567A"),
    ],
)  # fmt: skip
def test_an_example_of_presidios_documentation_is_found(text, entity_type, value):
    [spans] = detector().detect_texts([text])
    found = {(span.entity_type, text[span.start : span.end]) for span in spans if span.score >= ACT_FROM}
    assert (entity_type, value) in found
