"""REST: statistics with noise, what they cost, and what is refused."""

import sys
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connections

from anonymization.privacy.errors import TooManyRecords
from anonymization.privacy.opendp import load_opendp
from anonymization.services.budget import state_of
from audit.models import AuditEvent
from datasets.models import EdgeKind, NodeType, Version
from datasets.services.families import family_of, join_datasets, members_of
from datasets.services.lineage import LineageEnd, record_edge
from datasets.services.statistics import ask
from datasets.services.statistics.compute import compute
from datasets.services.statistics.request import parse_request
from tests.factories.access import acting
from tests.factories.api import caller, decisions_of, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, purge, someone, upload
from tests.factories.guaranteed import declare_rules
from vaultsite.kernel.errors import VaultError

PEOPLE = 300
EPSILON = "20"


def rows(people: int = PEOPLE):
    """Two records for each of the people, in three cities, of ages 20 to 69."""
    return [
        {
            "person": f"person-{number}",
            "age": 20 + number % 50,
            "city": ["Springfield", "Shelbyville", "Ogdenville"][number % 3],
            "visit": visit,
        }
        for number in range(people)
        for visit in range(2)
    ]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(rows()))
    declare_rules(tenant, made)
    return made


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


@pytest.fixture
def analyst(tenant):
    return caller(tenant, "analyst", purpose="analytics")


def give(officer, tenant, dataset, epsilon="1000", delta="0.0001"):
    with acting(tenant):
        family = family_of(dataset.pk)
    loss = {"epsilon": epsilon, "delta": delta}
    body = {"total": loss, "recipient": loss, "reason": "a study"}
    state_of_budget = send(officer, "PUT", f"/privacy/budgets/{family}", body)
    assert state_of_budget.status_code == 200, state_of_budget.content
    return family


def ask_for(client, dataset, *queries, **facts):
    body = {"subject": "person", "queries": list(queries)} | facts
    return send(client, "POST", f"/datasets/{dataset.pk}/statistics", body)


def query(kind, **facts):
    return {"type": kind, "epsilon": EPSILON} | facts


def test_every_kind_of_statistic_is_near_the_truth_and_says_how_near(tenant, dataset, officer, analyst):
    give(officer, tenant, dataset)
    answer = ask_for(
        analyst,
        dataset,
        query("count"),
        query("count", name="visits", contributions=2),
        query("sum", field="age", bounds=[0, 100]),
        query("mean", field="age", bounds=[0, 100]),
        query("quantile", field="age", bounds=[0, 100], resolution=1),
        query("histogram", field="city", keys=["Springfield", "Atlantis"]),
        query("histogram", name="ages", field="age", edges=[20, 45, 70]),
        query("histogram", name="cities", field="city", delta="0.0000001"),
    )
    assert answer.status_code == 200, answer.content
    count, visits, total, mean, median, cities, ages, open_cities = answer.json()["results"]
    assert abs(count["value"] - PEOPLE) <= 5
    assert abs(visits["value"] - 2 * PEOPLE) <= 10
    assert abs(total["value"] - sum(20 + number % 50 for number in range(PEOPLE))) < 200
    assert abs(mean["value"] - 44.5) < 3
    assert abs(median["value"] - 44) <= 3
    assert [found["key"] for found in cities["bins"]] == ["Springfield", "Atlantis"]
    assert abs(cities["bins"][0]["value"] - 100) <= 5
    assert abs(cities["bins"][1]["value"]) <= 5
    assert [(found["from"], found["to"]) for found in ages["bins"]] == [(20, 45), (45, 70)]
    assert [found["key"] for found in open_cities["bins"]] == ["Ogdenville", "Shelbyville", "Springfield"]
    assert all(0 < result["confidence"] <= 0.95 for result in answer.json()["results"])
    assert count["margin"] == pytest.approx(0.15, rel=0.01)
    privacy = answer.json()["privacy"]
    assert (privacy["epsilon"], privacy["delta"], privacy["composition"]) == ("160", "0.0000001", "basic")
    assert answer.json()["budget"]["remaining"] == {"epsilon": "840", "delta": "0.0000999"}


