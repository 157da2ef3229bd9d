"""The scope of an incident: from the audit, the exports, the lineage and the index of persons."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from audit.selectors import EventFilter, matching
from compliance.incidents import scope_work
from compliance.incidents.facts import IncidentFacts
from compliance.incidents.notices import begin_notice, read_notice
from compliance.incidents.open import open_incident
from compliance.incidents.reach import COUNTED
from compliance.incidents.scope_request import request_scope
from compliance.incidents.scope_work import compute_scope
from compliance.models import IncidentEntry, IncidentScope
from datasets.models import EdgeKind, NodeType
from datasets.selectors import find_version
from datasets.services.exports.run import run_export
from datasets.services.lineage import LineageEnd, Report, report_edge
from tests.factories.access import acting, age, make_api_key, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.factories.exports import export
from vaultsite.kernel.jobs import JobStatus


class Stopped(Exception):
    """The worker was killed."""


def records_read(client, dataset, times: int) -> None:
    for _ in range(times):
        answer = send(client, "GET", f"/datasets/{dataset.pk}/data")
        assert answer.status_code == 200
        b"".join(answer.streaming_content) if answer.streaming else answer.content


def asked(tenant, principal, **given: Any) -> IncidentScope:
    begun = timezone.now() - timedelta(hours=1)
    with acting(tenant, principal):
        facts = IncidentFacts(title="Somebody read too much", occurred_from=begun, **given)
        incident = open_incident(principal, facts=facts)
        return request_scope(principal, incident_id=incident.pk)


def computed(tenant, scope: IncidentScope) -> IncidentScope:
    compute_scope(tenant.pk, scope.pk)
    with acting(tenant):
        return IncidentScope.objects.select_related("incident").get(pk=scope.pk)


@pytest.fixture
def officer(tenant):
    return principal_with(tenant, "privacy_officer")


@pytest.fixture
def looted(tenant):
    """A dataset with 3 mail addresses in 30 records, read twice and refused once by a key, and exported."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(30)))
    key, token = make_api_key(tenant, "ml_engineer")
    thief = Client(headers={"Authorization": f"Bearer {token}", "X-Vault-Purpose": "evaluation"})
    records_read(thief, dataset, 2)
    assert send(thief, "DELETE", f"/datasets/{dataset.pk}").status_code in (403, 404)
    return dataset, key


def test_every_figure_is_that_of_the_events_its_filter_finds(tenant, officer, looted) -> None:
    dataset, key = looted
    scope = computed(tenant, asked(tenant, officer, principals=(key.pk,), datasets=(dataset.pk,)))
    assert scope.status == JobStatus.SUCCEEDED, scope.error
    (access,) = scope.result["accesses"]
    assert (access["principal"], access["dataset"]) == (str(key.pk), str(dataset.pk))
    criteria = EventFilter(
        actor_id=UUID(access["principal"]),
        dataset_id=UUID(access["dataset"]),
        types=tuple(COUNTED),
        since=datetime.fromisoformat(scope.criteria["since"]),
        until=datetime.fromisoformat(scope.criteria["until"]),
    )
    with acting(tenant):
        events = list(matching(tenant.pk, criteria))
    assert access["events"] == len(events)
    assert access["records"] == sum(event.records for event in events) == 60
    assert access["refused"] == sum(event.status == "denied" for event in events) == 1
    assert list(access["purposes"]) == ["evaluation"]
    assert access["versions"]


def test_persons_are_counted_once_however_often_and_in_how_many_datasets(tenant, officer, looted) -> None:
    dataset, key = looted
    copy = make_dataset(tenant)
    upload(tenant, copy, jsonl(rows_of(30)[:11]))
    other = make_dataset(tenant)
    upload(tenant, other, jsonl([{"text": "Ask bob@example.com."}]))
    scope = computed(tenant, asked(tenant, officer, principals=(key.pk,)))
    assert scope.result["people"] == {"identifiers": 3, "records": 3}, "what was not reached is not counted"
    assert scope.result["categories"]["EMAIL_ADDRESS"] >= 3
    both = asked(tenant, officer, datasets=(dataset.pk, copy.pk))
    records_read(caller(tenant, "data_steward"), copy, 1)
    with acting(tenant):
        IncidentScope.objects.filter(pk=both.pk).update(criteria=both.criteria | {"until": timezone.now().isoformat()})
    assert computed(tenant, both).result["people"] == {"identifiers": 3, "records": 5}


def test_special_categories_are_named(tenant, officer) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"text": "My father was diagnosed with diabetes. Ask eve@example.com."}]))
    records_read(caller(tenant, "data_steward"), dataset, 1)
    scope = computed(tenant, asked(tenant, officer, datasets=(dataset.pk,)))
    assert scope.result["special"] == ["HEALTH"]


def test_exports_and_what_was_made_of_the_data_are_found(tenant, officer) -> None:
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    upload(tenant, dataset, jsonl(rows_of(20)))
    made = export(tenant, dataset, principal=steward, format="jsonl")
    other = make_dataset(tenant)
    upload(tenant, other, jsonl(rows_of(2)))
    export(tenant, other, format="jsonl")
    with acting(tenant, steward):
        version = find_version(dataset, "main")
        model = LineageEnd(NodeType.MODEL, "support-bot", namespace="registry")
        report_edge(steward, dataset_id=dataset.pk, version=version, report=Report(EdgeKind.TRAINED, model))
    scope = computed(tenant, asked(tenant, officer, principals=(steward.id,), datasets=(dataset.pk,)))
    (found,) = scope.result["exports"]
    assert (found["export"], found["records"], found["downloads"], found["is_raw"]) == (str(made.pk), 20, 0, True)
    assert {"type": "model", "name": "registry:support-bot", "dataset": ""} in scope.result["derived"]


