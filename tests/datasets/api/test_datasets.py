"""Rules of /api/v1/datasets."""

from uuid import UUID

import pytest

from access.models import EncryptionKey
from datasets.models import Blob, Chunk, Dataset, DatasetTag, FindingsBlob, Ingest, Version
from datasets.services.purge import run_purge
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from vaultsite.kernel.blobs import BlobStore

FULL = {
    "name": "support chats",
    "description": "Chats of the first quarter",
    "classification": "pii",
    "tags": ["chat", "en"],
    "retention_days": 90,
    "region": "eu-central-1",
}
LIFE = {"archived_at", "deleted_at", "delete_after"}
MEMBERS = {*FULL, *LIFE, "id", "legal_hold", "created_by", "created_at", "updated_at"}


def test_a_created_dataset_is_answered_whole_with_its_place(tenant):
    answer = send(caller(tenant, "data_steward"), "POST", "/datasets", FULL)
    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/datasets/{body['id']}"
    assert set(body) == MEMBERS
    assert {name: body[name] for name in FULL} == FULL
    assert body["legal_hold"] is False


def test_what_was_created_is_read_back_the_same(tenant):
    client = caller(tenant, "data_steward")
    created = send(client, "POST", "/datasets", FULL)
    read = client.get(created["Location"])
    assert (read.status_code, read.json()) == (200, created.json())


