"""Allow-list, deny-list, field rules and thresholds over REST."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from anonymization.findings import Finding
from anonymization.models import ListEntry
from anonymization.services import trust_rules
from anonymization.services.trust import load_trust
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.pages import events_of
from vaultsite.kernel.providers import reset_providers

RECORD = {"data": {"text": "mail info@acme.example now", "order": "falcon"}, "metadata": {}}
FOUND = [Finding("/data/text", "value", 5, 22, "EMAIL_ADDRESS", 1.0, "EmailRecognizer")]
ALLOW = {"kind": "value", "value": "INFO@acme.example", "reason": "our own address"}
LISTS = "/detection/allow-list"


def effective(tenant, dataset_id=None):
    with acting(tenant):
        return load_trust(dataset_id).effective(RECORD, FOUND)


def test_an_allowed_value_counts_no_longer_from_the_next_read_on_and_is_kept_as_a_digest(tenant):
    client = caller(tenant, "privacy_officer")
    assert effective(tenant) == FOUND
    made = send(client, "POST", LISTS, ALLOW, **{"X-Request-ID": (request_id := uuid4().hex)})
    assert made.status_code == 201, made.content
    assert effective(tenant) == []
    with acting(tenant):
        row = ListEntry.objects.get(pk=made.json()["id"])
    assert row.sealed is None
    assert "acme" not in repr(row.__dict__)
    (event,) = [one for one in events_of(tenant, request_id) if one.type == "admin.access.write"]
    body = bytes(event.body).decode()
    assert "acme" not in body
    assert '"widens":true' in body
    again = send(client, "POST", LISTS, ALLOW)
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_ANON_6102")
    one = f"{LISTS}/{row.pk}"
    assert send(client, "GET", one).json()["reason"] == "our own address"
    assert send(client, "PATCH", one, {"reason": "a better one"}).json()["reason"] == "a better one"
    assert send(client, "DELETE", one).status_code == 204
    assert effective(tenant) == FOUND
    assert send(client, "GET", one).json()["code"] == "VAULT_ANON_6101"
    assert send(client, "GET", f"/detection/deny-list/{row.pk}").status_code == 404


def test_rules_are_listed_in_pages_and_hold_for_their_dataset_alone(tenant, rival):
    client, dataset_id = caller(tenant, "data_steward"), uuid4()
    for value in ("one@acme.example", "info@acme.example", "two@acme.example"):
        assert send(client, "POST", LISTS, ALLOW | {"value": value, "dataset_id": str(dataset_id)}).status_code == 201
    assert effective(tenant) == FOUND
    assert effective(tenant, dataset_id) == []
    first = send(client, "GET", f"{LISTS}?limit=2").json()
    rest = send(client, "GET", f"{LISTS}?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [len(first["data"]), len(rest["data"]), rest["pagination"]["next_cursor"]] == [2, 1, None]
    assert send(client, "GET", f"{LISTS}?dataset_id={uuid4()}").json()["data"] == []
    assert send(caller(rival, "data_steward"), "GET", LISTS).json()["data"] == []


@pytest.mark.parametrize(
    ("path", "body", "member", "said"),
    [
        ("allow-list", {"kind": "regex", "pattern": "a(?=b)"}, "/pattern", "look-around"),
        ("allow-list", {"kind": "regex", "pattern": r"(a)\1"}, "/pattern", "back references"),
        ("allow-list", {"kind": "regex", "pattern": "("}, "/pattern", "RE2"),
        ("allow-list", {"kind": "regex", "pattern": "x*"}, "/pattern", "empty text"),
        ("allow-list", {"kind": "regex", "pattern": r"\p{L}{100}"}, "/pattern", "too large"),
        ("allow-list", {"kind": "regex", "pattern": ".+"}, "/pattern", "every kind"),
        ("allow-list", {"kind": "value", "value": " "}, "/value", "1 to"),
        ("allow-list", {"kind": "field"}, "/field", "names a field"),
        ("allow-list", {"kind": "value", "value": "x", "entity_type": "CARD_PIN"}, "/entity_type", "never released"),
        ("allow-list", {"kind": "value", "value": "x", "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at", "future"),
        ("deny-list", {"kind": "value", "value": "ab"}, "/value", "3 to"),
        ("deny-list", {"kind": "field", "field": "/data/x"}, "/kind", "value or regex"),
        ("field-rules", {"field": "data", "decision": "never"}, "/field", "pointer"),
        ("field-rules", {"field": "/data/**", "decision": "never"}, None, None),
        ("field-rules", {"field": "/*", "decision": "never"}, "/field", "at least one"),
        ("field-rules", {"field": "/data/x", "decision": "type"}, "/entity_type", "goes with"),
        ("thresholds", {"entity_type": "PERSON", "score": 0.1}, "/score", "0.2 to 1"),
        ("thresholds", {"entity_type": "person", "score": 0.5}, "/entity_type", "upper-case"),
        ("thresholds", {"entity_type": "UNSCANNABLE", "score": 0.5}, "/entity_type", "never released"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_with_what_to_write_instead(tenant, path, body, member, said):
    answer = send(caller(tenant, "privacy_officer"), "POST", f"/detection/{path}", body | {"reason": "tests"})
    if member is None:
        assert answer.status_code == 201
        return
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_ANON_6100"), answer.content
    (problem,) = answer.json()["errors"]
    assert problem["field"] == member
    assert said in problem["detail"]


def test_who_reads_masked_may_narrow_and_never_widen(tenant):
    admin, officer = caller(tenant, "tenant_admin"), caller(tenant, "privacy_officer")
    refused = [
        ("allow-list", ALLOW),
        ("field-rules", {"field": "/data/x", "decision": "never", "reason": "tests"}),
        ("thresholds", {"entity_type": "PERSON", "score": 0.9, "reason": "tests"}),
    ]
    for path, body in refused:
        answer = send(admin, "POST", f"/detection/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_AUTHZ_2001")
        assert send(officer, "POST", f"/detection/{path}", body).status_code == 201
    narrowing = [
        ("deny-list", {"kind": "value", "value": "Project Falcon", "reason": "tests"}),
        ("field-rules", {"field": "/data/y", "decision": "always", "reason": "tests"}),
        ("thresholds", {"entity_type": "LOCATION", "score": 0.3, "reason": "tests"}),
    ]
    for path, body in narrowing:
        made = send(admin, "POST", f"/detection/{path}", body)
        assert made.status_code == 201, made.content
        assert send(admin, "DELETE", f"/detection/{path}/{made.json()['id']}").status_code == 403
    assert send(caller(tenant, "auditor"), "GET", LISTS).status_code == 200
    assert send(caller(tenant, "ml_engineer"), "GET", LISTS).status_code == 403


def test_an_entry_ends_by_the_clock_even_where_it_was_compiled_before(tenant):
    end = datetime.now(UTC) + timedelta(hours=1)
    body = ALLOW | {"expires_at": end.isoformat()}
    assert send(caller(tenant, "privacy_officer"), "POST", LISTS, body).status_code == 201
    with acting(tenant):
        trust = load_trust(None)
    assert trust.effective(RECORD, FOUND, at=end.timestamp() - 1) == []
    assert trust.effective(RECORD, FOUND, at=end.timestamp()) == FOUND


def test_personal_data_in_reasons_and_fields_is_refused(tenant):
    client = caller(tenant, "privacy_officer")
    answer = send(client, "POST", LISTS, ALLOW | {"reason": "asked for by jane.roe@acme.example"})
    assert answer.status_code == 400
    assert "jane" not in answer.content.decode()
    rule = {"field": "/data/jane.roe@acme.example", "decision": "never", "reason": "tests"}
    assert send(client, "POST", "/detection/field-rules", rule).status_code == 400


def test_what_was_found_in_a_text_is_explained_with_the_rule_that_decided(tenant):
    client = caller(tenant, "privacy_officer")
    body = {"text": "mail info@acme.example now"}
    (found,) = [
        one
        for one in send(client, "POST", "/detect-pii", body).json()["detections"]
        if one["entity_type"] == "EMAIL_ADDRESS"
    ]
    assert (found["start"], found["end"], found["counts"], found["decided_by"]) == (5, 22, True, "default")
    assert {"pattern", "context_word", "path", "recognizer", "rule_id"} <= found.keys()
    entry = send(client, "POST", LISTS, ALLOW).json()
    assert send(client, "POST", "/detect-pii", body).json()["detections"] == []
    every = send(client, "POST", "/detect-pii", body | {"all": True, "strict": True}).json()["detections"]
    assert {(one["decided_by"], one["rule_id"]) for one in every if one["entity_type"] == "EMAIL_ADDRESS"} == {
        ("allow", entry["id"])
    }


def test_the_catalogue_names_every_type_with_its_recognizers(tenant):
    listed = send(caller(tenant, "auditor"), "GET", "/detection/entities").json()["data"]
    types = {one["entity_type"]: one for one in listed}
    assert {"PERSON", "EMAIL_ADDRESS", "IBAN_CODE", "CREDIT_CARD"} <= types.keys()
    assert all(one["recognizers"] for one in listed)
    assert not types["UNSCANNABLE"]["can_be_tuned"]


def test_the_catalogue_names_what_is_configured_beside_what_ships(tenant, settings):
    badge = {"name": "Badge", "regex": "BDG-[0-9]{6}", "entity_type": "BADGE_NUMBER"}
    chosen = settings.VAULT
    detector = chosen["DETECTOR"] | {"OPTIONS": {**chosen["DETECTOR"].get("OPTIONS", {}), "custom": [badge]}}
    settings.VAULT = {**chosen, "DETECTOR": detector}
    reset_providers()
    try:
        listed = send(caller(tenant, "auditor"), "GET", "/detection/entities").json()["data"]
    finally:
        settings.VAULT = chosen
        reset_providers()
    [found] = [one for one in listed if one["entity_type"] == "BADGE_NUMBER"]
    assert (found["recognizers"], found["can_be_tuned"]) == (["Badge"], True)


def test_a_tenant_has_no_more_rules_than_reads_can_bear(tenant, monkeypatch):
    monkeypatch.setattr(trust_rules, "MOST_FIELDS", 1)
    client = caller(tenant, "privacy_officer")
    rule = {"field": "/data/x", "decision": "always", "reason": "tests"}
    assert send(client, "POST", "/detection/field-rules", rule).status_code == 201
    answer = send(client, "POST", "/detection/field-rules", rule | {"field": "/data/y"})
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_ANON_6103")
