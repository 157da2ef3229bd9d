import subprocess
import sys

import orjson

from anonymization.detectors.engine import VaultDetector
from anonymization.findings import REFUSED_ENTITIES
from anonymization.services.detect import (
    active_detector,
    detect_records,
    detect_text,
    detector_hash,
    forbidden_payment_data,
    refused_entities,
)


def test_the_configured_detector_serves_the_process():
    assert isinstance(active_detector(), VaultDetector)
    assert active_detector() is active_detector()
    assert detector_hash().startswith(active_detector().content_hash)


def test_records_are_scanned_in_data_and_metadata():
    found = detect_records([({"a": "x"}, {}), ({"a": "jane@example.com"}, {"by": ["bob@example.com"]})])
    assert [[finding.pointer for finding in findings] for findings in found] == [[], ["/data/a", "/metadata/by/0"]]


def test_a_text_is_scanned_with_what_is_encoded_in_it():
    found = {(span.start, span.end, span.entity_type) for span in detect_text("to=jane%40example.com")}
    assert (0, 21, "EMAIL_ADDRESS") in found


def test_card_authentication_data_is_named_as_forbidden():
    assert refused_entities == REFUSED_ENTITIES
    [findings] = detect_records([({"card": {"number": "4111 1111 1111 1111", "cvv": 123, "note": "pin block"}}, {})])
    assert [found.pointer for found in forbidden_payment_data(findings)] == ["/data/card/cvv"]
    assert forbidden_payment_data(detect_text("call me at 415-555-0132")) == []


def test_a_process_of_the_vault_detects_without_loading_spacy():
    done = subprocess.run([sys.executable, "-m", "tests.benchmarks.starting"], check=True, stdout=subprocess.PIPE)
    assert orjson.loads(done.stdout)["has_spacy"] is False
