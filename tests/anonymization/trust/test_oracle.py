"""Whoever may not read the lists of an organization does not learn from detections what is on them."""

from uuid import uuid4

from anonymization.services.trust_rules import NewListEntry, add_list_entry
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import make_dataset


def test_detections_of_a_text_follow_the_lists_for_those_alone_who_may_read_them(tenant):
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        entry = NewListEntry(list_name="deny", kind="value", value="blue heron", entity_type="PERSON", reason="tests")
        add_list_entry(officer, new=entry)
    asked = {"text": "The blue heron", "all": True}
    told = send(caller(tenant, "privacy_officer"), "POST", "/detect-pii", asked).json()["detections"]
    assert [(one["entity_type"], one["decided_by"]) for one in told] == [("PERSON", "deny")]
    assert send(caller(tenant, "analyst"), "POST", "/detect-pii", asked).json()["detections"] == []


def test_the_rules_of_a_dataset_that_cannot_be_seen_are_those_of_none(tenant, rival):
    client = caller(tenant, "privacy_officer")
    theirs = make_dataset(rival)
    answers = [
        send(client, "POST", "/detect-pii", {"text": "x", "dataset_id": str(one)}) for one in (theirs.pk, uuid4())
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "VAULT_DATA_4001")] * 2
    mine = make_dataset(tenant)
    assert send(client, "POST", "/detect-pii", {"text": "x", "dataset_id": str(mine.pk)}).status_code == 200
