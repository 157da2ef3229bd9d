"""Rules of the REST of policies, of texts under them, and of what can be turned back."""

import json

import pytest
from django.utils import timezone

from datasets.models import Dataset
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, upload

DOCUMENT = {"format": 1, "default": {"strategy": "redact"}, "rules": []}
TEXT = "I am at ada.lovelace@example.com, card 4111 1111 1111 1111."


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


def create(client, **given):
    return send(client, "POST", "/anonymization/policies", {"name": "ours", "document": DOCUMENT} | given)


def test_a_policy_lives_from_its_making_to_its_end(tenant, officer):
    dataset = make_dataset(tenant)
    made = create(officer, description="For us").json()
    path = f"/anonymization/policies/{made['id']}"
    assert (made["name"], made["active_version"], made["attachments"]) == ("ours", None, [])
    request_id = new_request_id()
    second = send(
        officer, "POST", f"{path}/versions", {"document": DOCUMENT | {"min_score": 0.5}, "message": "surer"},
        **{"X-Request-ID": request_id},
    )  # fmt: skip
    assert (second.status_code, second.json()["number"], second.json()["is_active"]) == (201, 2, False)
    changed = [event for event in events_of(tenant, request_id) if event.type == "data.policy.changed"]
    assert len(changed) == 1
    assert send(officer, "POST", f"{path}/versions/2/activate").json()["active_version"] == 2
    attached = send(officer, "POST", f"{path}/attachments", {"kind": "dataset", "target": str(dataset.pk)})
    assert (attached.status_code, attached.json()["binds_raw_readers"]) == (201, False)
    assert send(officer, "DELETE", path).json()["code"] == "VAULT_ANON_6014"
    [listed] = send(officer, "GET", "/anonymization/policies").json()["data"]
    assert [one["target"] for one in listed["attachments"]] == [str(dataset.pk)]
    versions = send(officer, "GET", f"{path}/versions?limit=1").json()
    assert [one["number"] for one in versions["data"]] == [2]
    assert versions["pagination"]["next_cursor"]
    assert send(officer, "GET", f"{path}/versions/1").json()["document"] == DOCUMENT
    assert send(officer, "POST", f"{path}/deactivate").json()["active_version"] is None
    assert send(officer, "PATCH", path, {"description": "For all"}).json()["description"] == "For all"
    assert send(officer, "DELETE", f"{path}/attachments/{attached.json()['id']}").status_code == 204
    assert send(officer, "DELETE", path).status_code == 204
    assert send(officer, "GET", path).json()["code"] == "VAULT_ANON_6010"


def test_a_dataset_is_bound_however_its_id_is_written(tenant, officer):
    dataset = make_dataset(tenant)
    path = f"/anonymization/policies/{create(officer).json()['id']}/attachments"
    made = send(officer, "POST", path, {"kind": "dataset", "target": dataset.pk.hex.upper()})
    assert (made.status_code, made.json()["target"]) == (201, str(dataset.pk))
    assert send(officer, "POST", path, {"kind": "dataset", "target": str(dataset.pk)}).status_code == 400


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"name": "Ours"}, "VAULT_VALID_3001"),
        ({"document": None}, "VAULT_VALID_3001"),
        ({"preset": "pci-pan"}, "VAULT_VALID_3001"),
        ({"document": {"format": 1}}, "VAULT_ANON_6011"),
        ({"document": {"format": 2, "default": {"strategy": "mask"}}}, "VAULT_ANON_6011"),
        ({"description": "Ask ada.lovelace@example.com"}, "VAULT_ANON_6006"),
        ({"document": DOCUMENT | {"description": "for ada.lovelace@example.com"}}, "VAULT_ANON_6006"),
        ({"colour": "red"}, "VAULT_VALID_3001"),
    ],
)
def test_bad_policies_are_refused(officer, given, code):
    answer = create(officer, **given)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "lovelace" not in answer.content.decode()


