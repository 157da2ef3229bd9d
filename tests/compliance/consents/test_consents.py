"""Consents are given for a purpose, end, are withdrawn, and keep their history; nobody in them is named at rest."""

from datetime import timedelta

import pytest
from django.db import ProgrammingError, transaction
from django.utils import timezone

from access.errors import AccessDenied
from audit.models import AuditEvent
from compliance.consents.record import Given, record_consent
from compliance.consents.tasks import tasks_to_decide
from compliance.errors.consent import ConsentNotFound, ConsentWithdrawn, PurposeNotFound
from compliance.models import Consent, ConsentKey, ConsentTask
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent, withdraw
from tests.factories.datasets import PURPOSE, jsonl, make_dataset, upload
from vaultsite.kernel.errors import InvalidInput

ADA = {"type": "EMAIL_ADDRESS", "value": "Ada@Example.com "}


def body(**said):
    return {"identifiers": [ADA], "purpose": PURPOSE, "given_at": "2026-01-01T00:00:00Z"} | said


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


def state_of(officer):
    found = send(officer, "POST", "/consents/search", {"identifiers": [ADA]}).json()["data"]
    return [one["state"] for one in found]


def test_a_consent_is_recorded_once_found_by_spelling_and_withdrawn_for_good(tenant, officer):
    first = send(officer, "POST", "/consents", body(evidence="form 7, page 2"))
    again = send(officer, "POST", "/consents", body(evidence="form 7, page 2"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert first.json()["evidence"] == "form 7, page 2"
    searched = {"identifiers": [{"type": "EMAIL_ADDRESS", "value": "ada@example.com"}]}
    (found,) = send(officer, "POST", "/consents/search", searched).json()["data"]
    assert (found["state"], found["identifiers"]) == ("given", 1)
    path = f"/consents/{found['id']}/withdraw"
    assert send(officer, "POST", path, {"channel": "phone"}).json() == {"consents": 1, "datasets": 0, "task_id": None}
    assert send(officer, "POST", path, {}).status_code == 409
    assert state_of(officer) == ["withdrawn"]
    older = send(officer, "POST", "/consents", body(given_at="2026-02-01T00:00:00Z"))
    assert (older.status_code, older.json()["code"]) == (409, "VAULT_COMP_8111")


def test_who_agrees_again_after_a_withdrawal_has_agreed(tenant, officer):
    agree(tenant, mail("ada@example.com"), given_at=timezone.now() - timedelta(days=3))
    withdraw(tenant, mail("ada@example.com"))
    agree(tenant, mail("ada@example.com"), given_at=timezone.now() + timedelta(seconds=20))
    assert state_of(officer) == ["given", "withdrawn"]


def test_nothing_at_rest_names_the_person(tenant, officer):
    send(officer, "POST", "/consents", body(evidence="signed by ada@example.com"))
    withdraw(tenant, mail("ada@example.com"))
    with acting(tenant):
        rows = [*Consent.objects.values(), *ConsentKey.objects.values()]
        events = [bytes(one) for one in AuditEvent.objects.values_list("body", flat=True)]
    stored = " ".join(str(bytes(v) if isinstance(v, memoryview) else v) for row in rows for v in row.values())
    assert "ada@" not in stored.lower()
    assert not any(b"ada@" in one.lower() or b"Ada@" in one for one in events)


def test_another_tenant_knows_the_same_person_under_another_key(tenant, rival):
    agree(tenant, mail("ada@example.com"))
    rest_on_consent(rival)
    agree(rival, mail("ada@example.com"))
    keys = []
    for one in (tenant, rival):
        with acting(one):
            keys.append(bytes(ConsentKey.objects.get().key))
    assert keys[0] != keys[1]


def test_a_consent_of_another_tenant_is_answered_as_one_that_never_was(tenant, rival, officer):
    theirs = agree(rival, mail("ada@example.com")).consent.pk
    never = "01900000-0000-7000-8000-000000000000"
    answers = [send(officer, "GET", f"/consents/{one}") for one in (theirs, never)]
    assert [answer.status_code for answer in answers] == [404, 404]
    codes = {answer.json()["code"] for answer in answers}
    assert codes == {"VAULT_COMP_8110"}
    with acting(rival):
        assert not Consent.objects.get().withdrawals.exists()


def test_history_cannot_be_changed_by_the_application(tenant):
    consent = agree(tenant, mail("ada@example.com")).consent
    with acting(tenant):
        for change in (
            lambda: Consent.objects.filter(pk=consent.pk).update(source="forged"),
            lambda: Consent.objects.filter(pk=consent.pk).delete(),
            lambda: ConsentKey.objects.all().update(key=b"x" * 32),
        ):
            with pytest.raises((ProgrammingError, Exception)) as refused, transaction.atomic():
                change()
            assert "denied" in str(refused.value) or "protected" in str(refused.value).lower()


def test_a_withdrawal_ends_what_stands_under_every_identifier_of_the_person(tenant):
    phone = mail("second@example.com")
    agree(tenant, mail("ada@example.com"), phone)
    agree(tenant, phone, evidence="another form")
    assert withdraw(tenant, mail("ada@example.com")).consents == 2
    with pytest.raises(ConsentNotFound):
        withdraw(tenant, phone)


def test_a_withdrawal_is_told_and_leads_to_a_task_where_the_purpose_says_erase(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "mail": "ada@example.com"}]))
    rest_on_consent(tenant, on_withdrawal="erase")
    agree(tenant, mail("ada@example.com"))
    done = withdraw(tenant, mail("ada@example.com"))
    assert (done.consents, done.datasets) == (1, 1)
    with acting(tenant):
        assert ConsentTask.objects.get().pk == done.task_id
        (event,) = AuditEvent.objects.filter(type="data.consent.withdrawn")
        assert event.severity == "warning"
        assert b'"effect":"erase"' in bytes(event.body)
        assert AuditEvent.objects.filter(type="data.consent.recorded").count() == 1
    counts = []
    for role in ("privacy_officer", "auditor"):
        who = principal_with(tenant, role)
        with acting(tenant, who):
            counts.append(tasks_to_decide(who).count)
    assert counts == [1, 0]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"given_at": "2999-01-01T00:00:00Z"}, "/given_at"),
        ({"given_at": "1999-01-01T00:00:00Z"}, "/given_at"),
        ({"expires_at": "2025-01-01T00:00:00Z"}, "/expires_at"),
        ({"source": "Not A Code"}, "/source"),
        ({"identifiers": [{"type": "e-mail", "value": "x"}]}, "/identifiers/0/type"),
        ({"identifiers": [{"type": "PHONE_NUMBER", "value": "--"}]}, "/identifiers/0/value"),
        ({"identifiers": []}, "/identifiers"),
    ],
)
def test_what_is_no_consent_is_refused_by_field(tenant, officer, said, field):
    answer = send(officer, "POST", "/consents", body(**said))
    assert answer.status_code == 400, answer.content
    assert field in str(answer.json()["errors"])


