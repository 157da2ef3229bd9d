"""A purpose says what makes it lawful; decisions follow at once."""

import pytest

from audit.models import AuditEvent
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, withdraw


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


def test_a_purpose_is_made_changed_and_counted(tenant, officer):
    made = send(officer, "POST", "/purposes", {"code": "newsletter", "lawful_basis": "consent"})
    assert (made.status_code, made.json()["needs_consent"]) == (201, True)
    assert send(officer, "POST", "/purposes", {"code": "newsletter"}).json()["code"] == "VAULT_COMP_8114"
    agree(tenant, mail("a@example.com"), purpose="newsletter")
    agree(tenant, mail("b@example.com"), purpose="newsletter")
    withdraw(tenant, mail("b@example.com"), purpose="newsletter")
    shown = send(officer, "GET", "/purposes/newsletter").json()
    assert shown["consents"] == {"given": 1, "expired": 0, "withdrawn": 1}
    changed = send(officer, "PUT", "/purposes/newsletter", {"lawful_basis": "contract"})
    assert (changed.status_code, changed.json()["errors"][0]["field"]) == (400, "/note")
    body = {"lawful_basis": "contract", "note": "part of the service"}
    assert send(officer, "PUT", "/purposes/newsletter", body).json()["needs_consent"] is False
    with acting(tenant):
        told = AuditEvent.objects.filter(type="data.purpose.changed").order_by("id")
        assert b'"before":"consent"' in bytes(told[1].body)
    codes = [one["code"] for one in send(officer, "GET", "/purposes").json()["data"]]
    assert "newsletter" in codes
    assert codes == sorted(codes)


def test_explicit_consent_for_special_categories_needs_consent_whatever_the_basis(tenant, officer):
    body = {"code": "research", "lawful_basis": "public_task", "special_condition": "explicit_consent"}
    assert send(officer, "POST", "/purposes", body).json()["needs_consent"] is True


@pytest.mark.parametrize(
    "body",
    [
        {"lawful_basis": "because"},
        {"special_condition": "research"},
        {"description": "ask ada.lovelace@example.com"},
        {"on_withdrawal": "nothing"},
        {"code": "Not A Code"},
    ],
)
def test_what_is_no_purpose_is_refused(tenant, officer, body):
    assert send(officer, "POST", "/purposes", {"code": "fresh"} | body).status_code in {400, 422}


def test_a_purpose_nobody_made_is_not_found(tenant, officer):
    assert send(officer, "GET", "/purposes/nothing").json()["code"] == "VAULT_COMP_8113"
    assert send(officer, "PUT", "/purposes/nothing", {}).json()["code"] == "VAULT_COMP_8113"


def test_others_state_purposes_and_change_none(tenant):
    steward = caller(tenant, "data_steward")
    assert send(steward, "GET", "/purposes").status_code == 200
    assert send(steward, "POST", "/purposes", {"code": "mine"}).status_code == 403
