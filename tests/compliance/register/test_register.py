"""The register is made of what the vault knows when it is asked; what nobody said is said to be missing."""

import csv
import io

import pytest

from compliance.models import Party
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent
from tests.factories.datasets import jsonl, make_dataset, read_all, upload


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([{"id": "a", "mail": "ada@example.com"}]))
    read_all(tenant, made)
    return made


def activity(register, purpose="evaluation"):
    return next(one for one in register["activities"] if one["purpose"] == purpose)


def test_a_controller_sees_purposes_data_recipients_and_transfers_as_they_are(tenant, dataset, officer):
    before = activity(send(officer, "GET", "/register").json())
    assert (before["lawful_basis"], before["transfers"]) == ("to be completed", [])
    assert before["datasets"] == [dataset.name]
    assert "EMAIL_ADDRESS" in before["categories_of_data"]
    rest_on_consent(tenant, subjects="customers", time_limit="two years")
    body = {"name": "Cloud Inc", "country": "US", "safeguard": "clauses", "contract_reference": "DPA-7"}
    made = send(officer, "POST", "/processors", body)
    assert (made.status_code, made.json()["is_transfer"]) == (201, True)
    send(officer, "POST", "/processors", {"name": "Our House", "role": "controller", "contact": "office@house.example"})
    register = send(officer, "GET", "/register").json()
    after = activity(register)
    assert (after["lawful_basis"], after["categories_of_people"]) == ("consent", "customers")
    assert after["transfers"][0]["safeguard"].startswith("standard contractual clauses")
    assert register["controller"][0]["name"] == "Our House"
    assert register["data_protection_officer"] == "to be completed"
    assert send(officer, "DELETE", f"/processors/{made.json()['id']}").status_code == 204
    again = send(officer, "DELETE", f"/processors/{made.json()['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "VAULT_COMP_8130")
    assert activity(send(officer, "GET", "/register").json())["transfers"] == []


def test_a_transfer_without_a_safeguard_is_said_to_lack_it(tenant, officer):
    send(officer, "POST", "/processors", {"name": "Far Ltd", "country": "US"})
    one = activity(send(officer, "GET", "/register").json())
    assert one["transfers"] == [{"to": "Far Ltd", "country": "US", "safeguard": "to be completed"}]


def test_a_processor_lists_those_on_whose_behalf(tenant, officer):
    body = {"name": "Client AG", "role": "client", "contact": "dpo@client.example", "does": "labelling of texts"}
    send(officer, "POST", "/processors", body)
    (mandate,) = send(officer, "GET", "/register?role=processor").json()["mandates"]
    assert (mandate["controller"]["name"], mandate["categories_of_processing"]) == ("Client AG", "labelling of texts")


def test_the_register_is_a_table_that_no_spreadsheet_runs(tenant, dataset, officer):
    send(officer, "POST", "/processors", {"name": "=cmd()", "country": "US", "role": "recipient"})
    answer = send(officer, "GET", "/register?as=csv")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert {"purpose", "lawful_basis", "transfers"} <= rows[0].keys()
    assert not any(cell.startswith("=") for row in rows for cell in row.values())


def test_names_of_parties_are_sealed_at_rest_and_unknown_to_others(tenant, rival, officer):
    send(officer, "POST", "/processors", {"name": "Secret Partner", "role": "dpo", "contact": "ada@example.com"})
    with acting(tenant):
        assert b"Secret" not in bytes(Party.objects.get().details)
    assert send(caller(rival, "privacy_officer", purpose=""), "GET", "/processors").json()["data"] == []


@pytest.mark.parametrize("body", [{"name": "A", "country": "usa"}, {"name": "A", "country": "u1"}, {"name": " "}])
def test_what_is_no_party_is_refused(tenant, officer, body):
    assert send(officer, "POST", "/processors", body).status_code == 400


def test_an_assessment_is_begun_with_facts_and_marks_what_people_answer(tenant, dataset, officer):
    rest_on_consent(tenant)
    agree(tenant, mail("ada@example.com"))
    text = send(officer, "GET", f"/dpia/{dataset.pk}").content.decode()
    assert dataset.name in text
    assert "EMAIL_ADDRESS" in text
    assert "lawful basis consent" in text
    assert text.count("TO BE ANSWERED") == 7


def test_auditors_read_the_register_and_change_nothing(tenant):
    auditor = caller(tenant, "auditor", purpose="")
    assert send(auditor, "GET", "/register").status_code == 200
    assert send(auditor, "POST", "/processors", {"name": "A"}).status_code == 403
    assert send(caller(tenant, "data_steward"), "GET", "/register").status_code == 403
