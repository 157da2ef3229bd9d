"""Every request leaves exactly one decision: who, what, why, to what, with which outcome."""

import json
from uuid import uuid4

import pytest
from django.test import Client

from access.auth.api_keys import Token
from datasets.models import Dataset, Ingest, Version
from tests.factories.access import acting, make_api_key
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import make_dataset, upload

ROW = b'{"id": "r1", "text": "a"}\n'
READ, WRITE, DELETE, DENIED = (f"data.access.{word}" for word in ("read", "write", "delete", "denied"))
D = "/datasets/{dataset}"
REQUESTS = [
    # role, method, path, body, status, type, outcome
    ("data_steward", "GET", "/datasets", None, 200, READ, "success"),
    ("security_officer", "GET", "/datasets", None, 403, DENIED, "denied"),
    ("data_steward", "GET", "/datasets?limit=0", None, 400, READ, "failure"),
    ("data_steward", "GET", "/datasets?cursor=x", None, 400, READ, "failure"),
    ("data_steward", "POST", "/datasets", {"name": "new"}, 201, WRITE, "success"),
    ("data_steward", "POST", "/datasets", {"name": ""}, 400, WRITE, "failure"),
    ("data_steward", "POST", "/datasets", {"name": "taken"}, 409, WRITE, "failure"),
    ("data_steward", "POST", "/datasets", {"name": "jane.roe@example.com"}, 400, WRITE, "failure"),
    ("viewer", "POST", "/datasets", {"name": "new"}, 403, DENIED, "denied"),
    ("data_steward", "GET", D, None, 200, READ, "success"),
    ("data_steward", "GET", "/datasets/{unknown}", None, 404, DENIED, "denied"),
    ("data_steward", "PUT", D, {"name": "renamed"}, 200, WRITE, "success"),
    ("data_steward", "PUT", D, {}, 400, WRITE, "failure"),
    ("data_steward", "PATCH", D, {"region": "eu"}, 200, WRITE, "success"),
    ("data_steward", "PATCH", D, {"tenant_id": "x"}, 400, WRITE, "failure"),
    ("viewer", "PATCH", D, {"region": "eu"}, 403, DENIED, "denied"),
    ("data_steward", "DELETE", D, None, 204, DELETE, "success"),
    ("data_steward", "DELETE", "/datasets/{held}", None, 409, DELETE, "failure"),
    ("viewer", "DELETE", D, None, 403, DENIED, "denied"),
    ("data_steward", "DELETE", "/datasets/{unknown}", None, 404, DENIED, "denied"),
    ("data_steward", "POST", D + "/data", ROW, 202, WRITE, "success"),
    ("data_steward", "POST", D + "/data?wait=x", ROW, 400, WRITE, "failure"),
    ("data_steward", "POST", D + "/data?version=v1.0.0", ROW, 409, WRITE, "failure"),
    ("data_steward", "POST", "/datasets/{unknown}/data", ROW, 404, DENIED, "denied"),
    ("viewer", "POST", D + "/data", ROW, 403, DENIED, "denied"),
    ("data_steward", "GET", D + "/data", None, 200, READ, "success"),
    ("data_scientist", "GET", D + "/data", None, 200, READ, "success"),
    ("data_steward", "GET", D + "/data?version=v9.9.9", None, 404, READ, "failure"),
    ("viewer", "GET", D + "/data", None, 403, DENIED, "denied"),
    ("data_steward", "GET", D + "/versions", None, 200, READ, "success"),
    ("data_steward", "GET", "/datasets/{unknown}/versions", None, 404, DENIED, "denied"),
    ("data_steward", "GET", D + "/versions/main", None, 200, READ, "success"),
    ("data_steward", "GET", D + "/versions/v9.9.9", None, 404, READ, "failure"),
    ("data_steward", "GET", D + "/versions/main/records", None, 200, READ, "success"),
    ("data_steward", "GET", D + "/versions/main/records?cursor=x", None, 400, READ, "failure"),
    ("data_scientist", "GET", D + "/versions/main/records/r1", None, 200, READ, "success"),
    ("data_steward", "GET", D + "/versions/main/records/r2", None, 404, READ, "failure"),
    ("viewer", "GET", D + "/versions/main/records/r1", None, 403, DENIED, "denied"),
    ("data_scientist", "GET", "/datasets/{restricted}/versions/main/records", None, 403, DENIED, "denied"),
    ("data_steward", "GET", "/ingests/{ingest}", None, 200, READ, "success"),
    ("viewer", "GET", "/ingests/{ingest}", None, 404, DENIED, "denied"),
    ("data_steward", "GET", "/ingests/{unknown}", None, 404, DENIED, "denied"),
    ("data_steward", "GET", "/ingests/{ingest}/rejects", None, 200, READ, "success"),
    ("data_steward", "GET", "/ingests/{clean}/rejects", None, 404, READ, "failure"),
    ("data_scientist", "GET", "/ingests/{ingest}/rejects", None, 404, DENIED, "denied"),
    ("data_steward", "POST", D, None, 405, WRITE, "failure"),
    ("data_steward", "POST", "/detect-pii", {"text": "ada@example.com"}, 200, READ, "success"),
    ("data_steward", "POST", "/anonymize", {"text": "ada@example.com"}, 200, READ, "success"),
]


