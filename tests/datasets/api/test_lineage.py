from uuid import uuid4

import attr
import pytest
from openlineage.client import event_v2
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.output_statistics_output_dataset import OutputStatisticsOutputDatasetFacet

from datasets.openlineage.schema import run_event_validator
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload

PRODUCER = "https://pipelines.example.org/trainer"


@pytest.fixture
def steward(tenant):
    return caller(tenant, "data_steward")


@pytest.fixture
def dataset(tenant):
    dataset = make_dataset(tenant)
    rows = rows_of(5)
    upload(tenant, dataset, jsonl(rows))
    rows[0]["response"] = "changed"
    upload(tenant, dataset, jsonl(rows))
    return dataset


def run_event(tenant, dataset, run_id=None, **facts):
    facet = {"_producer": PRODUCER, "_schemaURL": "https://openlineage.io/spec/facets/1-0-0/X.json"}
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-05-04T10:00:00Z",
        "producer": PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": run_id or str(uuid4())},
        "job": {
            "namespace": "trainer",
            "name": "nightly",
            "facets": {"jobType": facet | {"processingType": "BATCH", "integration": "X", "jobType": "TRAINING"}},
        },
        "inputs": [
            {
                "namespace": f"llm-data-vault://{tenant.slug}",
                "name": str(dataset.pk),
                "facets": {"version": facet | {"datasetVersion": "v1.0.0"}},
            }
        ],
        "outputs": [
            {
                "namespace": "models",
                "name": "support-bot",
                "facets": {"datasetType": facet | {"datasetType": "MODEL"}},
            }
        ],
    } | facts


def names(answer):
    return {(node["type"], node["name"]) for node in answer["nodes"]}


def test_a_version_knows_what_it_came_from(steward, dataset):
    answer = send(steward, "GET", f"/datasets/{dataset.pk}/lineage").json()
    assert names(answer) == {("version", "v1.0.0"), ("version", "v1.1.0")}
    (edge,) = answer["edges"]
    assert edge["kind"] == "derived_from"
    assert edge["reported_by"] is None
    assert [node["dataset"] for node in answer["nodes"]] == [dataset.name] * 2


def test_a_training_run_is_reported_and_found_from_above(tenant, steward, dataset):
    request_id = new_request_id()
    body = {"kind": "trained", "version": "v1.0.0", "facts": {"epochs": "3"}}
    body["thing"] = {"type": "model", "namespace": "registry", "name": "support-bot"}
    answer = send(steward, "POST", f"/datasets/{dataset.pk}/lineage", body, **{"X-Request-ID": request_id})
    assert answer.status_code == 201
    assert answer.json()["reported_by"]
    (decision,) = decisions_of(tenant, request_id)
    assert (decision.type, decision.status) == ("data.access.write", "success")
    assert "data.lineage.reported" in {event.type for event in events_of(tenant, request_id)}
    impact = send(steward, "GET", f"/datasets/{dataset.pk}/impact?version=v1.0.0").json()
    assert ("model", "support-bot") in names(impact)
    target = next(node["id"] for node in impact["nodes"] if node["type"] == "model")
    path = send(steward, "GET", f"/datasets/{dataset.pk}/lineage/path?version=v1.0.0&to={target}").json()
    assert [edge["kind"] for edge in path["edges"]] == ["trained"]
    nowhere = send(steward, "GET", f"/datasets/{dataset.pk}/lineage/path?version=v1.1.0&to={target}")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "VAULT_DATA_4462")


def test_a_reported_cycle_is_refused(steward, dataset):
    thing = {"type": "transformation", "namespace": "x", "name": "y"}
    path = f"/datasets/{dataset.pk}/lineage"
    assert send(steward, "POST", path, {"kind": "transformed_by", "thing": thing}).status_code == 201
    back = send(steward, "POST", path, {"kind": "derived_from", "version": "v1.0.0", "thing": thing, "is_source": True})
    assert (back.status_code, back.json()["code"]) == (409, "VAULT_DATA_4461")


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "stolen_from"},
        {"thing": {"type": "version", "namespace": "x", "name": "y"}},
        {"thing": {"type": "model", "namespace": "x"}},
        {"facts": {"a": {"b": "c"}}},
        {"owner": "me"},
        {"facts": {str(number): "x" for number in range(21)}},
    ],
)
def test_a_report_that_makes_no_sense_is_refused(steward, dataset, change):
    body = {"kind": "trained", "thing": {"type": "model", "namespace": "x", "name": "y"}} | change
    assert send(steward, "POST", f"/datasets/{dataset.pk}/lineage", body).status_code == 400


