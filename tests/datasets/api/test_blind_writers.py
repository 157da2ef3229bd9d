"""Who writes records without reading them raw does not learn from an answer whether a guess at a value is right."""

import pytest

from datasets.models import Version
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload

TRUE, FALSE = "jane.canary@example.com", "john.canary@example.com"
GUESSES = (TRUE, FALSE)


@pytest.fixture
def client(tenant):
    return caller(tenant, "ml_engineer")


def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl({"id": f"r{n}", "data": {"mail": TRUE, "n": n}} for n in range(3)), envelope=True)
    return dataset


def versions(tenant, dataset):
    """What a version tells of itself, without what is random or a time."""
    with acting(tenant):
        rows = list(Version.objects.filter(dataset=dataset).order_by("sequence"))
    assert len({bytes(row.root) for row in rows}) == len(rows), "equal roots would tell that nothing has changed"
    return [(row.label, row.record_count, row.canonical_bytes, row.chunk_count, row.new_chunk_count) for row in rows]


def same_for_all(outcomes):
    first, *others = outcomes
    assert all(other == first for other in others)
    return first


@pytest.mark.parametrize("mode", ["upsert", "merge"])
@pytest.mark.parametrize("is_repeated", [False, True])
def test_a_patch_answers_alike_whether_the_guess_is_right(tenant, client, mode, is_repeated):
    outcomes = []
    for guess in GUESSES:
        dataset = filled(tenant)
        data = {"mail": guess} if mode == "merge" else {"mail": guess, "n": 1}
        body = {"mode": mode, "records": [{"id": "r1", "data": data}]}
        answers = [send(client, "PATCH", f"/datasets/{dataset.pk}/data", body) for _ in range(1 + is_repeated)]
        shown = send(client, "GET", f"/datasets/{dataset.pk}/diff?from=v1.0.0&to=main").getvalue()
        told = [(answer.status_code, answer.json()) for answer in answers]
        outcomes.append((told, versions(tenant, dataset), shown))
        assert {record.id: record.data for record in read_all(tenant, dataset)}["r1"] == {"mail": guess, "n": 1}
    told, _, _ = same_for_all(outcomes)
    assert [(status, answer["results"][0]["status"]) for status, answer in told] == [(201, "updated")] * len(told)


def test_a_draft_answers_alike_whether_the_guess_is_right(tenant, client):
    outcomes = []
    for guess in GUESSES:
        dataset = filled(tenant)
        base = f"/datasets/{dataset.pk}/versions"
        opened = send(client, "POST", base, {}).json()["id"]
        body = {"records": [{"id": "r1", "data": {"mail": guess, "n": 1}}]}
        staged = [send(client, "POST", f"{base}/{opened}/records", body).json()["results"] for _ in range(2)]
        counted = send(client, "GET", f"{base}/{opened}").json()["staged"]
        published = send(client, "POST", f"{base}/{opened}/publish", {}).status_code
        outcomes.append((staged, counted, published, versions(tenant, dataset)))
    staged, counted, published, _ = same_for_all(outcomes)
    assert [results[0]["status"] for results in staged] == ["updated", "updated"]
    assert (counted, published) == ({"added": 0, "updated": 1, "deleted": 0}, 201)


@pytest.mark.parametrize("changed", ["r1", "r2"])
def test_a_rebase_answers_alike_whether_the_guess_is_right(tenant, client, changed):
    """The branch moves by another record (a version comes) or by the same one (a conflict, even if it is as staged)."""
    outcomes = []
    for guess in GUESSES:
        dataset = filled(tenant)
        base = f"/datasets/{dataset.pk}/versions"
        opened = send(client, "POST", base, {}).json()["id"]
        body = {"records": [{"id": "r1", "data": {"mail": guess, "n": 9}}]}
        send(client, "POST", f"{base}/{opened}/records", body)
        theirs = {"records": [{"id": changed, "data": {"mail": TRUE, "n": 9}}]}
        assert send(caller(tenant, "data_steward"), "PATCH", f"/datasets/{dataset.pk}/data", theirs).status_code == 201
        answer = send(client, "POST", f"{base}/{opened}/publish", {"rebase": True})
        outcomes.append((answer.status_code, answer.json().get("code"), versions(tenant, dataset)))
    status, code, _ = same_for_all(outcomes)
    assert (status, code) == ((409, "VAULT_DATA_4344") if changed == "r1" else (201, None))


def test_who_reads_raw_is_told_what_has_changed(tenant):
    steward, dataset = caller(tenant, "data_steward"), filled(tenant)
    body = {"records": [{"id": f"r{n}", "data": {"mail": guess, "n": n}} for n, guess in enumerate(GUESSES)]}
    answer = send(steward, "PATCH", f"/datasets/{dataset.pk}/data", body).json()
    assert [result["status"] for result in answer["results"]] == ["unchanged", "updated"]
    assert len(versions(tenant, dataset)) == 2
