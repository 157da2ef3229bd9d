"""POST /policy/evaluate as the customer's contract has it, AuthZEN 1.0, and why something was allowed or denied."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from access.errors import AccessDenied
from access.models import Tenant
from access.policy.errors import DecisionNotFound
from access.ports import decision_history
from access.services.explain import explain, explain_decision, recent_decisions
from access.services.inquiries import Asked
from datasets.models import Dataset
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, make_user, principal_with
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import make_dataset


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    return make_dataset(tenant, classification="pii", tags=("gdpr",), region="eu")


@pytest.fixture
def officer(tenant: Tenant) -> Client:
    return caller(tenant, "security_officer", purpose="")


def body_of(dataset: Dataset, **changed: Any) -> dict[str, Any]:
    """The request of the contract."""
    body: dict[str, Any] = {
        "principal": {
            "id": str(uuid4()),
            "roles": ["data-scientist", "ml-engineer"],
            "attributes": {"department": "research"},
        },
        "resource": {"dataset_id": str(dataset.pk), "classification": "pii", "tags": ["customer-data", "gdpr"]},
        "action": "read",
        "context": {"purpose": "model-training", "timestamp": "2026-11-18T12:00:00Z", "ip_address": "1.2.3.4"},
    }
    return body | changed


def test_the_contract_is_answered_in_its_own_words(officer: Client, dataset: Dataset) -> None:
    answer = send(officer, "POST", "/policy/evaluate", body_of(dataset))
    assert answer.status_code == 200
    assert answer.json() == {
        "decision": "ALLOW_WITH_CONDITIONS",
        "obligations": [{"type": "anonymize", "fields": [], "operator": "mask"}],
        "ttl": 60,
    }


def test_obligations_of_policies_are_told_with_fields_and_level(
    tenant: Tenant, officer: Client, dataset: Dataset
) -> None:
    put_in_force(
        tenant,
        '@anonymize("email,phone,ssn") @audit_level("detailed")'
        ' permit(principal, action == Action::"record.read", resource) when { resource.tags.contains("gdpr") };',
    )
    told = send(officer, "POST", "/policy/evaluate", body_of(dataset)).json()["obligations"]
    assert {"type": "mask", "fields": ["email", "phone", "ssn"]} in told
    assert {"type": "audit_log", "level": "detailed"} in told


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        ({"action": "delete"}, "DENY"),
        ({"action": "dataset.read"}, "ALLOW"),
        ({"action": "explode"}, "DENY"),
        ({"principal": {"id": "nobody@example"}}, "DENY"),
        ({"principal": {"id": "x", "roles": ["data_steward"]}}, "ALLOW"),
        ({"principal": {"id": "x", "roles": ["no-such-role"]}}, "DENY"),
        ({"context": {"purpose": "world-domination"}}, "DENY"),
        ({"context": {}}, "DENY"),
    ],
)
def test_the_answer_follows_action_roles_and_purpose(
    officer: Client, dataset: Dataset, changed: dict[str, Any], decision: str
) -> None:
    answer = send(officer, "POST", "/policy/evaluate", body_of(dataset, **changed)).json()
    assert answer["decision"] == decision
    assert answer["ttl"] == (0 if decision == "DENY" else 60)


def test_what_the_vault_knows_goes_before_what_is_claimed(tenant: Tenant, officer: Client, dataset: Dataset) -> None:
    viewer = make_user(tenant, "viewer")
    claimed = {"id": str(viewer.pk), "roles": ["data_steward"]}
    assert send(officer, "POST", "/policy/evaluate", body_of(dataset, principal=claimed)).json()["decision"] == "DENY"
    put_in_force(tenant, 'forbid(principal, action, resource is Dataset) when { resource.classification == "pii" };')
    resource = {"dataset_id": str(dataset.pk), "classification": "public"}
    steward = {"id": "x", "roles": ["data_steward"]}
    answer = send(officer, "POST", "/policy/evaluate", body_of(dataset, principal=steward, resource=resource))
    assert answer.json()["decision"] == "DENY"


def test_an_answer_that_depends_on_the_time_is_not_to_be_kept(
    tenant: Tenant, officer: Client, dataset: Dataset
) -> None:
    put_in_force(tenant, "forbid(principal, action, resource is Dataset) when { context.hour >= 18 };")
    noon = send(officer, "POST", "/policy/evaluate", body_of(dataset)).json()
    assert (noon["decision"], noon["ttl"]) == ("ALLOW_WITH_CONDITIONS", 0)
    evening = {"purpose": "model-training", "timestamp": "2026-11-18T19:00:00Z"}
    assert send(officer, "POST", "/policy/evaluate", body_of(dataset, context=evening)).json()["decision"] == "DENY"


@pytest.mark.parametrize(
    "changed",
    [
        {"principal": {}},
        {"principal": "me"},
        {"resource": {"dataset_id": "x"}},
        {"resource": {}},
        {"action": ""},
        {"action": None},
        {"context": {"timestamp": "yesterday"}},
        {"context": {"ip_address": "999.1.1.1"}},
        {"principal": {"id": "x", "attributes": {"department": {"a": 1}}}},
        {"principal": {"id": "x", "roles": "admin"}},
    ],
)
def test_a_malformed_question_is_told_so(officer: Client, dataset: Dataset, changed: dict[str, Any]) -> None:
    answer = send(officer, "POST", "/policy/evaluate", body_of(dataset, **changed))
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")


@pytest.mark.parametrize("role", ["viewer", "data_steward", "analyst", "service"])
def test_how_the_vault_decides_is_not_everybodys_to_ask(tenant: Tenant, dataset: Dataset, role: str) -> None:
    answer = send(caller(tenant, role), "POST", "/policy/evaluate", body_of(dataset))
    assert answer.status_code == 403


def test_an_inquiry_is_recorded_with_its_answer(tenant: Tenant, officer: Client, dataset: Dataset) -> None:
    request_id = new_request_id()
    send(officer, "POST", "/policy/evaluate", body_of(dataset), **{"X-Request-ID": request_id})
    assert sorted(event.type for event in events_of(tenant, request_id)) == [
        "admin.access.read",
        "policy.access.evaluated",
    ]


def test_a_dataset_of_a_rival_is_one_nobody_knows(tenant: Tenant, rival: Tenant, officer: Client) -> None:
    theirs, body = make_dataset(rival, classification="restricted"), {"resource": {"classification": "pii"}}
    answers = []
    for dataset_id in (theirs.pk, uuid4()):
        asked = body_of(theirs, resource={**body["resource"], "dataset_id": str(dataset_id)})
        answers.append(send(officer, "POST", "/policy/evaluate", asked).json())
    assert answers[0] == answers[1]


def evaluation(dataset: Dataset, action: str = "record.read", **subject: Any) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": "x", "properties": {"roles": ["data_scientist"]}, **subject},
        "action": {"name": action},
        "resource": {"type": "dataset", "id": str(dataset.pk)},
        "context": {"purpose": "analytics"},
    }


def test_authzen_evaluation(officer: Client, dataset: Dataset) -> None:
    answer = send(officer, "POST", "/access/v1/evaluation", evaluation(dataset)).json()
    assert answer["decision"] is True
    assert answer["context"]["obligations"] == [{"type": "anonymize", "fields": [], "operator": "mask"}]
    assert (
        send(officer, "POST", "/access/v1/evaluation", evaluation(dataset, "dataset.delete")).json()["decision"]
        is False
    )
    assert send(officer, "POST", "/access/v1/evaluation", {"subject": {"type": "user"}}).status_code == 400


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        (None, [True, False, True]),
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_authzen_evaluations(officer: Client, dataset: Dataset, semantic: str | None, decisions: list[bool]) -> None:
    body = evaluation(dataset)
    body["evaluations"] = [{}, {"action": {"name": "dataset.delete"}}, {"action": {"name": "dataset.read"}}]
    if semantic:
        body["options"] = {"evaluations_semantic": semantic}
    answer = send(officer, "POST", "/access/v1/evaluations", body).json()
    assert [one["decision"] for one in answer["evaluations"]] == decisions
    assert (
        send(officer, "POST", "/access/v1/evaluations", {**body, "options": {"evaluations_semantic": "x"}}).status_code
        == 400
    )
    assert send(officer, "POST", "/access/v1/evaluations", {**body, "evaluations": [{}] * 101}).status_code == 400
    assert send(officer, "POST", "/access/v1/evaluations", evaluation(dataset)).json()["decision"] is True


def test_authzen_search_finds_who_what_and_how(tenant: Tenant, officer: Client, dataset: Dataset) -> None:
    viewer, steward = make_user(tenant, "viewer"), make_user(tenant, "data_steward")
    other = make_dataset(tenant)
    body = evaluation(dataset)
    who = {**body, "subject": {"type": "user"}}
    found = send(officer, "POST", "/access/v1/search/subject", who).json()["results"]
    assert {"type": "user", "id": str(steward.pk)} in found
    assert {"type": "user", "id": str(viewer.pk)} not in found
    what = {**body, "resource": {"type": "dataset"}}
    assert {one["id"] for one in send(officer, "POST", "/access/v1/search/resource", what).json()["results"]} == {
        str(dataset.pk),
        str(other.pk),
    }
    first = send(officer, "POST", "/access/v1/search/resource", {**what, "page": {"limit": 1}}).json()
    rest = {**what, "page": {"limit": 1, "token": first["page"]["next_token"]}}
    second = send(officer, "POST", "/access/v1/search/resource", rest).json()
    assert {first["results"][0]["id"], second["results"][0]["id"]} == {str(dataset.pk), str(other.pk)}
    assert send(officer, "POST", "/access/v1/search/resource", {**what, "page": {"token": "x"}}).status_code == 400
    how = {**body, "subject": {"type": "user", "id": str(viewer.pk)}}
    names = [one["name"] for one in send(officer, "POST", "/access/v1/search/action", how).json()["results"]]
    assert "dataset.read" in names
    assert "record.read" not in names


def test_a_denial_is_explained_with_the_smallest_grant(tenant: Tenant, dataset: Dataset) -> None:
    officer, viewer = principal_with(tenant, "security_officer"), make_user(tenant, "viewer")
    asked = Asked(subject_id=str(viewer.pk), action="read", resource_id=str(dataset.pk), purpose="analytics")
    with acting(tenant, officer):
        why = explain(officer, asked=asked)
    assert (why.is_allowed, why.reason) == (False, "no role permits it")
    assert why.missing is not None
    assert (why.missing.dataset_id, why.missing.purpose, why.missing.is_lease_enough) == (
        str(dataset.pk),
        "analytics",
        True,
    )
    assert "record.read.masked" in why.missing.permissions
    assert "analyst" in why.missing.roles
    assert ("resource.tags", "gdpr") in why.attributes


def test_a_policy_that_forbids_is_named_and_no_grant_would_help(tenant: Tenant, dataset: Dataset) -> None:
    put_in_force(
        tenant, 'forbid(principal, action, resource is Dataset) when { resource.tags.contains("gdpr") };', "gdpr"
    )
    officer, steward = principal_with(tenant, "security_officer"), make_user(tenant, "data_steward")
    asked = Asked(subject_id=str(steward.pk), action="read", resource_id=str(dataset.pk), purpose="analytics")
    with acting(tenant, officer):
        why = explain(officer, asked=asked)
    assert (why.is_allowed, why.policies, why.missing) == (False, ("policy:gdpr@1",), None)
    (forbid,) = [one for one in why.statements if one.id == "policy:gdpr@1"]
    assert (forbid.effect, forbid.outcome, forbid.asks_for) == ("forbid", "matches", ("resource.tags",))
    assert 'contains("gdpr")' in forbid.text


def test_a_recorded_decision_is_explained_from_what_it_was_made_on(tenant: Tenant, dataset: Dataset) -> None:
    client = caller(tenant, "viewer", purpose="analytics")
    assert send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records").status_code == 403
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer):
        newest = recent_decisions(officer, limit=5, denied_only=True)[0]
        why = explain_decision(officer, event_id=newest.event_id)
        assert (newest.action, newest.is_allowed) == ("record.read", False)
        assert (why.is_allowed, why.reason, why.question.subject.roles) == (False, "no role permits it", {"viewer"})
        assert why.missing is not None
        with pytest.raises(DecisionNotFound):
            explain_decision(officer, event_id=uuid4())
        assert decision_history().find(uuid4()) is None
    viewer = principal_with(tenant, "viewer")
    with acting(tenant, viewer), pytest.raises(AccessDenied):
        explain_decision(viewer, event_id=newest.event_id)