def test_a_report_may_name_no_person(steward, dataset):
    body = {"kind": "trained", "thing": {"type": "model", "namespace": "x", "name": "of ada.lovelace@example.com"}}
    answer = send(steward, "POST", f"/datasets/{dataset.pk}/lineage", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4008")
    assert "lovelace" not in answer.content.decode()


def test_the_lineage_of_another_tenant_does_not_exist(rival, dataset):
    stranger = caller(rival, "data_steward")
    thing = {"kind": "trained", "thing": {"type": "model", "namespace": "x", "name": "y"}}
    for method, path, body in (
        ("GET", "lineage", None),
        ("POST", "lineage", thing),
        ("GET", "impact", None),
        ("GET", f"lineage/path?to={uuid4()}", None),
        ("GET", "metadata", None),
        ("GET", "versions/v1.0.0/openlineage", None),
    ):
        theirs = send(stranger, method, f"/datasets/{dataset.pk}/{path}", body)
        nobodys = send(stranger, method, f"/datasets/{uuid4()}/{path}", body)
        assert theirs.status_code == nobodys.status_code == 404
        assert {**theirs.json(), "trace_id": "", "instance": ""} == {**nobodys.json(), "trace_id": "", "instance": ""}


def test_our_run_events_are_openlineage(tenant, steward, dataset):
    event = send(steward, "GET", f"/datasets/{dataset.pk}/versions/v1.1.0/openlineage").json()
    assert list(run_event_validator().iter_errors(event)) == []
    theirs = event_v2.RunEvent(
        eventType=event_v2.RunState[event["eventType"]],
        eventTime=event["eventTime"],
        run=event_v2.Run(**event["run"]),
        job=event_v2.Job(**event["job"]),
        inputs=[event_v2.InputDataset(**one) for one in event["inputs"]],
        outputs=[event_v2.OutputDataset(**one) for one in event["outputs"]],
        producer=event["producer"],
    )
    assert theirs.schemaURL == event["schemaURL"]
    (output,) = event["outputs"]
    for facet, kind in (
        (output["facets"]["version"], DatasetVersionDatasetFacet),
        (output["outputFacets"]["outputStatistics"], OutputStatisticsOutputDatasetFacet),
    ):
        members = {item.name for item in attr.fields(kind)}
        assert set(facet) - {"_producer", "_schemaURL"} <= members
        assert facet["_schemaURL"] == kind._get_schema()
    assert output["facets"]["version"]["datasetVersion"] == "v1.1.0"
    assert event["inputs"][0]["facets"]["version"]["datasetVersion"] == "v1.0.0"
    assert event["inputs"][0]["namespace"] == f"llm-data-vault://{tenant.slug}"


def test_a_pipelines_run_event_becomes_edges_once(tenant, steward, dataset):
    event = run_event(tenant, dataset)
    answers = [send(steward, "POST", "/lineage/openlineage", event) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["edges"] == answers[1].json()["edges"]
    impact = send(steward, "GET", f"/datasets/{dataset.pk}/impact?version=v1.0.0").json()
    run = next(node for node in impact["nodes"] if node["type"] == "run")
    assert run["name"] == f"nightly/{event['run']['runId']}"
    assert {edge["kind"] for edge in impact["edges"]} >= {"trained", "derived_from"}
    assert ("model", "support-bot") in names(impact)


def test_our_own_event_comes_back_as_it_is_known(steward, dataset):
    event = send(steward, "GET", f"/datasets/{dataset.pk}/versions/v1.0.0/openlineage").json()
    assert send(steward, "POST", "/lineage/openlineage", event).status_code == 201


def test_a_failed_run_makes_nothing(tenant, steward, dataset):
    answer = send(steward, "POST", "/lineage/openlineage", run_event(tenant, dataset, eventType="FAIL"))
    assert (answer.status_code, answer.json()["edges"]) == (201, [])


@pytest.mark.parametrize(
    "change",
    [
        {"eventTime": "yesterday"},
        {"run": {"runId": "7"}},
        {"job": {"namespace": "x"}},
        {"inputs": [{"namespace": "x", "name": "y", "facets": {"a": {"b": 1}}}]},
        {"producer": "not a uri"},
        {"eventType": "DONE"},
        {"outputs": {"namespace": "x"}},
    ],
)
def test_what_is_no_run_event_is_refused_with_the_place(tenant, steward, dataset, change):
    answer = send(steward, "POST", "/lineage/openlineage", run_event(tenant, dataset, **change))
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4463")
    assert answer.json()["errors"][0]["field"].startswith(f"/{next(iter(change))}")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ({"namespace": "canary.lovelace@example.com", "name": "x"}, "VAULT_DATA_4008"),
        ({"namespace": "x", "name": "a\0b"}, "VAULT_DATA_4463"),
    ],
)
def test_a_run_event_names_no_person_and_nothing_that_cannot_be_stored(tenant, steward, dataset, end, code):
    event = run_event(tenant, dataset, outputs=[end])
    answer = send(steward, "POST", "/lineage/openlineage", event)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_a_run_event_cannot_reach_another_tenant(tenant, rival, dataset):
    stranger = caller(rival, "data_steward")
    theirs = run_event(tenant, dataset)
    assert send(stranger, "POST", "/lineage/openlineage", theirs).status_code == 404
    theirs["inputs"][0]["namespace"] = f"llm-data-vault://{rival.slug}"
    assert send(stranger, "POST", "/lineage/openlineage", theirs).status_code == 404


def test_readers_may_look_and_not_report(tenant, dataset):
    analyst = caller(tenant, "analyst")
    assert send(analyst, "GET", f"/datasets/{dataset.pk}/lineage").status_code == 200
    body = {"kind": "trained", "thing": {"type": "model", "namespace": "x", "name": "y"}}
    assert send(analyst, "POST", f"/datasets/{dataset.pk}/lineage", body).status_code == 403
    assert send(analyst, "POST", "/lineage/openlineage", run_event(tenant, dataset)).status_code == 403
