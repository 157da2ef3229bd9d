"""Rules of canaries: whoever is given one is told of, nobody else is, and readers see nothing of it."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.services.api_keys import create_api_key
from access.services.tenants import operator
from audit.models import Alert, AuditEvent
from audit.selectors import read_body
from datasets.models import Canary, CanaryReader, Dataset
from datasets.query import parse_filter
from datasets.services.canaries import allow_canary_reader
from tests.factories.access import acting, make_api_key, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.drafts import make_draft
from tests.factories.exports import export
from tests.factories.guaranteed import guaranteed, people
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID

ROWS = [{"id": f"r{number}", "text": f"row {number} of ada.{number}@example.com"} for number in range(6)]
NDJSON = {"Accept": "application/x-ndjson"}


@pytest.fixture
def dataset(tenant) -> Dataset:
    """Six records; the third is a canary."""
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    placed = send(caller(tenant, "data_steward"), "POST", f"/datasets/{made.pk}/canaries", {"record_ids": ["r2"]})
    assert [one["record_id"] for one in placed.json()["data"]] == ["r2"]
    return made


def told(tenant) -> list[Alert]:
    with acting(tenant):
        return list(Alert.objects.filter(kind="canary.released").order_by("id"))


def text_of(answer) -> str:
    return (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()


WAYS = {
    "record": ("GET", "/versions/main/records/r2", None, {}),
    "page": ("GET", "/versions/main/records?limit=3", None, {}),
    "download": ("GET", "/data", None, {}),
    "query": ("POST", "/query", {"filter": {"text": {"contains": "row 2"}}}, {}),
    "query as lines": ("POST", "/query", {"limit": 3}, NDJSON),
    "difference": ("GET", "/diff", None, NDJSON),
    "page of a difference": ("GET", "/diff?limit=3", None, {"Accept": "application/json"}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("role", ["data_steward", "data_scientist", "analyst"])
def test_each_way_out_is_told_of_raw_masked_or_redacted(tenant, dataset, way, role) -> None:
    method, path, body, headers = WAYS[way]
    if way == "query" and role == "analyst":
        body = {"limit": 3}
    answer = send(caller(tenant, role), method, f"/datasets/{dataset.pk}{path}", body, **headers)
    assert answer.status_code == 200, text_of(answer)
    assert "row 2" in text_of(answer) or '"r2"' in text_of(answer)
    (alert,) = told(tenant)
    assert (alert.severity, alert.dataset_id, alert.state) == ("critical", dataset.pk, "open")
    with acting(tenant):
        (event,) = AuditEvent.objects.filter(type="data.breach.suspected")
    assert (event.severity, event.dataset_id) == ("critical", dataset.pk)
    assert (event.actor_id, event.actor_kind) == (SYSTEM_PRINCIPAL_ID, "system"), "the reader is not told"
    assert read_body(event)["metadata"]["principal_id"] == str(alert.principal_id)
    assert "r2" not in bytes(event.body).decode().replace(str(dataset.pk), "").split('"metadata"')[1]


@pytest.mark.parametrize(
    "asked",
    [
        ("GET", "/versions/main/records/r1", None, {}),
        ("GET", "/versions/main/records?limit=2", None, {}),
        ("POST", "/query", {"filter": {"text": {"contains": "row 4"}}}, {}),
        ("POST", "/query", {"limit": 2}, {}),
        ("POST", "/query", {"limit": 2}, NDJSON),
        ("GET", "/diff?limit=2", None, {"Accept": "application/json"}),
    ],
)
@pytest.mark.parametrize("role", ["data_steward", "data_scientist"])
def test_what_was_looked_at_and_not_released_is_not_told_of(tenant, dataset, role, asked) -> None:
    method, path, body, headers = asked
    answer = send(caller(tenant, role), method, f"/datasets/{dataset.pk}{path}", body, **headers)
    assert answer.status_code == 200
    assert "row 2" not in text_of(answer)
    assert told(tenant) == []


def test_an_export_is_told_of_as_the_one_who_asked_for_it(tenant, dataset) -> None:
    scientist = someone(tenant, "data_scientist")
    assert export(tenant, dataset, principal=scientist).status == "succeeded"
    (alert,) = told(tenant)
    assert alert.principal_id == scientist.id


def test_a_table_under_a_guarantee_is_told_of_when_the_record_goes_into_it(tenant) -> None:
    with_it, without = make_dataset(tenant), make_dataset(tenant)
    for made in (with_it, without):
        upload(tenant, made, jsonl(people(120)))
        send(caller(tenant, "data_steward"), "POST", f"/datasets/{made.pk}/canaries", {"record_ids": ["r00003x0"]})
    assert guaranteed(tenant, without, filter=parse_filter("person != 'P00003'")).status == "succeeded"
    assert told(tenant) == []
    done = guaranteed(tenant, with_it)
    assert done.status == "succeeded"
    (alert,) = told(tenant)
    assert (alert.principal_id, alert.dataset_id) == (done.requested_by, with_it.pk)


def test_the_audit_says_what_was_done_to_canaries_and_not_which(tenant, dataset) -> None:
    steward, reader = caller(tenant, "data_steward"), uuid4()
    path = f"/datasets/{dataset.pk}"
    (one,) = send(steward, "GET", f"{path}/canaries").json()["data"]
    send(steward, "POST", f"{path}/canary-readers", {"principal": str(reader)})
    send(steward, "DELETE", f"{path}/canary-readers/{reader}")
    send(steward, "DELETE", f"{path}/canaries/{one['id']}")
    with acting(tenant):
        bodies = [read_body(event) for event in AuditEvent.objects.filter(dataset_id=dataset.pk).order_by("time", "id")]
    said = [body["metadata"] for body in bodies if body["metadata"].get("action") == "canary.manage"]
    acts = [(facts["act"], facts.get("reader")) for facts in said]
    assert acts[:3] == [("place", None), ("list", None), ("list", None)]
    changes = [("allow-reader", str(reader)), ("remove-reader", str(reader)), ("remove", None)]
    assert [one for one in acts[3:] if one[0] != "list-readers"] == changes
    assert "'r2'" not in str(said)


def test_nobody_lets_themselves_or_their_program_read_them_unnoticed(tenant, dataset) -> None:
    steward = principal_with(tenant, "data_steward")
    maker = replace(steward, permissions=operator(tenant.pk).permissions)
    with acting(tenant):
        key, _ = create_api_key(maker, name="mine", roles=("data_scientist",))
    for reader in (steward.id, key.pk):
        with pytest.raises(InvalidInput), acting(tenant, steward):
            allow_canary_reader(steward, dataset_id=dataset.pk, reader_id=reader)
    with acting(tenant):
        assert not CanaryReader.objects.exists()
        (refused, _) = AuditEvent.objects.filter(actor_id=steward.id, dataset_id=dataset.pk).order_by("time")
    assert (refused.status, read_body(refused)["metadata"]["reader"]) == ("failure", str(steward.id))


def test_an_export_without_it_is_not(tenant, dataset) -> None:
    assert export(tenant, dataset, filter={"text": {"contains": "row 4"}}).status == "succeeded"
    assert told(tenant) == []


def test_a_draft_is_told_of(tenant, dataset) -> None:
    draft = make_draft(tenant, dataset)
    steward = caller(tenant, "data_steward")
    page = send(steward, "GET", f"/datasets/{dataset.pk}/versions/{draft.pk}/records")
    assert '"r2"' in text_of(page)
    assert len(told(tenant)) == 1
    other = caller(tenant, "data_steward")
    assert send(other, "GET", f"/datasets/{dataset.pk}/versions/{draft.pk}/records/r2").status_code == 200
    assert len(told(tenant)) == 2


@pytest.mark.usefixtures("plain_static", "quick_passwords")
@pytest.mark.parametrize("page", ["records/", "records/r2/", "compare/", "query/?run=1"])
def test_pages_are_told_of(tenant, dataset, page) -> None:
    reader = browser_of(tenant, "data_scientist", purpose="evaluation")
    shown = reader.get(f"/admin/datasets/dataset/{dataset.pk}/{page}")
    assert shown.status_code == 200
    assert len(told(tenant)) == ("row 2" in shown.text)
    assert "canar" not in shown.text.lower()


def test_it_fires_once_for_a_principal_and_an_hour_whatever_became_of_the_alert(tenant, dataset) -> None:
    reader = caller(tenant, "data_scientist")
    for _ in range(3):
        send(reader, "GET", f"/datasets/{dataset.pk}/versions/main/records/r2")
    (alert,) = told(tenant)
    assert alert.count == 1
    done = {"verdict": "expected", "reason": "a drill"}
    send(caller(tenant, "security_officer"), "POST", f"/alerts/{alert.pk}/resolve", done)
    send(reader, "GET", f"/datasets/{dataset.pk}/versions/main/records/r2")
    assert len(told(tenant)) == 1
    send(caller(tenant, "data_scientist"), "GET", f"/datasets/{dataset.pk}/versions/main/records/r2")
    assert len(told(tenant)) == 2


def test_who_is_allowed_to_read_them_is_not_told_of_until_taken_off_the_list(tenant, dataset) -> None:
    key, token = make_api_key(tenant, "data_scientist")
    path = f"/datasets/{dataset.pk}/canary-readers"
    steward = caller(tenant, "data_steward")
    listed = send(steward, "POST", path, {"principal": str(key.pk)}).json()["data"]
    assert [one["principal"] for one in listed] == [str(key.pk)]
    bearer = {"Authorization": f"Bearer {token}", "X-Vault-Purpose": "evaluation"}
    record = f"/datasets/{dataset.pk}/versions/main/records/r2"
    assert send(steward.__class__(headers=bearer), "GET", record).status_code == 200
    assert told(tenant) == []
    assert send(steward, "DELETE", f"{path}/{key.pk}").status_code == 204
    assert send(steward, "GET", path).json()["data"] == []
    send(steward.__class__(headers=bearer), "GET", record)
    assert len(told(tenant)) == 1


def test_readers_get_the_same_answers_with_and_without(tenant, dataset) -> None:
    reader = caller(tenant, "data_scientist")
    path = f"/datasets/{dataset.pk}/versions/main/records/r2"
    told_of = send(reader, "GET", path)
    steward = caller(tenant, "data_steward")
    (one,) = send(steward, "GET", f"/datasets/{dataset.pk}/canaries").json()["data"]
    assert send(steward, "DELETE", f"/datasets/{dataset.pk}/canaries/{one['id']}").status_code == 204
    untold = send(caller(tenant, "data_scientist"), "GET", path)
    assert (told_of.content, set(told_of.headers)) == (untold.content, set(untold.headers))
    assert len(told(tenant)) == 1


def test_a_dataset_without_any_costs_no_statement(tenant, dataset) -> None:
    plain = make_dataset(tenant)
    upload(tenant, plain, jsonl(ROWS))
    reader = caller(tenant, "data_scientist")
    with CaptureQueriesContext(connection) as queries:
        send(reader, "GET", f"/datasets/{plain.pk}/versions/main/records")
    assert not any("datasets_canary" in query["sql"].replace("has_canaries", "") for query in queries)
    with CaptureQueriesContext(connection) as queries:
        send(reader, "GET", f"/datasets/{dataset.pk}/versions/main/records")
    assert any("datasets_canary" in query["sql"] for query in queries)


def test_the_table_does_not_say_which_records_they_are(tenant, dataset) -> None:
    other = make_dataset(tenant)
    named = "a-record-with-a-name"
    upload(tenant, other, jsonl([*ROWS, {"id": named, "text": "row"}]))
    send(caller(tenant, "data_steward"), "POST", f"/datasets/{other.pk}/canaries", {"record_ids": ["r2", named]})
    with acting(tenant):
        rows = list(Canary.objects.all())
    assert len({bytes(row.mac) for row in rows}) == 3, "the same id in another dataset is another value"
    assert not any(named.encode() in bytes(row.sealed_id) for row in rows)


def test_only_who_manages_them_learns_which_they_are(tenant, rival, dataset) -> None:
    path = f"/datasets/{dataset.pk}/canaries"
    assert send(caller(tenant, "privacy_officer"), "GET", path).status_code == 200
    for role in ("tenant_admin", "auditor", "ml_engineer", "viewer"):
        assert send(caller(tenant, role), "GET", path).status_code in {403, 404}, role
    stranger = caller(rival, "data_steward")
    assert send(stranger, "GET", path).content.replace(str(dataset.pk).encode(), b"") != b""
    assert send(stranger, "GET", path).status_code == 404
    assert "canar" not in text_of(send(caller(tenant, "viewer"), "GET", f"/datasets/{dataset.pk}"))


@pytest.mark.parametrize("ids", [[], ["nobody"], ["r1", "nobody"], [""]])
def test_what_is_no_record_is_refused_and_nothing_is_placed(tenant, dataset, ids) -> None:
    path = f"/datasets/{dataset.pk}/canaries"
    steward = caller(tenant, "data_steward")
    assert send(steward, "POST", path, {"record_ids": ids}).status_code == 400
    assert len(send(steward, "GET", path).json()["data"]) == 1


def test_placing_one_again_changes_nothing(tenant, dataset) -> None:
    path = f"/datasets/{dataset.pk}/canaries"
    again = send(caller(tenant, "data_steward"), "POST", path, {"record_ids": ["r2", "r2", "r3"]}).json()["data"]
    assert [one["record_id"] for one in again] == ["r2", "r3"]


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_screen_places_removes_allows_and_watches_again(tenant, dataset) -> None:
    path = f"/admin/datasets/dataset/{dataset.pk}/canaries/"
    steward = browser_of(tenant, "data_steward")
    assert "r2" in steward.get(path).text
    refused = steward.post(path, {"do": "place", "record_ids": "nobody"})
    assert (refused.status_code, "main has no record of this id" in refused.text) == (400, True)
    assert steward.post(path, {"do": "place", "record_ids": "r4\nr5"}).status_code == 302
    with acting(tenant):
        ids = list(Canary.objects.filter(dataset=dataset).order_by("id").values_list("pk", flat=True))
    assert len(ids) == 3
    for one in ids:
        assert steward.post(path, {"do": "remove", "canary": str(one)}).status_code == 302
    page = steward.get(path).text
    assert "No record of this dataset is a canary" in page
    reader = uuid4()
    assert steward.post(path, {"do": "allow", "reader": str(reader)}).status_code == 302
    assert str(reader) in steward.get(path).text
    assert steward.post(path, {"do": "watch", "reader": str(reader)}).status_code == 302
    assert str(reader) not in steward.get(path).text
    assert steward.post(path, {"do": "allow", "reader": "x"}).status_code == 400
    assert steward.post(path, {"do": "nothing"}).status_code == 400
    assert browser_of(tenant, "data_scientist").get(path).status_code == 403


def test_a_removed_canary_leaves_its_alerts(tenant, dataset) -> None:
    send(caller(tenant, "analyst"), "GET", f"/datasets/{dataset.pk}/versions/main/records/r2")
    steward = caller(tenant, "data_steward")
    (one,) = send(steward, "GET", f"/datasets/{dataset.pk}/canaries").json()["data"]
    send(steward, "DELETE", f"/datasets/{dataset.pk}/canaries/{UUID(one['id'])}")
    assert len(told(tenant)) == 1