@pytest.fixture
def places(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, ROW + b"{broken\n", on_error="reject")
    restricted, held = make_dataset(tenant, classification="restricted"), make_dataset(tenant)
    make_dataset(tenant, name="taken")
    clean = upload(tenant, restricted, ROW)
    with acting(tenant):
        Dataset.objects.filter(pk=held.pk).update(legal_hold=True)
    return {
        "dataset": dataset.pk, "restricted": restricted.pk, "held": held.pk, "ingest": ingest.pk, "clean": clean.pk,
        "unknown": uuid4(),
    }  # fmt: skip


@pytest.mark.parametrize("row", REQUESTS, ids=[f"{row[0]} {row[1]} {row[2]} {row[4]}" for row in REQUESTS])
def test_a_request_leaves_one_decision(tenant, places, row):
    role, method, path, body, status, kind, outcome = row
    request_id = new_request_id()
    answer = send(caller(tenant, role), method, path.format(**places), body, **{"X-Request-ID": request_id})
    answer.getvalue()
    assert answer.status_code == status, answer.content
    (decision,) = decisions_of(tenant, request_id)
    assert (decision.type, decision.status, decision.purpose) == (kind, outcome, "evaluation")
    assert (decision.actor_kind, decision.failure_reason) == ("service", "" if status < 400 else answer.json()["code"])
    assert decision.resource_type
    named = [name for name in places if "{" + name + "}" in path]
    if named and decision.failure_reason not in {"VAULT_VALID_3001", "VAULT_VALID_3003", "VAULT_VALID_3008"}:
        facts = json.loads(bytes(decision.body))["resource"]
        own = {"ingest": places["dataset"], "clean": places["restricted"]}.get(named[0])
        assert facts["id"] in {str(places[named[0]]), str(own)}


def test_a_read_names_the_version_and_the_obligations_it_was_decided_under(tenant, places):
    request_id = new_request_id()
    path = f"/datasets/{places['dataset']}/versions/main/records"
    send(caller(tenant, "data_scientist"), "GET", path, **{"X-Request-ID": request_id})
    (decision,) = decisions_of(tenant, request_id)
    facts = json.loads(bytes(decision.body))
    assert decision.version == "v1.0.0"
    assert facts["context"]["obligations"] == ["anonymize:mask"]
    assert decision.policy == "builtin:record.read"


def test_the_audit_keeps_no_text_that_a_client_invented(tenant, places):
    request_id = new_request_id()
    path = f"/datasets/{places['dataset']}/versions/invented-by-a-client/records"
    for role in ("data_steward", "viewer"):
        client = caller(tenant, role, purpose="invented-by-a-client")
        assert send(client, "GET", path, **{"X-Request-ID": request_id}).status_code == 403
    send(caller(tenant, "data_steward"), "GET", path, **{"X-Request-ID": request_id})
    found = decisions_of(tenant, request_id)
    assert [event.purpose for event in found] == ["unknown", "unknown", "evaluation"]
    assert not [event for event in found if "invented" in event.version or b"invented" in bytes(event.body)]


def test_a_refused_credential_is_recorded_under_the_tenant_it_names(tenant, places):
    key, _ = make_api_key(tenant, "viewer")
    request_id = new_request_id()
    guessed = Token.generate(tenant.pk, key.pk).reveal()
    client = Client(headers={"Authorization": f"Bearer {guessed}"})
    assert send(client, "GET", "/datasets", **{"X-Request-ID": request_id}).status_code == 401
    (refusal,) = decisions_of(tenant, request_id)
    assert (refusal.type, refusal.failure_reason) == ("auth.credential.refused", "VAULT_AUTH_1002")


@pytest.mark.parametrize(("lines", "outcome"), [(1, "failure"), (None, "success")])
def test_a_download_records_its_end_even_when_it_is_broken_off(tenant, places, lines, outcome):
    request_id = new_request_id()
    path = f"/datasets/{places['dataset']}/data"
    answer = send(caller(tenant, "data_steward"), "GET", path, **{"X-Request-ID": request_id})
    if lines is None:
        answer.getvalue()
    answer.close()
    (end,) = [event for event in events_of(tenant, request_id) if event.type == "data.access.completed"]
    assert end.status == outcome


def test_a_write_records_its_fact_beside_the_decision(tenant, places):
    request_id = new_request_id()
    send(caller(tenant, "data_steward"), "POST", "/datasets", {"name": "new"}, **{"X-Request-ID": request_id})
    assert {event.type for event in events_of(tenant, request_id)} == {"data.access.write", "data.created"}


@pytest.mark.parametrize("row", [row for row in REQUESTS if row[4] < 300], ids=lambda row: " ".join(row[:3]))
def test_what_cannot_be_audited_is_not_done(tenant, places, audit_failing_for, row):
    role, method, path, body, *_ = row
    client = caller(tenant, role)
    before = _state(tenant)
    with audit_failing_for(tenant.pk):
        answer = send(client, method, path.format(**places), body)
        assert (answer.status_code, answer.json()["code"]) == (503, "VAULT_SYS_9006")
    assert answer["Retry-After"] == "5"
    assert _state(tenant) == before


def _state(tenant):
    with acting(tenant):
        return [list(model.objects.order_by("pk").values()) for model in (Dataset, Ingest, Version)]
