"""Detection: made-up personal data of every common kind is found in a text and hidden from who may not see it."""

from typing import Final
from uuid import UUID

from anonymization.services.detect import detect_text, forbidden_payment_data
from anonymization.services.texts import How, anonymize_text
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import actor, sandbox

#: Of nobody: numbers and names that are set aside for examples.
_VALUES: Final = {
    "an e-mail address": "ada.canary@example.com",
    "a card number": "4111 1111 1111 1111",
    "a social security number": "536-90-4399",
    "an IBAN": "GB82 WEST 1234 5698 7654 32",
    "an address of a computer": "203.0.113.77",
}
_TEXT: Final = (
    "Write to ada.canary@example.com. The card is 4111 1111 1111 1111, the social security number 536-90-4399, "
    "the IBAN GB82 WEST 1234 5698 7654 32; she came from 203.0.113.77."
)
#: What may be stored nowhere, not even sealed: it is refused where records are written.
_FORBIDDEN: Final = "The card is 4111 1111 1111 1111, expiry 12/29, CVV 737."


def probe(tenant_id: UUID) -> Outcome:
    officer = actor(tenant_id, "privacy_officer")
    with sandbox(tenant_id, officer):
        shown = anonymize_text(officer, _TEXT, How(operator="redact"))
    breaches = [f"{kind} was left in a text" for kind, value in _VALUES.items() if value in shown.text]
    if not forbidden_payment_data(detect_text(_FORBIDDEN)):
        breaches.append("a card verification value was not recognized, and would be stored")
    return judged(breaches, kinds=len(_VALUES), spans=len(shown.spans))
