"""Allow-list, deny-list, field rules and thresholds over REST."""

from datetime import UTC, datetime, timedelta

import pytest

from anonymization.findings import Finding
from anonymization.services.trust import load_trust
from tests.factories.access import acting
from tests.factories.api import caller, send

RECORD = {"data": {"text": "mail info@acme.example now", "order": "falcon"}, "metadata": {}}
FOUND = [Finding("/data/text", "value", 5, 22, "EMAIL_ADDRESS", 1.0, "EmailRecognizer")]


def test_a_value_allowed_over_rest_counts_no_longer(tenant):
    client = caller(tenant, "privacy_officer")
    body = {"kind": "value", "value": "INFO@acme.example", "reason": "our own address"}
    made = send(client, "POST", "/detection/allow-list", body)
    assert made.status_code == 201, made.content
    with acting(tenant):
        assert load_trust(None).effective(RECORD, FOUND) == []