def test_an_unknown_purpose_is_not_found(tenant, officer):
    answer = send(officer, "POST", "/consents", body(purpose="nonsense"))
    assert (answer.status_code, answer.json()["code"]) == (404, PurposeNotFound.code)


@pytest.mark.parametrize("role", ["auditor", "legal_counsel"])
def test_auditors_and_counsel_read_and_change_nothing(tenant, officer, role):
    made = send(officer, "POST", "/consents", body()).json()["id"]
    reader = caller(tenant, role, purpose="")
    assert send(reader, "GET", f"/consents/{made}").status_code == 200
    assert send(reader, "POST", f"/consents/{made}/withdraw", {}).status_code == 403
    assert send(reader, "POST", "/consents", body()).status_code == 403


def test_others_do_not_read_consents(tenant):
    for role in ("data_steward", "data_scientist", "viewer", "tenant_admin"):
        assert send(caller(tenant, role), "GET", "/consents").status_code == 403


def test_the_service_asks_before_it_records(tenant):
    steward = principal_with(tenant, "data_steward")
    given = Given((mail("ada@example.com"),), timezone.now(), "form")
    with acting(tenant, steward), pytest.raises(AccessDenied):
        record_consent(steward, purpose=PURPOSE, given=given)
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer), pytest.raises(InvalidInput):
        record_consent(officer, purpose=PURPOSE, given=Given((), timezone.now(), "form"))


def test_lists_go_on_where_they_ended(tenant, officer):
    made = [str(agree(tenant, mail(f"a{n}@example.com")).consent.pk) for n in range(3)]
    first = send(officer, "GET", "/consents?limit=2").json()
    rest = send(officer, "GET", f"/consents?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [one["id"] for one in first["data"] + rest["data"]] == made[::-1]
    assert rest["pagination"]["next_cursor"] is None
    assert send(officer, "GET", "/consents?purpose=analytics").json()["data"] == []


def test_a_withdrawn_consent_is_not_recorded_again_by_who_was_slower(tenant):
    before = timezone.now() - timedelta(hours=1)
    agree(tenant, mail("ada@example.com"), given_at=before)
    withdraw(tenant, mail("ada@example.com"))
    assert not agree(tenant, mail("ada@example.com"), given_at=before).is_new
    with pytest.raises(ConsentWithdrawn):
        agree(tenant, mail("ada@example.com"), given_at=before, evidence="another")