def test_the_same_queries_again_are_answered_as_before_at_no_cost(tenant, dataset, officer, analyst):
    family = give(officer, tenant, dataset)
    asked = query("count", epsilon="0.1"), query("sum", field="age", bounds=[0, 100], epsilon="0.1")
    first = ask_for(analyst, dataset, *asked).json()
    again = ask_for(caller(tenant, "data_scientist", purpose="analytics"), dataset, *asked).json()
    assert (first["is_repeated"], again["is_repeated"]) == (False, True)
    assert first["results"] == again["results"]
    with acting(tenant):
        assert str(state_of(family, uuid4()).spent.epsilon.normalize()) == "0.2"


def test_what_a_redacted_reader_gets_is_over_what_is_stored(tenant, officer, analyst):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"person": f"ada{n}@example.com", "card": "4111111111111111"} for n in range(50)]))
    declare_rules(tenant, dataset)
    give(officer, tenant, dataset)
    answer = ask_for(analyst, dataset, query("histogram", field="card", keys=["4111111111111111"]))
    assert abs(answer.json()["results"][0]["bins"][0]["value"] - 50) <= 5
    plain = {"aggregate": ["count"]}
    refused = send(analyst, "POST", f"/datasets/{dataset.pk}/query", plain)
    assert refused.json()["code"] == "VAULT_DATA_4383"
    assert f"/datasets/{dataset.pk}/statistics" in refused.json()["detail"]


def test_a_filter_narrows_what_is_counted(tenant, dataset, officer, analyst):
    give(officer, tenant, dataset)
    answer = ask_for(analyst, dataset, query("count"), filter={"city": "Springfield"})
    assert abs(answer.json()["results"][0]["value"] - 100) <= 5


def test_a_budget_that_is_used_up_refuses_with_what_is_left(tenant, dataset, officer, analyst):
    give(officer, tenant, dataset, epsilon="0.25")
    assert ask_for(analyst, dataset, query("count", epsilon="0.2")).status_code == 200
    refused = ask_for(analyst, dataset, query("count", epsilon="0.1"))
    assert (refused.status_code, refused.json()["code"]) == (403, "VAULT_ANON_6070")
    assert refused.json()["remaining_epsilon"] == "0.05"
    shown = send(analyst, "GET", f"/datasets/{dataset.pk}/privacy-budget").json()
    assert shown["remaining"]["epsilon"] == "0.05"
    assert shown["you"]["spent"]["epsilon"] == "0.2"
    assert shown["datasets"] == [str(dataset.pk)]


def test_fifty_parallel_queries_with_budget_for_ten_are_answered_ten_times(tenant, dataset, officer):
    """T75."""
    give(officer, tenant, dataset, epsilon="1")
    clients = [caller(tenant, "analyst", purpose="analytics") for _ in range(5)]

    def one(number: int) -> int:
        try:
            asked = query("count", epsilon="0.1", name=f"q{number}")
            return ask_for(clients[number % 5], dataset, asked).status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(one, range(50)))
    assert sorted(codes) == [200] * 10 + [403] * 40
    shown = send(clients[0], "GET", f"/datasets/{dataset.pk}/privacy-budget").json()
    assert shown["remaining"]["epsilon"] == "0"


def test_a_computation_that_fails_gives_nothing_back(tenant, dataset, officer):
    """T75: between the spend and the answer."""
    give(officer, tenant, dataset, epsilon="1")
    analyst = someone(tenant, "analyst")
    request = parse_request(subject="person", queries=[query("count", epsilon="0.4")])
    with acting(tenant, analyst):
        asked = ask.open_statistics(analyst, dataset_id=dataset.pk, version="main", request=request)
    purge(tenant, dataset)
    with pytest.raises(VaultError):
        compute(asked.store, asked.version, request)
    with acting(tenant):
        assert str(state_of(family_of(dataset.pk), analyst.id).left.epsilon.normalize()) == "0.6"


