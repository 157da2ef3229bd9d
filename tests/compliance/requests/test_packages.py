"""Packages: the right records, sealed, for who may, for as long as it says."""

import io
import json
import zipfile
from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client

from anonymization.services.policies import NewPolicy, activate_version, attach_policy, create_policy
from audit.models import AuditEvent
from compliance.models import RequestPackage
from compliance.requests import package_work
from compliance.requests.package_pdf import MAX_BYTES, package_pdf
from compliance.requests.package_work import run_package
from compliance.requests.packages import expire_packages
from datasets.errors.quarantine import VersionQuarantined
from datasets.services.erasure.request import request_erasure
from datasets.services.version_quarantine import quarantine_version
from tests.compliance.requests.test_form import link_of
from tests.factories.access import acting, age
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.merges import fork, put_on
from tests.vaultsite.conftest import plain_static  # noqa: F401 - a fixture
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.jobs import claim

ROWS = [
    {"id": "r-1", "text": "Jane Smithson asked about <b>bread</b>", "tags": ["a", "b"]},
    {"id": "r-2", "text": "John wrote of cheese"},
    {"id": "r-3", "text": "Jane Smithson came back", "score": 3},
]

#: Branches of a dataset with a side branch, and the versions that they stand at.
HEADS = (("main", "v1.0.0"), ("same", "v1.0.0"), ("work", "v1.1.0"))
REDACTED = {"fields": ["/data/text"], "strategy": "redact", "whole_field": True}


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


@pytest.fixture
def reviewed(dataset, asked, act):
    """A request in review whose records were entered."""

    def make(*, ids=("r-1", "r-3", "r-9"), **changed):
        request = asked(identity="known", **changed)
        act(request, "move", {"to": "searching"})
        body = {"matches": [{"dataset_id": str(dataset.pk), "record_ids": list(ids)}]} if ids else {"matches": []}
        assert act(request, "matches", body, "PUT")[0] == 200
        act(request, "move", {"to": "review"})
        return request

    return make


def written(tenant, package) -> RequestPackage:
    run_package(tenant.pk, package["id"])
    with acting(tenant):
        return RequestPackage.objects.get(pk=package["id"])


def fetched(client, request) -> bytes:
    answer = send(client, "GET", f"/subject-requests/{request['id']}/package/file")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def told(tenant) -> list[str]:
    with acting(tenant):
        rows = AuditEvent.objects.filter(type__startswith="subject.package").order_by("id")
        return [row.type.rpartition(".")[2] for row in rows]


def test_a_package_holds_the_subjects_records_and_nobody_elses(tenant, officer, reviewed, act) -> None:
    request = reviewed()
    status, package = act(request, "package")
    assert (status, package["status"]) == (202, "queued")
    row = written(tenant, package)
    assert (row.status, row.record_count, row.progress["missing"]) == ("succeeded", 2, 1)
    body = fetched(officer, request)
    archive = zipfile.ZipFile(io.BytesIO(body))
    said = json.loads(archive.read("data.json"))
    assert [record["id"] for record in said["datasets"][0]["records"]] == ["r-1", "r-3"]
    assert said["datasets"][0]["records"][0]["data"]["text"] == ROWS[0]["text"]
    page = archive.read("your-data.html").decode()
    assert archive.read("your-data.pdf").startswith(b"%PDF-")
    assert "&lt;b&gt;bread&lt;/b&gt;" in page, "what records say is text"
    assert "<script" not in page
    assert "cheese" not in page + archive.read("data.json").decode()
    assert told(tenant) == ["requested", "written", "downloaded"]
    shown = send(officer, "GET", f"/subject-requests/{request['id']}/package").json()
    assert (shown["record_count"], shown["purpose"]) == (2, "evaluation")
    assert send(officer, "GET", f"/subject-requests/{request['id']}").json()["state"] == "executing"


def test_a_package_holds_what_stands_on_any_branch_each_once(tenant, dataset, officer, reviewed, act) -> None:
    for name in ("same", "work"):
        fork(tenant, dataset, name)
    changed = ROWS[2] | {"text": "Jane Smithson left"}
    put_on(tenant, dataset, "work", [ROWS[0], changed, {"id": "r-7", "text": "Jane Smithson of the branch"}])
    request = reviewed(ids=("r-1", "r-3", "r-7", "r-9"))
    row = written(tenant, act(request, "package")[1])
    assert (row.status, row.record_count, row.progress["missing"]) == ("succeeded", 4, 1)
    archive = zipfile.ZipFile(io.BytesIO(fetched(officer, request)))
    (said,) = json.loads(archive.read("data.json"))["datasets"]
    main, same, work = ({"branch": name, "version": label} for name, label in HEADS)
    assert said["branches"] == [main, same, work]
    assert [(one["id"], one["data"]["text"], one["stands_in"]) for one in said["records"]] == [
        ("r-1", ROWS[0]["text"], [main, same, work]),
        ("r-3", ROWS[2]["text"], [main, same]),
        ("r-3", "Jane Smithson left", [work]),
        ("r-7", "Jane Smithson of the branch", [work]),
    ]
    assert said["on_no_branch"] == 1
    page = archive.read("your-data.html").decode()
    assert "Stands on main (v1.0.0), same (v1.0.0), work (v1.1.0)." in page
    assert "On no branch any more: 1 record of yours." in page
    assert archive.read("your-data.pdf").startswith(b"%PDF-")


