"""Rules of versions and their records."""

import json
from urllib.parse import quote

import pytest

from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload
from vaultsite.kernel.identifiers import uuid7

VERSION = {
    "id", "version_id", "root", "label", "sequence", "parent", "author", "message", "record_count", "canonical_bytes",
    "chunk_count", "new_chunk_count", "new_sealed_bytes", "created_at", "kind", "merge_parent",
}  # fmt: skip
ROWS = [
    {"id": f"r{number:03d}", "text": f"row {number}", "mail": f"ada{number}@example.com", "n": number}
    for number in range(25)
]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS), message="the first")
    return made


def test_a_version_answers_to_every_name_of_it(tenant, dataset):
    client, path = caller(tenant, "viewer"), f"/datasets/{dataset.pk}/versions"
    version = send(client, "GET", f"{path}/main").json()
    assert set(version) == VERSION
    assert (version["label"], version["sequence"], version["record_count"]) == ("v1.0.0", 1, 25)
    assert (version["message"], version["parent"]) == ("the first", None)
    for name in ("v1.0.0", "1", version["id"], version["version_id"], version["version_id"].upper()):
        assert send(client, "GET", f"{path}/{name}").json() == version, name


@pytest.mark.parametrize(
    "name",
    ["v1.0.1", "2", "0", "-1", "01.0", "1" * 40, "dev", "f" * 64, "x" * 500, "%00", "%0A", "..", "é", "v1.0.0%20"],
)
def test_another_name_is_no_version(tenant, dataset, name):
    for tail in ("", "/records", "/records/r001"):
        answer = send(caller(tenant, "data_steward"), "GET", f"/datasets/{dataset.pk}/versions/{name}{tail}")
        assert answer.status_code in ({400} if name == "%00" else {404}), answer.content
        assert answer["Content-Type"] == "application/problem+json"


def test_versions_are_listed_newest_first_in_pages(tenant, dataset):
    for number in range(4):
        upload(tenant, dataset, jsonl([{"n": number}]), mode="append")
    client, seen, query = caller(tenant, "viewer"), [], "?limit=2"
    while True:
        page = send(client, "GET", f"/datasets/{dataset.pk}/versions{query}").json()
        seen += [(version["label"], version["parent"]) for version in page["data"]]
        if page["pagination"]["next_cursor"] is None:
            break
        query = f"?limit=2&cursor={page['pagination']['next_cursor']}"
    labels = ["v1.4.0", "v1.3.0", "v1.2.0", "v1.1.0", "v1.0.0"]
    assert seen == list(zip(labels, [*labels[1:], None], strict=True))


def test_records_come_in_pages_without_gap_or_repetition(tenant, dataset):
    client, seen, query = caller(tenant, "data_steward"), [], "?limit=7"
    while True:
        page = send(client, "GET", f"/datasets/{dataset.pk}/versions/v1.0.0/records{query}").json()
        assert page["pagination"]["limit"] == 7
        seen += page["data"]
        if page["pagination"]["next_cursor"] is None:
            break
        query = f"?limit=7&cursor={page['pagination']['next_cursor']}"
    assert seen == [{"id": row["id"], "data": row, "metadata": {}} for row in ROWS]


def test_a_page_turned_on_a_moving_branch_stays_with_its_version(tenant, dataset):
    client, path = caller(tenant, "data_steward"), f"/datasets/{dataset.pk}/versions/main/records"
    first = send(client, "GET", f"{path}?limit=20").json()
    upload(tenant, dataset, jsonl([{"id": "r024~", "text": "late"}]), mode="append")
    second = send(client, "GET", f"{path}?limit=20&cursor={first['pagination']['next_cursor']}").json()
    assert [record["id"] for record in second["data"]] == [row["id"] for row in ROWS[20:]]


def test_a_cursor_leads_into_no_other_dataset(tenant, dataset):
    other = make_dataset(tenant)
    upload(tenant, other, b'{"id": "elsewhere"}\n')
    client = caller(tenant, "data_steward")
    cursor = send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records?limit=1").json()["pagination"][
        "next_cursor"
    ]
    answer = send(client, "GET", f"/datasets/{other.pk}/versions/main/records?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4002")