def test_a_delta_above_one_over_the_records_is_refused(tenant, dataset, officer, analyst):
    give(officer, tenant, dataset, delta="0.1")
    refused = ask_for(analyst, dataset, query("histogram", field="city", delta="0.01"))
    assert (refused.status_code, refused.json()["code"]) == (400, "VAULT_ANON_6072")
    assert refused.json()["errors"][0]["field"] == "/queries/0/delta"


def test_rare_keys_are_not_told(tenant, officer, analyst):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"person": n, "city": "Springfield" if n else "Atlantis"} for n in range(200)]))
    declare_rules(tenant, dataset)
    give(officer, tenant, dataset)
    (result,) = ask_for(analyst, dataset, query("histogram", field="city", delta="1e-9", epsilon="2")).json()["results"]
    assert [found["key"] for found in result["bins"]] == ["Springfield"]


@pytest.mark.parametrize(
    "body",
    [[], {"queries": []}, {"subject": "person", "queries": [], "what": 1}, {"subject": "person", "queries": [7]}],
)
def test_bad_input_is_named(analyst, dataset, body):
    answer = send(analyst, "POST", f"/datasets/{dataset.pk}/statistics", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_ANON_6072")
    assert answer.json()["errors"]


def test_without_the_package_nothing_is_spent(tenant, dataset, officer, analyst, monkeypatch):
    family = give(officer, tenant, dataset)
    load_opendp.cache_clear()
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    refused = ask_for(analyst, dataset, query("count"))
    assert (refused.status_code, refused.json()["code"]) == (503, "VAULT_ANON_6073")
    with acting(tenant):
        assert state_of(family, uuid4()).spent.epsilon == 0


def test_a_version_with_too_many_records_is_refused_before_anything_is_spent(tenant, dataset):
    analyst = someone(tenant, "analyst")
    request = parse_request(subject="person", queries=[query("count")])
    with pytest.raises(TooManyRecords), acting(tenant, analyst):
        ask.open_statistics(analyst, dataset_id=dataset.pk, version="main", request=request, most=10)


def test_who_may_not_see_restricted_data_gets_no_statistics_of_it(tenant, officer):
    dataset = make_dataset(tenant, classification="restricted")
    upload(tenant, dataset, jsonl(rows(10)))
    give(officer, tenant, dataset)
    assert ask_for(caller(tenant, "analyst", purpose="analytics"), dataset, query("count")).status_code == 403
    assert ask_for(caller(tenant, "data_steward", purpose="analytics"), dataset, query("count")).status_code == 200


def test_a_purpose_and_a_permission_are_needed(tenant, dataset):
    assert ask_for(caller(tenant, "viewer", purpose="analytics"), dataset, query("count")).status_code == 403
    refused = ask_for(caller(tenant, "analyst", purpose=""), dataset, query("count"))
    assert refused.json()["code"] == "VAULT_AUTHZ_2002"
    unknown = send(caller(tenant, "analyst"), "POST", f"/datasets/{uuid4()}/statistics", {})
    assert unknown.status_code == 404


def test_the_audit_knows_kinds_and_costs_and_no_value(tenant, dataset, officer, analyst):
    give(officer, tenant, dataset)
    request_id = new_request_id()
    body = {"subject": "person", "filter": {"city": "Springfield"}, "queries": [query("count", epsilon="0.5")]}
    send(analyst, "POST", f"/datasets/{dataset.pk}/statistics", body, **{"X-Request-ID": request_id})
    (decision,) = decisions_of(tenant, request_id)
    assert decision.type == "data.access.read"
    found = {event.type: bytes(event.body).decode() for event in events_of(tenant, request_id)}
    assert '"epsilon":"0.5"' in found["privacy.budget.spent"]
    assert not any("Springfield" in content for content in found.values())


def test_more_passes_give_the_same_sums(tenant, dataset):
    analyst = someone(tenant, "analyst")
    huge = "100"
    queries = [
        query("count", epsilon=huge, contributions=2),
        query("sum", field="age", bounds=[0, 100], resolution=1, epsilon=huge),
    ]
    request = parse_request(subject="person", queries=queries)
    with acting(tenant, analyst):
        asked = ask.open_statistics(
            analyst,
            dataset_id=dataset.pk,
            version="main",
            request=parse_request(subject="person", queries=[query("count", epsilon="0.1")]),
        )
    count, total = compute(asked.store, asked.version, request, pass_bytes=4_000)
    assert abs(count["value"] - 2 * PEOPLE) <= 2
    assert abs(total["value"] - sum(20 + number % 50 for number in range(PEOPLE))) <= 60


def copied(tenant, source, target, kind=EdgeKind.COPIED_FROM):
    with acting(tenant):
        ends = [LineageEnd.of_version(Version.objects.get(dataset=one)) for one in (source, target)]
        record_edge(kind=kind, source=ends[0], target=ends[1])


def external(kind: NodeType, name: str) -> LineageEnd:
    return LineageEnd(kind, name, namespace="outside")


def test_a_copy_spends_from_the_same_budget(tenant, dataset, officer, analyst):
    give(officer, tenant, dataset, epsilon="1")
    copy = make_dataset(tenant)
    upload(tenant, copy, jsonl(rows()))
    declare_rules(tenant, copy)
    copied(tenant, dataset, copy)
    assert ask_for(analyst, dataset, query("count", epsilon="0.7")).status_code == 200
    assert ask_for(analyst, copy, query("count", epsilon="0.7")).json()["code"] == "VAULT_ANON_6070"
    shown = send(analyst, "GET", f"/datasets/{copy.pk}/privacy-budget").json()
    assert shown["datasets"] == sorted([str(dataset.pk), str(copy.pk)])
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.family.joined").exists()


def test_datasets_from_one_source_are_a_family_and_those_that_train_one_model_are_not(tenant):
    datasets = [make_dataset(tenant) for _ in range(4)]
    for made in datasets:
        upload(tenant, made, jsonl([{"id": "a"}]))
    with acting(tenant):
        one, other, third, fourth = (LineageEnd.of_version(Version.objects.get(dataset=made)) for made in datasets)
        crm = external(NodeType.SOURCE, "crm")
        record_edge(kind=EdgeKind.DERIVED_FROM, source=crm, target=one)
        record_edge(kind=EdgeKind.DERIVED_FROM, source=crm, target=other)
        model = external(NodeType.MODEL, "model")
        record_edge(kind=EdgeKind.TRAINED, source=one, target=model)
        record_edge(kind=EdgeKind.TRAINED, source=third, target=model)
        families = [family_of(made.pk) for made in datasets]
        assert families[0] == families[1]
        assert len(set(families)) == 3
        # What the model then writes is of all who trained it.
        record_edge(kind=EdgeKind.DERIVED_FROM, source=model, target=fourth)
        assert len({family_of(made.pk) for made in datasets}) == 1
        assert members_of(family_of(datasets[3].pk)) == sorted(made.pk for made in datasets)


def test_a_family_remembers_a_dataset_that_is_gone(tenant):
    one, other = make_dataset(tenant), make_dataset(tenant)
    with acting(tenant):
        family = join_datasets([one.pk, other.pk])
    purge(tenant, one)
    with acting(tenant):
        assert family_of(one.pk) == family_of(other.pk) == family


def test_a_family_of_another_tenant_is_nobodys_business(tenant, rival):
    one = make_dataset(tenant)
    with acting(rival):
        assert family_of(one.pk) == one.pk
        assert members_of(one.pk) == [one.pk]