def test_names_are_taken_once_and_presets_stay_as_they_are(officer):
    made = create(officer, document=None, preset="pci-pan").json()
    assert made["preset"] == "pci-pan"
    assert create(officer).json()["code"] == "VAULT_ANON_6012"
    path = f"/anonymization/policies/{made['id']}"
    assert send(officer, "POST", f"{path}/versions", {"document": DOCUMENT}).json()["code"] == "VAULT_ANON_6013"
    assert send(officer, "POST", f"{path}/versions/9/activate").json()["code"] == "VAULT_ANON_6015"
    nobody = f"{path}/attachments/{made['id']}"
    assert send(officer, "DELETE", nobody).json()["code"] == "VAULT_ANON_6016"


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ({"kind": "role", "target": "emperor"}, "VAULT_ANON_6017"),
        ({"kind": "purpose", "target": "fun"}, "VAULT_ANON_6017"),
        ({"kind": "dataset", "target": "x"}, "VAULT_ANON_6017"),
        ({"kind": "dataset", "target": "01890000-0000-7000-8000-000000000000"}, "VAULT_DATA_4001"),
    ],
)
def test_only_what_is_there_has_policies(officer, target, code):
    made = create(officer).json()
    answer = send(officer, "POST", f"/anonymization/policies/{made['id']}/attachments", target)
    assert answer.json()["code"] == code


def test_who_may_not_manage_policies_changes_nothing(tenant, officer):
    made = create(officer).json()
    analyst = caller(tenant, "analyst")
    assert send(analyst, "GET", "/anonymization/policies").status_code == 200
    assert create(analyst, name="mine").status_code == 403
    assert send(analyst, "POST", f"/anonymization/policies/{made['id']}/versions/1/activate").status_code == 403
    assert send(caller(tenant, "viewer"), "GET", f"/anonymization/policies/{made['id']}").status_code == 403


def test_presets_operators_and_checks(officer):
    presets = send(officer, "GET", "/anonymization/policies/presets").json()["data"]
    assert {one["name"] for one in presets} >= {"hipaa-safe-harbor", "gdpr-pseudonymization", "pci-pan", "llm-training"}
    operators = send(officer, "GET", "/anonymization/operators").json()
    assert [one["rank"] for one in operators["data"]] == sorted(one["rank"] for one in operators["data"])
    assert {one["name"] for one in operators["data"] if one["is_reversible"]} == {"encrypt", "tokenize"}
    assert operators["schema"]["$schema"].endswith("2020-12/schema")
    for preset in presets:
        checked = send(officer, "POST", "/anonymization/policies/validate", {"document": preset["document"]})
        assert checked.json()["valid"] is True


def anonymized(client, **how):
    return send(client, "POST", "/anonymize", {"text": TEXT, **how})


def test_texts_are_anonymized_by_operators_with_parameters_or_by_a_policy(tenant, officer):
    analyst = caller(tenant, "analyst")
    assert "**** **** **** ****" in anonymized(analyst, parameters={"keep_last": 0}).json()["text"]
    per_entity = {"EMAIL_ADDRESS": {"operator": "replace", "parameters": {"label": "[mail]"}}, "CREDIT_CARD": "redact"}
    assert anonymized(analyst, per_entity=per_entity).json()["text"] == "I am at [mail], card [REDACTED]."
    by_preset = anonymized(analyst, policy="preset:pci-pan").json()
    assert by_preset["policy"] == "preset:pci-pan@1"
    assert by_preset["text"] == "I am at ada.lovelace@example.com, card 4111 11** **** 1111."
    create(officer)
    assert anonymized(analyst, policy="ours").json()["code"] == "VAULT_ANON_6010"
    assert anonymized(analyst, policy="ours", version=1).json()["policy"] == "ours@1"
    assert "[REDACTED]" in anonymized(analyst, document=DOCUMENT).json()["text"]


@pytest.mark.parametrize(
    "how",
    [
        {"parameters": {"keep_last": 99}},
        {"per_entity": {"PERSON": "shred"}},
        {"per_entity": {"PERSON": {"operator": "mask", "colour": 1}}},
        {"per_entity": {"PERSON": {"operator": "mask", "parameters": {"keep_last": -1}}}},
        {"operator": "mask", "policy": "ours"},
        {"policy": "ours", "document": DOCUMENT},
        {"document": {"format": 1}},
        {"policy": "preset:nothing"},
    ],
)
def test_what_cannot_be_done_to_a_text_is_refused(tenant, how):
    assert anonymized(caller(tenant, "analyst"), **how).status_code in (400, 404)