@pytest.mark.parametrize(
    ("fields", "members"),
    [
        ("text", {"text"}),
        ("text,n", {"text", "n"}),
        ("n,none", {"n"}),
        ("none", set()),
        ("", {"id", "text", "mail", "n"}),
        (",,", {"id", "text", "mail", "n"}),
    ],
)
def test_fields_picks_members_of_data(tenant, dataset, fields, members):
    client, path = caller(tenant, "data_steward"), f"/datasets/{dataset.pk}/versions/main/records"
    for tail in ("", "/r003"):
        body = send(client, "GET", f"{path}{tail}?fields={fields}").json()
        shown = body if tail else body["data"][3]
        assert shown["id"] == "r003"
        assert shown["data"] == {name: ROWS[3][name] for name in members}


def test_fields_never_lifts_an_obligation(tenant, dataset):
    path = f"/datasets/{dataset.pk}/versions/main/records"
    answer = send(caller(tenant, "data_scientist"), "GET", f"{path}?fields=mail")
    assert b"@example.com" not in answer.content
    assert answer.json()["data"][0]["data"].keys() == {"mail"}


def test_one_record_by_its_id(tenant, dataset):
    path = f"/datasets/{dataset.pk}/versions/1/records/r007"
    assert send(caller(tenant, "data_steward"), "GET", path).json() == {"id": "r007", "data": ROWS[7], "metadata": {}}
    masked = send(caller(tenant, "data_scientist"), "GET", path).json()
    assert masked["data"] | {"mail": ""} == ROWS[7] | {"mail": ""}
    assert "ada7@" not in json.dumps(masked)


@pytest.mark.parametrize("name", ["r999", "R007", "r00", "r0070", "é", "x" * 2000, "r007%20", ":", "~"])
def test_an_id_that_is_not_there_is_no_record(tenant, dataset, name):
    answer = send(caller(tenant, "data_steward"), "GET", f"/datasets/{dataset.pk}/versions/1/records/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4003")


@pytest.mark.parametrize("name", [".", "~x", "a:b@c", "A" * 128, "-_.~:@"])
def test_an_id_of_any_allowed_form_is_found(tenant, name):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": name}, {"id": "other"}]))
    path = f"/datasets/{dataset.pk}/versions/main/records/{quote(name, safe='') if name != '.' else '%2E'}"
    assert send(caller(tenant, "data_steward"), "GET", path).json()["id"] == name


@pytest.mark.parametrize(
    ("purpose", "code"),
    [
        ("", "VAULT_AUTHZ_2002"),
        ("curiosity", "VAULT_AUTHZ_2003"),
        ("Evaluation", "VAULT_AUTHZ_2003"),
        ("x" * 500, None),
    ],
)
@pytest.mark.parametrize("tail", ["versions/main/records", "versions/main/records/r001", "data"])
def test_data_is_released_for_a_known_purpose_only(tenant, dataset, tail, purpose, code):
    answer = send(caller(tenant, "data_steward", purpose=purpose), "GET", f"/datasets/{dataset.pk}/{tail}")
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert code is None or answer.json()["code"] == code
    assert b"@example.com" not in answer.content


def test_an_unknown_purpose_is_refused_where_none_is_needed(tenant, dataset):
    client = caller(tenant, "data_steward", purpose="curiosity")
    for method, path, body in (
        ("GET", "/datasets", None),
        ("GET", f"/datasets/{dataset.pk}", None),
        ("POST", "/datasets", {"name": "x"}),
        ("POST", f"/datasets/{dataset.pk}/data", b"{}\n"),
        ("DELETE", f"/datasets/{dataset.pk}", None),
    ):
        assert send(client, method, path, body).status_code == 403, (method, path)


def test_restricted_records_are_shown_raw_or_not_at_all(tenant):
    dataset = make_dataset(tenant, classification="restricted")
    upload(tenant, dataset, jsonl(ROWS))
    path = f"/datasets/{dataset.pk}/versions/main/records"
    assert send(caller(tenant, "data_steward"), "GET", path).status_code == 200
    assert send(caller(tenant, "data_scientist"), "GET", path).status_code == 403


def test_a_foreign_version_is_not_found_in_ones_own_dataset(tenant, dataset, rival):
    other = make_dataset(rival)
    foreign = upload(rival, other, b'{"id": "theirs"}\n').version
    client = caller(tenant, "data_steward")
    for name in (str(foreign.pk), bytes(foreign.digest).hex(), str(uuid7())):
        answer = send(client, "GET", f"/datasets/{dataset.pk}/versions/{name}/records")
        assert (answer.status_code, answer.json()["code"]) == (404, "VAULT_DATA_4002")
