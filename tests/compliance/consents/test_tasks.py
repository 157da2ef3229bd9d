"""What a withdrawal leaves to be done: records to decide on, exports to recall; and how datasets name people."""

import pytest

from audit.models import AuditEvent
from compliance.consents import tasks
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent, withdraw
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.exports import export


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


def test_a_withdrawal_is_decided_on_once_and_not_said_erased_while_records_are_found(tenant, officer):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": "ada@example.com"}, {"id": "b", "mail": "ada@example.com"}]))
    rest_on_consent(tenant, on_withdrawal="erase")
    agree(tenant, mail("ada@example.com"))
    withdraw(tenant, mail("ada@example.com"))
    (task,) = send(officer, "GET", "/consent-tasks?open=true").json()["data"]
    assert task["found"] == [{"dataset_id": str(dataset.pk), "records": 2}]
    path = f"/consent-tasks/{task['id']}/decide"
    early = send(officer, "POST", path, {"outcome": "erased", "ground": "done"})
    assert (early.status_code, early.json()["errors"][0]["field"]) == (400, "/outcome")
    reader = caller(tenant, "auditor", purpose="")
    assert send(reader, "POST", path, {"outcome": "kept", "ground": "law"}).status_code == 403
    kept = send(officer, "POST", path, {"outcome": "kept", "ground": "A retention duty of tax law"})
    assert (kept.status_code, kept.json()["outcome"]) == (200, "kept")
    again = send(officer, "POST", path, {"outcome": "kept", "ground": "law"})
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_COMP_8116")
    assert send(officer, "GET", "/consent-tasks?open=true").json()["data"] == []
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.consent.decided").count() == 1


def test_a_task_of_another_tenant_is_answered_as_one_that_never_was(tenant, rival, officer):
    rest_on_consent(rival, on_withdrawal="erase")
    agree(rival, mail("ada@example.com"))
    task = withdraw(rival, mail("ada@example.com")).task_id
    answer = send(officer, "POST", f"/consent-tasks/{task}/decide", {"outcome": "kept", "ground": "law"})
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_COMP_8115")


def test_exports_are_listed_to_be_recalled_once_somebody_in_them_withdraws(tenant, officer):
    dataset, other = make_dataset(tenant), make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": "ada@example.com"}, {"id": "b", "mail": "bob@example.com"}]))
    upload(tenant, other, jsonl([{"id": "b", "mail": "bob@example.com"}]))
    rest_on_consent(tenant)
    agree(tenant, mail("ada@example.com"))
    agree(tenant, mail("bob@example.com"))
    asker = someone(tenant, "data_steward")
    made = [export(tenant, one, principal=asker) for one in (dataset, other)]
    assert send(officer, "GET", "/consents/exports-to-recall").json()["data"] == []
    withdraw(tenant, mail("ada@example.com"))
    (found,) = send(officer, "GET", "/consents/exports-to-recall").json()["data"]
    assert (found["id"], found["dataset_id"]) == (str(made[0].pk), str(dataset.pk))


def test_exports_made_under_no_consent_crowd_none_out_of_the_list(tenant, officer, monkeypatch):
    monkeypatch.setattr(tasks, "MOST", 1)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": "ada@example.com"}]))
    asker = someone(tenant, "data_steward")
    rest_on_consent(tenant)
    agree(tenant, mail("ada@example.com"))
    made = export(tenant, dataset, principal=asker)
    rest_on_consent(tenant, lawful_basis="contract")
    export(tenant, dataset, principal=asker)
    withdraw(tenant, mail("ada@example.com"))
    (found,) = send(officer, "GET", "/consents/exports-to-recall").json()["data"]
    assert found["id"] == str(made.pk)


def test_a_link_is_declared_and_shown(tenant, officer):
    dataset = make_dataset(tenant)
    path = f"/datasets/{dataset.pk}/consent-link"
    nothing = {"subject": "", "subject_type": "", "releases_unlinked": False}
    assert send(officer, "GET", path).json() == nothing
    body = {"subject": "/data/customer", "subject_type": "CUSTOMER", "releases_unlinked": True}
    assert send(officer, "PUT", path, body).json() == body
    assert send(officer, "GET", path).json() == body
    assert send(caller(tenant, "data_steward"), "PUT", path, nothing).status_code == 403


@pytest.mark.parametrize(
    "body", [{"subject": "customer", "subject_type": "CUSTOMER"}, {"subject": "/data/a"}, {"subject_type": "lower"}]
)
def test_a_link_nobody_could_follow_is_refused(tenant, officer, body):
    dataset = make_dataset(tenant)
    assert send(officer, "PUT", f"/datasets/{dataset.pk}/consent-link", body).status_code == 400


def test_who_withdraws_may_ask_for_something_else_than_the_purpose_says(tenant, officer):
    rest_on_consent(tenant, on_withdrawal="restrict")
    asked = {}
    for effect in ("erase", "restrict", None):
        name = f"{effect}@example.com"
        agree(tenant, mail(name))
        who = {"identifiers": [{"type": "EMAIL_ADDRESS", "value": name}], "purpose": "evaluation"}
        answer = send(officer, "POST", "/consents/withdraw", who | {"effect": effect})
        asked[effect] = answer.json()["task_id"] is not None
    assert asked == {"erase": True, "restrict": False, None: False}
    consent = agree(tenant, mail("ada@example.com")).consent.pk
    assert send(officer, "POST", f"/consents/{consent}/withdraw", {"effect": "shred"}).status_code == 400
    assert send(officer, "POST", f"/consents/{consent}/withdraw", {"effect": "erase"}).json()["task_id"]
