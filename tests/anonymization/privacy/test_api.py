"""REST: budgets, releases and attestations."""

from uuid import uuid4

import pytest

from anonymization.services.budget import spend
from tests.anonymization.privacy.test_budget import loss
from tests.anonymization.privacy.test_releases import people, release
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send

LOSS = {"epsilon": "2", "delta": "0.00001"}


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


def test_a_budget_is_set_and_shown_with_shares_and_history(tenant, officer):
    family, recipient = uuid4(), uuid4()
    assert send(officer, "GET", f"/privacy/budgets/{family}").json()["code"] == "VAULT_ANON_6075"
    share = {"recipient": str(recipient), "share": {"epsilon": "0.5", "delta": "0"}}
    body = {"total": LOSS, "recipient": LOSS, "shares": [share], "reason": "a study"}
    request_id = new_request_id()
    made = send(officer, "PUT", f"/privacy/budgets/{family}", body, **{"X-Request-ID": request_id})
    assert made.status_code == 200, made.content
    assert sorted(event.type for event in events_of(tenant, request_id)) == [
        "admin.access.write",
        "privacy.budget.changed",
    ]
    with acting(tenant):
        spend(family, recipient, *vars(loss("0.25")).values(), query_digest=b"q" * 32)
    shown = send(officer, "GET", f"/privacy/budgets/{family}").json()
    assert shown["remaining"]["epsilon"] == "1.75"
    assert [(item["recipient"], item["remaining"]["epsilon"]) for item in shown["shares"]] == [(str(recipient), "0.25")]
    assert [spent["recipient"] for spent in shown["history"]] == [str(recipient)]
    listed = send(officer, "GET", "/privacy/budgets").json()
    assert [found["family"] for found in listed["data"]] == [str(family)]
    renewed = send(officer, "PUT", f"/privacy/budgets/{family}", {"renew": True, "reason": "a new year"}).json()
    assert renewed["spent"]["epsilon"] == "0"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "x", "what": 1},
        {"reason": "x", "total": {"epsilon": -1, "delta": 0}},
        {"reason": "x", "total": {"epsilon": 1, "delta": 1}},
        {"reason": "x" * 501},
    ],
)
def test_bad_terms_are_refused(officer, body):
    assert send(officer, "PUT", f"/privacy/budgets/{uuid4()}", body).status_code == 400


def test_budgets_are_for_those_who_may(tenant):
    analyst = caller(tenant, "analyst", purpose="")
    assert send(analyst, "GET", "/privacy/budgets").status_code == 200
    assert send(analyst, "PUT", f"/privacy/budgets/{uuid4()}", {"reason": "x", "total": LOSS}).status_code == 403
    assert send(analyst, "GET", "/privacy/releases").status_code == 403
    assert send(caller(tenant, "viewer", purpose=""), "GET", "/privacy/budgets").status_code == 403


def test_pages_of_budgets_go_on_where_they_ended(tenant, officer):
    families = [str(uuid4()) for _ in range(3)]
    for family in families:
        send(officer, "PUT", f"/privacy/budgets/{family}", {"total": LOSS, "reason": "a study"})
    first = send(officer, "GET", "/privacy/budgets?limit=2").json()
    cursor = first["pagination"]["next_cursor"]
    second = send(officer, "GET", f"/privacy/budgets?limit=2&cursor={cursor}").json()
    assert [item["family"] for item in first["data"] + second["data"]] == families[::-1]
    assert second["pagination"]["next_cursor"] is None
    assert send(officer, "GET", "/privacy/budgets?cursor=WyJ4Il0").json()["code"] == "VAULT_VALID_3008"


def test_releases_are_listed_and_withdrawn(tenant, officer):
    made = release(tenant, uuid4(), people(0, 6), version="v1")
    (shown,) = send(officer, "GET", "/privacy/releases").json()["data"]
    assert (shown["state"], shown["subjects"], shown["k"]) == ("live", 6, 5)
    path = f"/privacy/releases/{made.pk}/withdrawal"
    assert send(officer, "POST", path, {"reason": "write to ada@example.com"}).status_code == 400
    assert send(officer, "POST", path, {"reason": "deleted"}).json()["state"] == "withdrawn"
    assert send(officer, "POST", path, {"reason": "deleted"}).json()["code"] == "VAULT_ANON_6092"
    unknown = send(officer, "POST", f"/privacy/releases/{uuid4()}/withdrawal", {"reason": "deleted"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "VAULT_ANON_6091")


def test_recipients_are_attested_and_no_longer(tenant, officer):
    recipient = uuid4()
    path = f"/privacy/recipients/{recipient}/attestation"
    for reason in ("contract 12", "contract 13"):
        assert send(officer, "PUT", path, {"reason": reason}).status_code == 200
    (shown,) = send(officer, "GET", "/privacy/attestations").json()["data"]
    assert (shown["recipient"], shown["reason"]) == (str(recipient), "contract 13")
    assert send(officer, "DELETE", path, {"reason": "it ended"}).status_code == 204
    assert send(officer, "GET", "/privacy/attestations").json()["data"] == []
