"""The reports on processing and on consent say what the register and the consents say."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.models import ConsentTask
from tests.compliance.reports.asking import figures, report_of
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent, withdraw
from tests.factories.datasets import PURPOSE, jsonl, make_dataset, read_all, someone, upload
from tests.factories.exports import export


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


def test_both_records_of_processing_with_what_is_missing(tenant, rival, officer) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": "ada@example.com"}]))
    read_all(tenant, dataset)
    rest_on_consent(tenant, subjects="customers", time_limit="two years")
    agree(tenant, mail("ada@example.com"))
    export(tenant, dataset, principal=someone(tenant, "data_steward"))
    for party in (
        {"name": "Our House", "role": "controller", "contact": "office@house.example"},
        {"name": "Cloud Inc", "country": "US", "safeguard": "clauses"},
        {"name": "Far Ltd", "country": "US", "role": "recipient"},
        {"name": "Client AG", "role": "client", "does": "labelling of texts"},
    ):
        assert send(officer, "POST", "/processors", party).status_code == 201
    send(caller(rival, "privacy_officer", purpose=""), "POST", "/processors", {"name": "Theirs", "role": "controller"})
    shown = report_of(tenant, "gdpr_article30", officer)
    named = {(row["entry"], row["name"]): row for row in shown["rows"]}
    assert ("controller", "Our House, office@house.example") in named
    assert named["data protection officer", "to be completed"]["is_complete"] == "no"
    activity = named["activity", PURPOSE]
    assert (activity["lawful_basis"], activity["categories_of_people"]) == ("consent", "customers")
    assert (activity["datasets"], activity["exports_in_period"]) == (dataset.name, 1)
    assert "Cloud Inc (US): standard contractual clauses" in activity["transfers"]
    assert activity["to_be_completed"] == "safeguard of the transfer to Far Ltd"
    mandate = next(row for row in shown["rows"] if row["entry"] == "processing on behalf")
    assert (mandate["description"], mandate["article"]) == ("labelling of texts", "30(2)(a) to (c)")
    assert not any("Theirs" in str(row) for row in shown["rows"])
    assert figures(shown)["Processed on behalf of"] == 1
    earlier = report_of(tenant, "gdpr_article30", officer, days=9, until=2)
    assert next(row for row in earlier["rows"] if row["name"] == PURPOSE)["exports_in_period"] == 0


def test_consents_by_purpose_given_withdrawn_expired_and_decided_on(tenant, rival, officer) -> None:
    rest_on_consent(tenant, on_withdrawal="erase")
    rest_on_consent(rival)
    agree(rival, mail("eve@example.com"))
    now = timezone.now()
    for name in ("ada", "bob", "cleo"):
        agree(tenant, mail(f"{name}@example.com"))
    agree(tenant, mail("dan@example.com"), given_at=now - timedelta(days=9), expires_at=now - timedelta(hours=2))
    agree(tenant, mail("fay@example.com"), purpose="analytics")
    task = withdraw(tenant, mail("ada@example.com")).task_id
    withdraw(tenant, mail("bob@example.com"))
    path = f"/consent-tasks/{task}/decide"
    assert send(officer, "POST", path, {"outcome": "kept", "ground": "A duty of tax law"}).status_code == 200
    shown = report_of(tenant, "gdpr_consent", officer)
    told = figures(shown)
    assert (told["Given"], told["Withdrawn"], told["Expired"]) == (4, 2, 1)
    assert (told["Withdrawals to decide on"], told["Withdrawals decided on"]) == (1, 1)
    by_purpose = next(table for table in shown["tables"] if table["columns"] == "change")
    counts = {
        line["value"]: dict(zip(by_purpose["names"], line["counts"], strict=True)) for line in by_purpose["lines"]
    }
    assert counts == {
        PURPOSE: {"given": 3, "withdrawn": 2, "expired": 1},
        "analytics": {"given": 1, "withdrawn": 0, "expired": 0},
    }
    with acting(tenant):
        known = set(map(str, ConsentTask.objects.values_list("pk", flat=True)))
    assert {row["task_id"] for row in shown["rows"] if row["task_id"]} == known
    assert not any("example.com" in str(row) or "tax law" in str(row) for row in shown["rows"])
    before = report_of(tenant, "gdpr_consent", officer, days=10, until=5)
    assert [row["change"] for row in before["rows"]] == ["given"]