def test_a_branch_in_quarantine_is_handed_to_nobody(tenant, dataset, reviewed, act) -> None:
    fork(tenant, dataset, "work")
    made = put_on(tenant, dataset, "work", [ROWS[0]])
    request = reviewed()
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        quarantine_version(officer, dataset_id=dataset.pk, version=made.label, reason="looked at")
    assert act(request, "package")[1]["code"] == VersionQuarantined.code


def test_a_package_has_a_tagged_pdf_of_the_same_records() -> None:
    lines = [["data / text", "bread, #set page(), *no* markup"], ["data / key", "k" * 500]]
    words = {"title": "Your data at Acme", "organization": "Acme", "reference": "R-1", "answer": "a", "counted": "1"}
    datasets = [
        {"name": "chats", "records": [{"id": "r-1", "lines": lines, "where": "Stands on main."}], "missing": ""}
    ]
    made = package_pdf(words, datasets, [("drafts", 1)])
    assert made == package_pdf(words, datasets, [("drafts", 1)])
    assert all(mark in made for mark in (b"/StructTreeRoot", b"/Lang(en)", b"<pdfuaid:part>1<"))
    assert package_pdf(words, [{"name": "\u65e5\u672c", "records": [], "missing": ""}], []) is None, (
        "the page has every letter"
    )
    assert package_pdf(words, [{"name": "a" * MAX_BYTES, "records": [], "missing": ""}], []) is None


def test_nothing_of_a_package_lies_in_the_store_in_the_clear(tenant, reviewed, act) -> None:
    row = written(tenant, act(reviewed(), "package")[1])
    for name, _ in row.parts:
        stored = BlobStore.default().get(name)
        assert b"bread" not in stored
        assert not stored.startswith(b"PK")


def test_a_package_takes_who_is_shown_records_raw_and_states_a_purpose(tenant, reviewed, act) -> None:
    request = reviewed()
    for role in ("auditor", "legal_counsel", "tenant_admin", "data_steward"):
        assert act(request, "package", by=caller(tenant, role))[0] == 403
    silent = caller(tenant, "privacy_officer", purpose="")
    assert act(request, "package", by=silent)[1]["code"].startswith("VAULT_AUTHZ")


def test_portability_needs_consent_or_a_contract(tenant, reviewed, act) -> None:
    request = reviewed(type="portability")
    assert act(request, "package")[1]["code"] == "VAULT_COMP_8053"
    act(request, "", {"legal_basis": "legitimate_interests"}, "PATCH")
    assert act(request, "package")[1]["code"] == "VAULT_COMP_8053"
    act(request, "", {"legal_basis": "consent"}, "PATCH")
    assert act(request, "package")[0] == 202


def test_what_asks_for_something_else_or_has_no_records_gets_no_package(reviewed, act) -> None:
    assert act(reviewed(type="erasure"), "package")[1]["code"] == "VAULT_COMP_8064"
    assert act(reviewed(ids=()), "package")[1]["code"] == "VAULT_COMP_8061"
    assert act(reviewed(), "package", method="GET")[1]["code"] == "VAULT_COMP_8056"


def test_a_file_that_is_not_there_is_not_handed_out(tenant, officer, reviewed, act) -> None:
    request = reviewed()
    package = act(request, "package")[1]
    assert act(request, "package/file", method="GET")[1]["code"] == "VAULT_COMP_8057"
    assert act(request, "package/link")[1]["code"] == "VAULT_COMP_8057"
    row = written(tenant, package)
    assert fetched(officer, request)
    age(row, expires_at=timedelta(seconds=1))
    assert act(request, "package/file", method="GET")[1]["code"] == "VAULT_COMP_8058"
    assert expire_packages() >= 1
    assert not any(BlobStore.default().exists(name) for name, _ in row.parts)
    assert told(tenant)[-1] == "expired"


def test_another_package_takes_the_place_of_the_one_before(tenant, reviewed, act) -> None:
    request = reviewed()
    first = written(tenant, act(request, "package")[1])
    second = written(tenant, act(request, "package")[1])
    assert not BlobStore.default().exists(first.parts[0][0])
    assert BlobStore.default().exists(second.parts[0][0])