def test_a_download_is_counted_with_who_did_it(tenant, officer) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(20)))
    client = caller(tenant, "data_steward")
    asked_for = send(client, "POST", f"/datasets/{dataset.pk}/exports", {"format": "jsonl"})
    assert asked_for.status_code == 202
    run_export(tenant.pk, UUID(asked_for.json()["id"]))
    signed = send(client, "POST", f"/exports/{asked_for.json()['id']}/download-url", {"file": "export.jsonl"}).json()
    b"".join(client.get(signed["url"]).streaming_content)
    scope = computed(tenant, asked(tenant, officer, datasets=(dataset.pk,)))
    (found,) = scope.result["exports"]
    assert (found["downloads"], len(found["downloaded_by"])) == (1, 1)
    assert sum(one["downloaded"] for one in scope.result["accesses"]) == 20


def test_the_programs_of_a_person_are_among_whom_is_looked_at(tenant, officer) -> None:
    key, _ = make_api_key(tenant, "viewer")
    maker = key.created_by
    scope = asked(tenant, officer, principals=(maker,))
    assert {str(maker), str(key.pk)} <= set(scope.criteria["principals"])


@pytest.mark.parametrize("dies_at", ["events", "derived", "categories"])
def test_a_scope_goes_on_where_its_worker_died_and_counts_nothing_twice(
    tenant, officer, looted, monkeypatch, dies_at
) -> None:
    dataset, key = looted
    whole = computed(tenant, asked(tenant, officer, principals=(key.pk,), datasets=(dataset.pk,))).result
    monkeypatch.setattr(scope_work, "PAGE", 2)
    real = scope_work._STAGES[dies_at]
    calls = []

    def dying(scope, state):
        calls.append(1)
        real(scope, state)
        if len(calls) == 2 or dies_at != "events":
            raise Stopped

    scope = asked(tenant, officer, principals=(key.pk,), datasets=(dataset.pk,))
    with monkeypatch.context() as patched:
        patched.setattr(scope_work, "_STAGES", {**scope_work._STAGES, dies_at: dying})
        with pytest.raises(Stopped):
            compute_scope(tenant.pk, scope.pk)
    with acting(tenant):
        assert IncidentScope.objects.get(pk=scope.pk).status == JobStatus.RUNNING
    age(scope, lease_until=timedelta(hours=1))
    again = computed(tenant, scope)
    assert again.status == JobStatus.SUCCEEDED
    assert again.result == whole


def test_a_scope_can_be_asked_for_again_but_one_at_a_time(tenant, officer, looted) -> None:
    _, key = looted
    scope = asked(tenant, officer, principals=(key.pk,))
    client = caller(tenant, "privacy_officer")
    place = f"/incidents/{scope.incident_id}/scopes"
    assert send(client, "POST", place, {}).json()["code"] == "VAULT_COMP_8152"
    computed(tenant, scope)
    again = send(client, "POST", place, {})
    assert (again.status_code, again.headers["Location"]) == (202, f"/api/v1{place}/{again.json()['id']}")
    compute_scope(tenant.pk, UUID(again.json()["id"]))
    found = send(client, "GET", f"{place}/{again.json()['id']}").json()
    assert (found["status"], found["result"]["accesses"][0]["records"]) == ("succeeded", 60)
    assert [one["id"] for one in send(client, "GET", place).json()["data"]] == [again.json()["id"], str(scope.pk)]
    with acting(tenant):
        kinds = list(IncidentEntry.objects.filter(incident_id=scope.incident_id).values_list("kind", flat=True))
    assert (kinds.count("scope.asked"), kinds.count("scope.found")) == (2, 2)


@pytest.mark.parametrize(
    ("facts", "field"), [({"principals": []}, "principals"), ({"principals": [str(uuid4())]}, "since")]
)
def test_a_scope_needs_somebody_or_something_and_a_beginning(tenant, facts, field) -> None:
    client = caller(tenant, "privacy_officer")
    made = send(client, "POST", "/incidents", {"title": "Too little is known"} | facts).json()
    answer = send(client, "POST", f"/incidents/{made['id']}/scopes", {})
    assert (answer.status_code, answer.json()["errors"][-1]["field"]) == (400, "since")
    assert field in [problem["field"] for problem in answer.json()["errors"]]


def test_a_notice_is_filled_from_the_scope(tenant, officer, looted) -> None:
    dataset, key = looted
    scope = computed(tenant, asked(tenant, officer, principals=(key.pk,), datasets=(dataset.pk,)))
    with acting(tenant, officer):
        notice = begin_notice(officer, incident_id=scope.incident_id, audience="authority")
        _, text = read_notice(officer, incident_id=scope.incident_id, notice_id=notice.pk)
    assert "at most about 3 (distinct identifiers)" in text.body
    assert "Records: approximately 60, of 1 datasets." in text.body
    assert "EMAIL_ADDRESS" in text.body


def test_the_scope_of_another_tenant_sees_nothing_of_this_one(tenant, rival, looted) -> None:
    dataset, key = looted
    theirs = principal_with(rival, "privacy_officer")
    scope = computed(rival, asked(rival, theirs, principals=(key.pk,), datasets=(dataset.pk,)))
    assert (scope.result["accesses"], scope.result["people"]["identifiers"]) == ([], 0)
