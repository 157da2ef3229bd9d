"""Rules of reports: what is in the files, who gets them, and that they say what proves them."""

import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.core import signing
from django.utils import timezone
from django.utils.html import escape

from access.models import ApiKey, User
from audit.log.checkpoints import sign_checkpoint
from audit.log.sealer import seal_tenant
from audit.models import AuditEvent
from audit.selectors import read_body
from compliance.models import Report
from compliance.reports import events
from compliance.reports.registry import KINDS
from compliance.reports.request import expire_reports
from compliance.reports.work import run_report
from tests.compliance.reports.asking import URL, body, recount, written
from tests.factories.access import acting, age
from tests.factories.api import API, caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.pages import browser_of
from tests.factories.upkeep import erase
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.blobs import BlobStore

SICK = [
    {"id": f"r{n}", "text": f"Ada Lovelace was diagnosed with diabetes. Visa 4111 1111 1111 111{n}"} for n in (1, 1)
][:1]


@pytest.fixture
def read_dataset(tenant):
    """A dataset with health and card data that somebody read."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(SICK))
    read_all(tenant, dataset)
    seal_tenant(tenant.pk, window=None)
    sign_checkpoint(tenant.pk)
    return dataset


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_written_in_every_format_with_the_same_rows(tenant, read_dataset, kind) -> None:
    client = caller(tenant, "privacy_officer", "auditor")
    told, content = written(tenant, client, body(kind))
    shown = json.loads(content)
    recount(shown)
    assert told["summary"]["figures"] == shown["figures"]
    for query in {figure["events"] for figure in shown["figures"]} - {""}:
        assert send(client, "GET", f"/audit/events?{query}&limit=1").status_code == 200, query
    assert len(shown["rows"]) == told["rows"] == shown["figures"][0]["value"] == shown["integrity"]["rows"]
    assert all(list(row) == list(KINDS[kind].columns) for row in shown["rows"])
    assert shown["integrity"]["checkpoint_root"] == told["checkpoint_root"] != ""
    lines = (json.dumps(list(row.values()), separators=(",", ":"), ensure_ascii=False) for row in shown["rows"])
    digest = hashlib.sha256(b"".join(line.encode() + b"\n" for line in lines))
    assert digest.hexdigest() == told["rows_sha256"]
    _, table = written(tenant, client, body(kind, "csv"))
    rows = list(csv.reader(io.StringIO(table.decode(), newline="")))
    assert rows[0] == list(KINDS[kind].columns)
    _, page = written(tenant, client, body(kind, "pdf"))
    assert page.startswith(b"%PDF-1.7")
    assert b"pdfuaid" in page


def test_figures_are_those_of_the_audit(tenant, read_dataset) -> None:
    client = caller(tenant, "privacy_officer")
    _, content = written(tenant, client, body("access_summary", datasets=[str(read_dataset.pk)]))
    shown = json.loads(content)
    with acting(tenant):
        found = AuditEvent.objects.filter(type__startswith="data.access.", dataset_id=read_dataset.pk)
        known = set(map(str, found.values_list("pk", flat=True)))
    assert {row["event_id"] for row in shown["rows"]} == known
    by_type = {one["value"]: one["count"] for one in shown["breakdowns"]["event_type"]}
    assert sum(by_type.values()) == len(known) > 1
    assert shown["breakdowns"]["by day"][0]["count"] == len(known)


def test_a_page_of_events_follows_the_other_without_gap(tenant, read_dataset, monkeypatch) -> None:
    client = caller(tenant, "privacy_officer")
    asked = body("access_summary", datasets=[str(read_dataset.pk)])
    whole = json.loads(written(tenant, client, asked)[1])["rows"]
    monkeypatch.setattr(events, "PAGE", 1)
    told, content = written(tenant, client, asked)
    paged = json.loads(content)["rows"]
    assert [row["event_id"] for row in paged][: len(whole)] == [row["event_id"] for row in whole]
    assert len({row["event_id"] for row in paged}) == told["rows"]


def test_health_and_cards_are_told_by_what_was_found(tenant, read_dataset) -> None:
    make_dataset(tenant)
    client = caller(tenant, "privacy_officer")
    _, cards = written(tenant, client, body("pci_pan"))
    assert [row["dataset_id"] for row in json.loads(cards)["rows"]] == [str(read_dataset.pk)]
    _, health = written(tenant, client, body("hipaa_phi"))
    rows = json.loads(health)["rows"]
    assert rows
    assert {row["dataset_id"] for row in rows} == {str(read_dataset.pk)}
    _, sealed = written(tenant, client, body("hipaa_encryption", datasets=[str(read_dataset.pk)]))
    (one,) = json.loads(sealed)["rows"]
    assert (one["under_active_key"], one["under_older_keys"]) == (one["sealed_objects"], 0)
    assert one["sealed_objects"] > 0


def test_an_erasure_is_reported_with_its_receipt(tenant, read_dataset) -> None:
    done = erase(tenant, read_dataset, ["r1"])
    _, content = written(tenant, caller(tenant, "auditor"), body("gdpr_erasure"))
    (row,) = json.loads(content)["rows"]
    assert (row["erasure_id"], row["state"], row["records_found"], row["has_receipt"]) == (
        str(done.pk), "succeeded", 1, "yes",
    )  # fmt: skip


def test_no_report_holds_a_value_of_a_record(tenant, read_dataset) -> None:
    client = caller(tenant, "privacy_officer", "auditor")
    for kind in KINDS:
        _, content = written(tenant, client, body(kind))
        assert b"Lovelace" not in content
        assert b"4111 1" not in content


def test_a_link_is_for_one_reader_and_for_a_while(tenant, read_dataset, monkeypatch) -> None:
    client = caller(tenant, "auditor")
    told, _ = written(tenant, client, body("soc2_keys"))
    link, path = told["download_url"], f"{API}{URL}/{told['id']}/file"
    assert caller(tenant, "privacy_officer").get(link).json()["code"] == "VAULT_COMP_8180"
    for token in ("", "x", link.split("token=")[1].swapcase()):
        answer = client.get(path, {"token": token})
        assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_COMP_8184")
    other, _ = written(tenant, client, body("soc2_keys"))
    swapped = client.get(path, {"token": other["download_url"].split("token=")[1]})
    assert swapped.json()["code"] == "VAULT_COMP_8184"
    monkeypatch.setattr(signing.time, "time", lambda: datetime.now(UTC).timestamp() + 700)
    assert client.get(link).json()["code"] == "VAULT_COMP_8184"


def test_releasing_a_report_is_an_event_and_so_is_writing_it(tenant, read_dataset) -> None:
    told, content = written(tenant, caller(tenant, "auditor"), body("soc2_access", "csv"))
    with acting(tenant):
        made = AuditEvent.objects.get(type="compliance.report.generated", resource_id=told["id"])
        released = AuditEvent.objects.get(type="compliance.report.released", resource_id=told["id"])
        assert read_body(made)["metadata"]["sha256"] == told["sha256"]
        assert read_body(released)["metadata"]["bytes"] == len(content)


def test_files_go_by_age_and_by_hand(tenant) -> None:
    client = caller(tenant, "auditor")
    told, _ = written(tenant, client, body("soc2_keys"))
    late, _ = written(tenant, client, body("soc2_keys"))
    with acting(tenant):
        names = [part[0] for part in Report.objects.get(pk=told["id"]).parts]
        age(Report.objects.get(pk=late["id"]), expires_at=timedelta(seconds=1))
    assert send(client, "DELETE", f"{URL}/{told['id']}").status_code == 204
    assert not any(BlobStore.default().exists(name) for name in names)
    assert client.get(told["download_url"]).json()["code"] == "VAULT_COMP_8182"
    assert expire_reports() >= 1
    assert client.get(late["download_url"]).json()["code"] == "VAULT_COMP_8182"


def test_what_cannot_be_reported_is_refused(tenant) -> None:
    client = caller(tenant, "auditor")
    good = body("soc2_keys")
    for wrong in (
        good | {"report_type": "gdpr_everything"},
        good | {"format": "docx"},
        good | {"time_range": {"start": good["time_range"]["end"], "end": good["time_range"]["start"]}},
        good | {"time_range": {"start": "2001-01-01T00:00:00Z", "end": good["time_range"]["end"]}},
        good | {"scope": {"people": []}},
    ):
        answer = send(client, "POST", URL, wrong)
        assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json"), wrong
    assert send(client, "POST", "/compliance/report", good).status_code == 202
    for _ in range(4):
        send(client, "POST", URL, good)
    assert send(client, "POST", URL, good).json()["code"] == "VAULT_COMP_8183"
    waiting = send(client, "GET", URL).json()["data"][0]
    assert (waiting["download_url"], waiting["status"]) == (None, "queued")
    early = client.get(f"{API}{URL}/{waiting['id']}/file", {"token": "x"})
    assert early.json()["code"] == "VAULT_COMP_8181"


def test_who_lost_their_rights_gets_no_report(tenant) -> None:
    made = send(caller(tenant, "auditor"), "POST", URL, body("soc2_keys")).json()
    with acting(tenant):
        report = Report.objects.get(pk=made["id"])
        ApiKey.objects.filter(pk=report.requested_by).update(revoked_at=timezone.now())
    run_report(tenant.pk, report.pk)
    with acting(tenant):
        report.refresh_from_db()
    assert (report.status, report.error_code, report.parts) == ("failed", "VAULT_AUTHZ_2001", [])


def test_what_cannot_be_set_as_pdf_says_so(tenant, monkeypatch) -> None:
    client = caller(tenant, "auditor")
    made = send(client, "POST", URL, body("soc2_keys", "pdf")).json()
    monkeypatch.setattr("compliance.reports.pdf.SECONDS", 0.001)
    run_report(tenant.pk, made["id"])
    failed = send(client, "GET", f"{URL}/{made['id']}").json()
    assert (failed["status"], failed["error"]["code"], failed["download_url"]) == ("failed", "VAULT_COMP_8185", None)


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_library_asks_for_watches_and_removes(tenant) -> None:
    browser = browser_of(tenant, "auditor")
    page = browser.get("/admin/compliance/reports/").content.decode()
    assert "You have asked for no report yet" in page
    assert all(f'value="{kind.code}"' in page and escape(kind.about) in page for kind in KINDS.values())
    day = timezone.now().date().isoformat()
    given = {"kind": "soc2_keys", "format": "json", "first_day": day, "last_day": day}
    refused = browser.post("/admin/compliance/reports/", given | {"kind": "x", "last_day": "yesterday"})
    assert refused.status_code == 400
    assert "Choose what is to be reported." in refused.content.decode()
    assert browser.post("/admin/compliance/reports/", given).status_code == 302
    with acting(tenant):
        (report,) = Report.objects.all()
        assert User.objects.filter(pk=report.requested_by).exists()
    run_report(tenant.pk, report.pk)
    shown = browser.get("/admin/compliance/reports/").content.decode()
    assert "Encryption keys" in shown
    file = browser.get(f"/admin/compliance/reports/{report.pk}/file/")
    assert json.loads(b"".join(file.streaming_content))["report"]["type"] == "soc2_keys"
    one = browser.get(f"/admin/compliance/reports/{report.pk}/").content.decode()
    assert "state: active" in one
    assert "type=data.key.destroyed&amp;since=" in one
    assert browser_of(tenant, "auditor").get(f"/admin/compliance/reports/{report.pk}/").status_code == 404
    assert browser.post("/admin/compliance/reports/", {"do": "remove", "report": str(report.pk)}).status_code == 302
    assert "removed" in browser.get("/admin/compliance/reports/").content.decode()
    assert "its figures are gone" in browser.get(f"/admin/compliance/reports/{report.pk}/").content.decode()


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_library_narrows_a_report_to_datasets_and_people(tenant) -> None:
    dataset, other = make_dataset(tenant, name="support chats"), make_dataset(tenant, name="sales mails")
    browser, day = browser_of(tenant, "auditor"), timezone.now().date().isoformat()
    with acting(tenant):
        somebody = User.objects.latest("id").pk
    page = browser.get("/admin/compliance/reports/").content.decode()
    assert "support chats" in page
    assert str(other.pk) in page
    narrow = {"datasets": [str(dataset.pk)], "users": [str(somebody)]}
    given = {"kind": "access_summary", "format": "json", "first_day": day, "last_day": day} | narrow
    refused = browser.post("/admin/compliance/reports/", given | {"kind": "soc2_keys"})
    assert refused.status_code == 400
    assert "users do not restrict this report" in refused.content.decode()
    assert re.search(rf'value="{dataset.pk}"\s+selected', refused.content.decode())
    assert browser.post("/admin/compliance/reports/", given | {"datasets": ["all"]}).status_code == 400
    assert browser.post("/admin/compliance/reports/", given).status_code == 302
    with acting(tenant):
        (report,) = Report.objects.all()
    assert report.scope == narrow
    run_report(tenant.pk, report.pk)
    assert "1 dataset" in browser.get(f"/admin/compliance/reports/{report.pk}/").content.decode()