def test_a_record_erased_meanwhile_is_in_no_package(tenant, dataset, reviewed, act) -> None:
    request = reviewed()
    package = act(request, "package")[1]
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        request_erasure(steward, dataset_id=dataset.pk, record_ids=["r-1"], reason="asked for")
    row = written(tenant, package)
    assert (row.status, row.error_code, row.parts) == ("failed", "VAULT_COMP_8059", [])
    assert told(tenant) == ["requested", "failed"]


@pytest.mark.usefixtures("plain_static")
@pytest.mark.parametrize("change", ["erased", "quarantined"])
def test_a_file_of_what_was_erased_or_quarantined_since_is_not_handed_out(
    tenant, reviewed, act, mailed, change
) -> None:
    request = reviewed()
    (source,) = written(tenant, act(request, "package")[1]).sources
    act(request, "package/link")
    path, token = link_of(mailed())
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        if change == "erased":
            request_erasure(steward, dataset_id=source["dataset_id"], record_ids=["r-1"], reason="asked for")
        else:
            quarantine_version(steward, dataset_id=source["dataset_id"], version="main", reason="to be looked at")
    assert act(request, "package/file", method="GET")[1]["code"] == "VAULT_COMP_8058"
    assert act(request, "package/link")[1]["code"] == "VAULT_COMP_8058"
    assert Client().post(path, {"token": token}).status_code == 404


def test_who_is_not_shown_the_records_raw_any_more_gets_no_file(tenant, dataset, officer, reviewed, act) -> None:
    request = reviewed()
    written(tenant, act(request, "package")[1])
    silent = caller(tenant, "privacy_officer", purpose="")
    assert fetched(silent, request), "it is decided for the purpose of the package"
    keeper = someone(tenant, "privacy_officer")
    document = {"format": 1, "default": {"strategy": "redact"}, "rules": [REDACTED]}
    with acting(tenant, keeper):
        policy = create_policy(keeper, NewPolicy(name="texts", document=document))
        activate_version(keeper, policy_id=policy.pk, number=1)
        attach_policy(keeper, policy_id=policy.pk, kind="dataset", target=str(dataset.pk), binds_raw_readers=True)
    assert act(request, "package/file", method="GET")[1]["code"] == "VAULT_COMP_8060"


def test_too_many_records_end_a_package(tenant, reviewed, act, monkeypatch) -> None:
    monkeypatch.setattr(package_work, "MAX_BYTES", 10)
    row = written(tenant, act(reviewed(), "package")[1])
    assert (row.status, row.error_code) == ("failed", "VAULT_COMP_8066")


def test_a_worker_that_lost_its_claim_leaves_nothing_that_counts(tenant, officer, reviewed, act) -> None:
    """Killed after it stored its parts and before its row said so: the next worker makes the file, and removes them."""
    request = reviewed()
    package = act(request, "package")[1]
    with acting(tenant):
        claimed, held = claim(RequestPackage, UUID(package["id"]))
        (left,) = package_work.write_file(claimed, held.fence, b"half")
    with acting(tenant):
        row = RequestPackage.objects.get(pk=package["id"])
    age(row, lease_until=timedelta(seconds=1))
    row = written(tenant, package)
    assert row.status == "succeeded"
    assert not BlobStore.default().exists(left[0])
    assert zipfile.ZipFile(io.BytesIO(fetched(officer, request))).testzip() is None


@pytest.mark.usefixtures("plain_static")
def test_a_subject_opens_their_package_by_a_mailed_link_a_few_times(tenant, rival, reviewed, act, mailed) -> None:
    request = reviewed()
    row = written(tenant, act(request, "package")[1])
    assert act(request, "package/link")[0] == 202
    path, token = link_of(mailed())
    page = Client().get(path, {"token": token})
    assert (page.status_code, "Download" in page.text) == (200, True)
    theirs = path.replace(tenant.slug, rival.slug)
    assert Client().post(theirs, {"token": token}).status_code == 404
    for _ in range(3):
        answer = Client().post(path, {"token": token})
        assert answer.status_code == 200
        assert len(b"".join(answer.streaming_content)) == row.size
    assert Client().post(path, {"token": token}).status_code == 404
    assert told(tenant).count("downloaded") == 3


@pytest.mark.usefixtures("plain_static")
def test_a_package_link_ends_with_its_file(tenant, reviewed, act, mailed) -> None:
    request = reviewed()
    written(tenant, act(request, "package")[1])
    act(request, "package/link")
    path, token = link_of(mailed())
    act(request, "package")
    assert Client().post(path, {"token": token}).status_code == 404
    confirm = path.replace("/package/", "/confirm/")
    assert Client().post(confirm, {"token": token}).status_code == 404, "a link of one kind is none of the other"
