"""Rules of GET /api/v1/audit/events."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from access.services.api_keys import create_api_key
from access.services.tenants import operator
from audit.models import AuditEvent
from tests.factories.audit import FACTS, NOON, dataset_ref, make_event, make_principal, record
from vaultsite.kernel.tenancy.scope import tenant_scope

URL = "/api/v1/audit/events"


def client_of(tenant_id, role: str = "auditor") -> Client:
    principal = operator(tenant_id)
    with tenant_scope(tenant_id, principal):
        _, token = create_api_key(principal, name=role, roles=[role])
    return Client(headers={"Authorization": f"Bearer {token}"})


def test_an_auditor_reads_what_happened_and_who_it_was(tenant) -> None:
    dataset_id = uuid4()
    event = make_event(resource=dataset_ref(dataset_id), metadata={"records": 3})
    record(tenant.pk, event)
    answer = client_of(tenant.pk).get(URL, {"dataset": str(dataset_id)})
    assert answer.status_code == 200
    assert answer.json()["pagination"] == {"next_cursor": None, "limit": 100}
    (shown,) = answer.json()["data"]
    assert shown["event_id"] == str(event.id)
    assert shown["event_type"] == "data.access.read"
    assert shown["metadata"] == {"records": 3}
    assert shown["actor"]["name"] == "Ada Canary"
    assert shown["actor"]["ip_address"] == FACTS.ip_address
    assert "sealed" not in shown["actor"]


def test_the_pages_join_without_gap_or_repetition(tenant) -> None:
    events = [make_event(time=NOON + timedelta(seconds=number // 3)) for number in range(8)]
    record(tenant.pk, *events)
    client, seen, cursor = client_of(tenant.pk), [], None
    window = {"until": (NOON + timedelta(hours=1)).isoformat(), "limit": "3"}
    while True:
        answer = client.get(URL, window | ({"cursor": cursor} if cursor else {})).json()
        seen += [shown["event_id"] for shown in answer["data"]]
        cursor = answer["pagination"]["next_cursor"]
        if cursor is None:
            break
    expected = sorted(events, key=lambda event: (event.time, event.id), reverse=True)
    assert seen == [str(event.id) for event in expected]


def test_reading_the_audit_is_audited_once(tenant) -> None:
    client = client_of(tenant.pk)
    assert client.get(URL, headers={"X-Request-ID": "request-of-the-test"}).status_code == 200
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        (event,) = AuditEvent.objects.filter(request_id="request-of-the-test")
    assert (event.type, event.status, event.resource_type) == ("audit.access.read", "success", "audit")


def test_without_the_permission_the_refusal_is_all_there_is(tenant) -> None:
    client = client_of(tenant.pk, "data_scientist")
    answer = client.get(URL, headers={"X-Request-ID": "request-refused"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "VAULT_AUTHZ_2001"
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        (event,) = AuditEvent.objects.filter(request_id="request-refused")
    assert event.status == "denied"


def test_nobody_reads_without_a_credential() -> None:
    assert Client().get(URL).status_code == 401


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("actor", "ada"),
        ("dataset", "' OR 1=1 --"),
        ("type", "data.access.everything"),
        ("status", "SUCCESS"),
        ("since", "yesterday"),
        ("until", "2026-13-01"),
        ("purpose", "x" * 257),
        ("limit", "0"),
        ("limit", "1001"),
        ("actor__in", "x"),
        ("tenant", "7f9c24e8-3b12-4f60-9c5a-1d2e3f405162"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(tenant, parameter, value) -> None:
    answer = client_of(tenant.pk).get(URL, {parameter: value})
    assert answer.status_code == 400
    assert answer.json()["code"] == "VAULT_VALID_3001"
    assert [problem["field"] for problem in answer.json()["errors"]] == [parameter]


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "WyIyMDI2LTExLTE1VDEyOjAwOjAwIiwiMSJd", "bnVsbA"])
def test_a_cursor_of_no_listing_is_refused(tenant, cursor) -> None:
    answer = client_of(tenant.pk).get(URL, {"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["code"] == "VAULT_VALID_3008"


def test_another_tenants_auditor_sees_nothing_of_ours(tenant, rival) -> None:
    event = make_event(resource=dataset_ref(uuid4()))
    record(tenant.pk, event)
    answer = client_of(rival.pk).get(URL, {"dataset": str(event.resource.dataset_id)})
    assert answer.json()["data"] == []


def test_no_answer_without_its_event(tenant, audit_failing_for) -> None:
    client = client_of(tenant.pk)
    with audit_failing_for(tenant.pk):
        answer = client.get(URL)
    assert answer.status_code == 503
    assert answer.json()["code"] == "VAULT_SYS_9006"
    assert answer["Retry-After"] == "5"
    assert answer["Content-Type"] == "application/problem+json"