def test_what_was_encrypted_is_turned_back_for_a_purpose_by_those_who_may(tenant, officer):
    sealed = anonymized(caller(tenant, "analyst"), operator="encrypt").json()["text"]
    assert "lovelace" not in sealed
    content = {"t": sealed, "n": [sealed, 3, None]}
    request_id = new_request_id()
    turned = send(officer, "POST", "/deanonymize", {"content": content}, **{"X-Request-ID": request_id}).json()
    assert turned == {"content": {"t": TEXT, "n": [TEXT, 3, None]}, "encrypted": 4, "tokens": 0}
    [told] = [event for event in events_of(tenant, request_id) if event.type == "data.deanonymized"]
    assert "lovelace" not in json.dumps(str(told.__dict__))
    assert send(caller(tenant, "data_steward"), "POST", "/deanonymize", {"content": sealed}).status_code == 403
    broken = sealed.replace("<enc1:", "<enc1:AAAA", 1)
    assert send(officer, "POST", "/deanonymize", {"content": broken}).json()["code"] == "VAULT_ANON_6008"


def test_tokens_of_texts_take_what_tokens_take(tenant):
    document = {"format": 1, "default": {"strategy": "tokenize"}}
    for how in ({"operator": "tokenize"}, {"per_entity": {"EMAIL_ADDRESS": "tokenize"}}, {"document": document}):
        assert anonymized(caller(tenant, "analyst"), **how).status_code == 403
        assert "tok_" in anonymized(caller(tenant, "data_steward"), **how).json()["text"]


def test_another_tenants_codes_stay_closed(tenant, rival):
    sealed = anonymized(caller(tenant, "analyst"), operator="encrypt").json()["text"]
    answer = send(caller(rival, "privacy_officer"), "POST", "/deanonymize", {"content": sealed})
    assert answer.json()["code"] == "VAULT_ANON_6008"


def test_a_policy_can_be_tried_on_records_by_readers_of_raw_data(tenant, officer):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r1", "text": TEXT, "n": 5}, {"id": "r2", "text": "nothing"}]))
    path = f"/datasets/{dataset.pk}/versions/main/anonymization-preview"
    shown = send(officer, "POST", path, {"policy": "preset:pci-pan", "limit": 5}).json()
    assert shown["policy"] == "preset:pci-pan@1"
    [first, second] = shown["records"]
    assert first["before"]["data"]["text"] == TEXT
    assert first["after"]["data"]["text"].endswith("4111 11** **** 1111.")
    assert second["before"] == second["after"]
    assert send(caller(tenant, "data_scientist"), "POST", path, {"policy": "preset:pci-pan"}).status_code == 403
    assert send(officer, "POST", path, {}).json()["code"] == "VAULT_VALID_3001"
    document = {"format": 1, "default": {"strategy": "tokenize"}}
    token = send(officer, "POST", path, {"document": document}).json()["records"][0]["after"]["data"]["text"]
    assert "lovelace" not in token
    body = {"content": token, "dataset_id": str(dataset.pk)}
    assert send(officer, "POST", "/deanonymize", body).json() == {"content": TEXT, "encrypted": 0, "tokens": 2}


def test_codes_of_a_dataset_open_for_those_who_may_reveal_in_that_dataset(tenant, officer):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r1", "text": TEXT}]))
    preview = f"/datasets/{dataset.pk}/versions/main/anonymization-preview"
    document = {"format": 1, "default": {"strategy": "encrypt"}}
    code = send(officer, "POST", preview, {"document": document}).json()["records"][0]["after"]["data"]["text"]
    assert "lovelace" not in code
    request_id = new_request_id()
    turned = send(officer, "POST", "/deanonymize", {"content": code}, **{"X-Request-ID": request_id})
    assert (turned.status_code, turned.json()["content"]) == (200, TEXT)
    decided = [event for event in events_of(tenant, request_id) if event.operation == "read"]
    assert str(dataset.pk) in {event.resource_id for event in decided}
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(deleted_at=timezone.now())
    for body in ({"content": code}, {"content": {code: 1}}):
        assert send(officer, "POST", "/deanonymize", body).json()["code"] == "VAULT_ANON_6008"