def test_a_name_is_enough(tenant):
    body = send(caller(tenant, "data_steward"), "POST", "/datasets", {"name": "bare"}).json()
    assert (body["description"], body["classification"], body["tags"]) == ("", "confidential", [])
    assert (body["retention_days"], body["region"]) == (None, "")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "/name"),
        ({"name": None}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"classification": "secret"}, "/classification"),
        ({"tags": "chat"}, "/tags"),
        ({"tags": ["x" * 65]}, "/tags/0"),
        ({"retention_days": 0}, "/retention_days"),
        ({"retention_days": "soon"}, "/retention_days"),
        ({"tenant_id": "019aa000-0000-7000-8000-000000000000"}, "/tenant_id"),
        ({"id": "019aa000-0000-7000-8000-000000000000"}, "/id"),
        ({"legal_hold": True}, "/legal_hold"),
        ({"created_by": "019aa000-0000-7000-8000-000000000000"}, "/created_by"),
        ({"created_at": "2020-01-01T00:00:00Z"}, "/created_at"),
        ({"erasure_epoch": 7}, "/erasure_epoch"),
        ({"delete_after": "2020-01-01T00:00:00Z"}, "/delete_after"),
        ({"a~b/c": 1}, "/a~0b~1c"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_member_that_does_not_fit_or_is_not_the_callers_is_named_and_nothing_changes(tenant, method, change, field):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant, name="as it was")
    path = "/datasets" if method == "POST" else f"/datasets/{dataset.pk}"
    answer = send(client, method, path, change if method == "PATCH" else FULL | change)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert answer["Content-Type"] == "application/problem+json"
    assert [problem["field"] for problem in answer.json()["errors"]] == [field]
    with acting(tenant):
        assert list(Dataset.objects.values_list("name", "updated_at")) == [("as it was", dataset.updated_at)]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", "chats of jane.roe@example.com"),
        ("description", "ask jane.roe@example.com"),
        ("tags", ["fine", "jane.roe@example.com"]),
        ("region", "jane.roe@example.com"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_personal_data_in_a_descriptive_text_is_refused_without_being_repeated(tenant, method, member, value):
    client, dataset = caller(tenant, "data_steward"), make_dataset(tenant)
    path = "/datasets" if method == "POST" else f"/datasets/{dataset.pk}"
    answer = send(client, method, path, {"name": "fine", member: value} if method == "POST" else {member: value})
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_DATA_4008")
    assert answer.json()["errors"][0]["field"] == ("/tags/1" if member == "tags" else f"/{member}")
    assert b"jane" not in answer.content
    with acting(tenant):
        assert Dataset.objects.count() == 1
        assert not DatasetTag.objects.exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "VAULT_VALID_3001"),
        (b"{", "VAULT_VALID_3002"),
        (b"[]", "VAULT_VALID_3001"),
        (b"null", "VAULT_VALID_3001"),
        (b'"name"', "VAULT_VALID_3001"),
        (b'{"name": "a", "name": "b"}', "VAULT_VALID_3002"),
        (b'{"name": NaN}', "VAULT_VALID_3002"),
        (b'{"name":' * 20_000, "VAULT_VALID_3002"),
        (b'{"name": "\xff"}', "VAULT_VALID_3002"),
        (b'{"name": "\\ud800"}', "VAULT_VALID_3002"),
        (b'{"name": "a\\u0000b"}', "VAULT_VALID_3001"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_body_that_is_no_object_of_strict_json_is_refused(tenant, method, body, code):
    client = caller(tenant, "data_steward")
    path = "/datasets" if method == "POST" else f"/datasets/{make_dataset(tenant).pk}"
    answer = client.generic(method, "/api/v1" + path, body, content_type="application/json")
    if method == "PATCH" and not body:
        assert answer.status_code == 200  # nothing is asked to change
    else:
        assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_a_dataset_is_described_in_json_whatever_the_content_type(tenant, kind):
    client = caller(tenant, "data_steward")
    form = client.generic("POST", "/api/v1/datasets", b"name=x", content_type=kind)
    assert (form.status_code, form.json()["code"]) == (400, "VAULT_VALID_3002")
    assert client.generic("POST", "/api/v1/datasets", b'{"name": "x"}', content_type=kind).status_code == 201


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_two_datasets_of_a_tenant_never_share_a_name(tenant, method):
    client, other = caller(tenant, "data_steward"), make_dataset(tenant)
    make_dataset(tenant, name="taken")
    path = "/datasets" if method == "POST" else f"/datasets/{other.pk}"
    answer = send(client, method, path, {"name": "taken"})
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4005")
    with acting(tenant):
        assert Dataset.objects.filter(name="taken").count() == 1


def test_another_tenants_name_is_free(tenant, rival):
    make_dataset(rival, name="taken")
    assert send(caller(tenant, "data_steward"), "POST", "/datasets", {"name": "taken"}).status_code == 201


def test_patch_changes_what_it_names_and_nothing_else(tenant):
    client = caller(tenant, "data_steward")
    before = send(client, "POST", "/datasets", FULL)
    answer = client.patch(before["Location"], {"description": "second quarter"}, content_type="application/json")
    after = answer.json()
    assert answer.status_code == 200
    assert {name: after[name] for name in FULL} == FULL | {"description": "second quarter"}
    assert after["updated_at"] > before.json()["updated_at"]
    assert client.get(before["Location"]).json() == after


def test_patch_clears_what_it_sets_to_nothing(tenant):
    client = caller(tenant, "data_steward")
    place = send(client, "POST", "/datasets", FULL)["Location"]
    empty = {"tags": [], "retention_days": None, "description": "", "region": ""}
    after = client.patch(place, empty, content_type="application/json").json()
    assert {name: after[name] for name in empty} == empty


def test_put_replaces_the_whole_description(tenant):
    client = caller(tenant, "data_steward")
    place = send(client, "POST", "/datasets", FULL)["Location"]
    after = client.put(place, {"name": "renamed"}, content_type="application/json").json()
    expected = {"name": "renamed", "description": "", "classification": "confidential", "tags": []}
    assert {name: after[name] for name in expected} == expected
    assert (after["retention_days"], after["region"]) == (None, "")


def test_put_without_a_name_is_refused(tenant):
    client = caller(tenant, "data_steward")
    place = send(client, "POST", "/datasets", FULL)["Location"]
    assert client.put(place, {"description": "x"}, content_type="application/json").status_code == 400
    assert client.get(place).json()["name"] == FULL["name"]


def test_the_list_is_paged_newest_first_without_gap_or_repetition(tenant):
    names = [make_dataset(tenant).name for _ in range(7)]
    client, seen, cursor = caller(tenant, "viewer"), [], ""
    while True:
        answer = send(client, "GET", f"/datasets?limit=3{cursor}").json()
        assert set(answer) == {"data", "pagination"}
        assert set(answer["pagination"]) == {"next_cursor", "limit"}
        assert len(answer["data"]) <= answer["pagination"]["limit"] == 3
        seen += [dataset["name"] for dataset in answer["data"]]
        if answer["pagination"]["next_cursor"] is None:
            break
        cursor = f"&cursor={answer['pagination']['next_cursor']}"
    assert seen == names[::-1]


def test_the_list_is_narrowed_by_tags_and_by_the_beginning_of_the_name(tenant):
    make_dataset(tenant, name="chat one", tags=("chat", "en"))
    make_dataset(tenant, name="chat two", tags=("chat",))
    make_dataset(tenant, name="other", tags=("en",))
    client = caller(tenant, "viewer")

    def names(query):
        return [dataset["name"] for dataset in send(client, "GET", f"/datasets?{query}").json()["data"]]

    assert names("tag=chat") == ["chat two", "chat one"]
    assert names("tag=chat&tag=en") == ["chat one"]
    assert names("tag=none") == []
    assert names("name_prefix=chat%20t") == ["chat two"]
    assert names("name_prefix=%25") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "limit=1.5", "limit="])
