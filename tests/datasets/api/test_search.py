import csv
import io

import pytest

from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, upload


@pytest.fixture
def steward(tenant):
    return caller(tenant, "data_steward")


@pytest.fixture
def three(tenant):
    facts = [
        {"name": "chats", "description": "support of March", "tags": ("gold", "chat"), "classification": "pii"},
        {"name": "evals", "description": "answers of experts", "tags": ("gold",)},
        {"name": "prompts", "description": "support prompts", "tags": ("chat",)},
    ]
    made = [make_dataset(tenant, **one) for one in facts]
    upload(tenant, made[0], jsonl(rows_of(10)))
    return made


def found(client, query):
    return [row["name"] for row in send(client, "GET", f"/datasets/search?{query}").json()["data"]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["prompts", "evals", "chats"]),
        ("tags=gold", ["evals", "chats"]),
        ("tags=gold,chat", ["chats"]),
        ("q=SUPPORT", ["prompts", "chats"]),
        ("q=support+march", ["chats"]),
        ("q=prom", ["prompts"]),
        ("q=%25", []),
        ("classification=pii", ["chats"]),
        ("version=v1.0.0", ["chats"]),
        ("version=v9.0.0", []),
        ("sort=name", ["chats", "evals", "prompts"]),
        ("sort=-name", ["prompts", "evals", "chats"]),
        ("sort=created_at", ["chats", "evals", "prompts"]),
    ],
)
def test_datasets_are_found_by_what_is_said_of_them(steward, three, query, names):
    assert found(steward, query) == names


@pytest.mark.parametrize("sort", ["name", "-name", "created_at", "-created_at", "updated_at", "-updated_at"])
def test_pages_follow_each_other_in_every_order(steward, three, sort):
    whole, pages, cursor = found(steward, f"sort={sort}"), [], ""
    for _ in three:
        answer = send(steward, "GET", f"/datasets/search?sort={sort}&limit=1{cursor}").json()
        pages += [row["name"] for row in answer["data"]]
        cursor = f"&cursor={answer['pagination']['next_cursor']}"
    assert pages == whole
    assert answer["pagination"]["next_cursor"] is None


@pytest.mark.parametrize(
    "query",
    [
        "sort=secret",
        "classification=x",
        "cursor=abc",
        "sort=name;drop",
        "limit=0",
        "q=" + "a+" * 17,
        "tags=" + "a," * 17,
    ],
)
def test_what_is_no_search_is_refused(steward, three, query):
    assert send(steward, "GET", f"/datasets/search?{query}").status_code == 400


def test_a_cursor_of_another_order_is_refused_or_harmless(steward, three):
    answer = send(steward, "GET", "/datasets/search?sort=name&limit=1").json()
    other = send(steward, "GET", f"/datasets/search?sort=created_at&cursor={answer['pagination']['next_cursor']}")
    assert other.status_code == 400


def test_another_tenant_finds_nothing(rival, three):
    assert found(caller(rival, "data_steward"), "") == []


def test_metadata_sums_a_dataset_up(steward, three):
    told = send(steward, "GET", f"/datasets/{three[0].pk}/metadata").json()
    assert (told["name"], told["version"], told["record_count"]) == ("chats", "v1.0.0", 10)
    assert told["findings"]["EMAIL_ADDRESS"] == 1
    assert told["size_bytes"] > 500
    empty = send(steward, "GET", f"/datasets/{three[1].pk}/metadata").json()
    assert (empty["version"], empty["record_count"], empty["findings"]) == (None, 0, {})


def test_the_inventory_says_what_is_where_and_why_it_was_read(tenant, steward, three):
    read_all(tenant, three[0])
    rows = send(steward, "GET", "/datasets/inventory").json()["data"]
    (mails,) = (row for row in rows if row["type"] == "EMAIL_ADDRESS")
    assert (mails["dataset"], mails["findings"], mails["purposes"]) == ("chats", 1, ["evaluation"])
    assert mails["last_read_at"]
    assert mails["fields"] == ["/data/response"]
    assert {row["dataset"] for row in rows if row["type"] is None} == {"evals", "prompts"}
    only = send(steward, "GET", "/datasets/inventory?type=EMAIL_ADDRESS").json()["data"]
    assert [row["dataset"] for row in only] == ["chats"]


def test_the_inventory_comes_in_pages_and_as_csv_whole(steward, three):
    seen, cursor = [], ""
    while cursor is not None:
        found = send(steward, "GET", f"/datasets/inventory?limit=1&cursor={cursor}").json()
        seen += [row["dataset"] for row in found["data"]]
        cursor = found["pagination"]["next_cursor"]
    assert sorted(seen) == ["chats", "evals", "prompts"]
    whole = send(steward, "GET", "/datasets/inventory?format=csv&limit=1").content.decode()
    assert sorted(row["dataset"] for row in csv.DictReader(io.StringIO(whole))) == sorted(seen)
    assert send(steward, "GET", "/datasets/inventory?cursor=WyJ4Il0").json()["code"] == "VAULT_VALID_3008"


def test_the_inventory_as_csv_runs_no_formula(tenant, steward):
    make_dataset(tenant, name="=cmd()", region="\uff1dsum")
    answer = send(steward, "GET", "/datasets/inventory?format=csv")
    assert answer["Content-Type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode()))
    assert (row["dataset"], row["region"]) == ("'=cmd()", "'\uff1dsum")
