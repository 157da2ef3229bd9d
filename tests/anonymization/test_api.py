"""Rules of the REST endpoints that take a text."""

from access.services.keyring import KeyPurpose, current_key
from anonymization.services.anonymize import apply_to_text
from anonymization.services.detect import detect_text
from tests.factories.access import acting
from tests.factories.api import caller, send

TEXT = "Write to ada.lovelace@example.com please."


def test_a_hash_of_a_text_does_not_tell_the_pseudonym_of_a_dataset(tenant) -> None:
    client = caller(tenant, "analyst")
    asked = {"text": TEXT, "operator": "hash"}
    answers = [send(client, "POST", "/anonymize", asked).json()["text"] for _ in range(2)]
    with acting(tenant):
        key = current_key(KeyPurpose.PSEUDONYM).key
        in_dataset = apply_to_text(TEXT, detect_text(TEXT), operator="hash", hash_key=key)
    assert answers[0] == answers[1]
    assert "ada.lovelace" not in answers[0] + in_dataset
    assert answers[0] != in_dataset