@pytest.mark.parametrize("listing", ["", "/{id}/versions", "/{id}/versions/main/records"])
def test_a_limit_is_a_whole_number_up_to_1000(tenant, listing, query):
    dataset = make_dataset(tenant)
    answer = send(caller(tenant, "data_steward"), "GET", f"/datasets{listing.format(id=dataset.pk)}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert answer.json()["errors"][0]["field"].removeprefix("/") == "limit"


@pytest.mark.parametrize(
    "cursor",
    ["x", "%00", "bnVsbA", "W10", "WyJ4Il0", "WyJ4IiwieCJd", "WyJ4IiwieCIsIngiXQ", "WzFd", "%C3%A9", "=", "W1tdXQ"],
)
@pytest.mark.parametrize("listing", ["", "/{id}/versions", "/{id}/versions/main/records"])
def test_a_cursor_that_no_listing_made_is_refused(tenant, listing, cursor):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, b'{"n": 1}\n')
    answer = send(caller(tenant, "data_steward"), "GET", f"/datasets{listing.format(id=dataset.pk)}?cursor={cursor}")
    assert answer.status_code in {400, 404}, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    if answer.status_code == 400:
        assert answer.json()["code"] in {"VAULT_VALID_3008", "VAULT_VALID_3001"}


def test_purging_destroys_keys_rows_and_objects(tenant):
    before = set(BlobStore.default().names())
    dataset = make_dataset(tenant, tags=("gone",))
    upload(tenant, dataset, jsonl(rows_of(200)))
    upload(tenant, dataset, jsonl(rows_of(220)))
    upload(tenant, dataset, b"{broken\n" + jsonl(rows_of(221)), on_error="reject")
    client = caller(tenant, "data_steward")
    answer = send(client, "DELETE", f"/datasets/{dataset.pk}?purge=now")
    assert (answer.status_code, answer.json()["versions"]) == (202, 3)
    assert send(client, "GET", f"/datasets/{dataset.pk}").status_code == 404
    run_purge(tenant.pk, UUID(answer.json()["id"]))
    assert send(client, "GET", answer["Location"].removeprefix("/api/v1")).json()["status"] == "succeeded"
    with acting(tenant):
        for model in (Dataset, DatasetTag, Version, Ingest, Chunk, FindingsBlob):
            assert not model.objects.exists(), model
        states = set(EncryptionKey.objects.filter(scope_id=dataset.pk).values_list("state", "wrapped"))
    assert states == {("destroyed", None)}
    with acting(tenant):
        assert not Blob.objects.exists()
    assert set(BlobStore.default().names()) == before


def test_a_held_dataset_cannot_be_deleted(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, b'{"n": 1}\n')
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    client = caller(tenant, "data_steward")
    answer = send(client, "DELETE", f"/datasets/{dataset.pk}")
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4006")
    assert send(client, "GET", f"/datasets/{dataset.pk}").json()["legal_hold"] is True
    assert send(client, "GET", f"/datasets/{dataset.pk}/data").getvalue() == b'{"n":1}\n'


def test_too_many_tags_are_refused(tenant):
    client = caller(tenant, "data_steward")
    assert send(client, "GET", "/datasets?" + "tag=a&" * 17).status_code == 400
