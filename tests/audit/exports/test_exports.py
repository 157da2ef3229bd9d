"""Exports of the audit: what is in the files, who gets them, and that a killed worker changes nothing."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from audit.exports import work
from audit.exports.encode import COLUMNS
from audit.exports.parts import read_part
from audit.exports.request import expire_exports
from audit.exports.work import run_export
from audit.log.checkpoints import sign_checkpoint
from audit.log.sealer import seal_tenant
from audit.models import Alert, AuditEvent, AuditExport, AuditLeaf
from tests.audit.proofs.logs import copy_event
from tests.audit.proofs.logs import tamper as alter
from tests.audit.test_api import client_of
from tests.factories.audit import make_event, make_principal, record
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.events.event import EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

URL = "/api/v1/audit/exports"
ROOT = Path(__file__).resolve().parents[3]
FORMULA = '=HYPERLINK("http://evil.example","x")'


def scope(tenant):
    return tenant_scope(tenant.pk, make_principal(tenant.pk))


@pytest.fixture
def told(tenant):
    """Seven reads of a person with a name that a spreadsheet would run, and one sign-in; sealed and signed."""
    ada = make_principal(tenant.pk, name="@SUM(1+1)|cmd")
    facts = RequestFacts(request_id="r-1", ip_address="192.0.2.7", user_agent="agent\r\nCEF:0|x|")
    with tenant_scope(tenant.pk, ada, facts):
        from vaultsite.kernel.events.bus import emit

        for _ in range(7):
            emit(make_event(resource=ResourceRef("dataset", FORMULA), metadata={"records": 3}))
        emit(make_event(type=EventType.LOGIN_SUCCEEDED, operation="write", purpose=""))
    seal_tenant(tenant.pk, window=None)
    sign_checkpoint(tenant.pk)
    return ada


def ask(client: Client, kind: str, ada, **filters):
    body = {"format": kind, "filters": {"actor": str(ada.id), **filters}}
    answer = client.post(URL, body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    return answer.json()


def finish(tenant, client: Client, made) -> bytes:
    run_export(tenant.pk, made["id"])
    state = client.get(f"{URL}/{made['id']}").json()
    assert state["status"] == "succeeded", state
    answer = client.get(f"{URL}/{made['id']}/file")
    body = b"".join(answer.streaming_content)
    assert len(body) == state["bytes"] == int(answer["Content-Length"])
    return body


def test_a_csv_has_every_event_once_and_nothing_a_spreadsheet_runs(tenant, told) -> None:
    client = client_of(tenant.pk)
    rows = list(csv.reader(io.StringIO(finish(tenant, client, ask(client, "csv", told)).decode(), newline="")))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 9
    named = [dict(zip(COLUMNS, row, strict=True)) for row in rows[1:]]
    assert [int(row["seq"]) for row in named] == sorted(int(row["seq"]) for row in named)
    assert named[0]["actor_name"] == "'@SUM(1+1)|cmd"
    assert named[0]["resource_id"] == "'" + FORMULA
    assert named[0]["records"] == "3"
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_json_lines_show_what_the_api_shows(tenant, told) -> None:
    client = client_of(tenant.pk)
    lines = finish(tenant, client, ask(client, "jsonl", told, type="data.access.*")).splitlines()
    shown = [json.loads(line) for line in lines]
    assert len(shown) == 7
    with scope(tenant):
        known = {str(pk) for pk in AuditEvent.objects.filter(actor_id=told.id).values_list("pk", flat=True)}
    assert {one["event_id"] for one in shown} < known
    assert shown[0]["actor"]["name"] == told.name
    assert "sealed" not in shown[0]["actor"]


def test_ocsf_has_the_classes_and_what_they_require(tenant, told) -> None:
    client = client_of(tenant.pk)
    shown = [json.loads(line) for line in finish(tenant, client, ask(client, "ocsf", told)).splitlines()]
    activity, sign_in = shown[0], shown[-1]
    assert (activity["class_uid"], activity["category_uid"], activity["type_uid"]) == (6003, 6, 600302)
    assert (sign_in["class_uid"], sign_in["category_uid"], sign_in["type_uid"]) == (3002, 3, 300201)
    common = {"metadata", "time", "severity_id", "activity_id", "category_uid", "class_uid", "type_uid"}
    assert common | {"actor", "api", "src_endpoint"} <= activity.keys()
    assert common | {"user"} <= sign_in.keys()
    assert activity["metadata"]["version"] == "1.6.0"
    assert activity["src_endpoint"] == {"ip": "192.0.2.7"}
    assert activity["time"] > 1_700_000_000_000


def test_cef_is_one_line_an_event_whatever_an_agent_calls_itself(tenant, told) -> None:
    client = client_of(tenant.pk)
    lines = finish(tenant, client, ask(client, "cef", told)).decode().splitlines()
    assert len(lines) == 8
    assert all(line.startswith("CEF:0|LLM Data Vault|LLM Data Vault|1|") for line in lines)
    assert "requestClientApplication=agent\\nCEF:0|x| " in lines[0]
    assert "suser=@SUM(1+1)|cmd" in lines[0]


def test_a_bundle_verifies_without_the_vault_and_a_changed_one_does_not(tenant, told, tmp_path) -> None:
    client = client_of(tenant.pk)
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(finish(tenant, client, ask(client, "bundle", told)))
    with zipfile.ZipFile(bundle) as archive:
        (tmp_path / "keys").write_bytes(archive.read("keys"))
        (tmp_path / "verify_export.py").write_bytes(archive.read("verify_export.py"))
        assert len(archive.read("events.jsonl").splitlines()) == 8
    command = [sys.executable, "-I", str(tmp_path / "verify_export.py"), "--keys", str(tmp_path / "keys")]
    checked = subprocess.run([*command, str(bundle)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(forged, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b'"status":"success"', b'"status":"failure"'))
    refused = subprocess.run([*command, str(forged)], capture_output=True, text=True, check=False)
    assert refused.returncode != 0


@pytest.mark.parametrize("kind", ["csv", "jsonl", "ocsf", "cef", "bundle"])
@pytest.mark.parametrize(
    ("change", "damage"),
    [
        ("UPDATE audit_event SET body = body || ' '::bytea WHERE id = %s", "event_changed"),
        ("UPDATE audit_event SET actor_id = gen_random_uuid() WHERE id = %s", "columns_changed"),
    ],
)
def test_nothing_is_exported_from_a_damaged_log(tenant, told, kind, change, damage) -> None:
    """Nor without the event that a changed column hides from the search."""
    client = client_of(tenant.pk)
    made = ask(client, kind, told)
    with scope(tenant):
        event_id = AuditEvent.objects.filter(actor_id=told.id).values_list("pk", flat=True)[0]
        seq = AuditLeaf.objects.get(event_id=event_id).seq
    assert alter(change, event_id) == 1
    run_export(tenant.pk, made["id"])
    state = client.get(f"{URL}/{made['id']}").json()
    assert (state["status"], state["error"]["code"]) == ("failed", "VAULT_AUDIT_7037")
    assert (state["error"]["seq"], state["error"]["damage"]) == (seq, damage)
    with scope(tenant):
        alert = Alert.objects.get(kind="verification.failed")
    assert (alert.severity, alert.facts["first_bad_seq"]) == ("critical", seq)


def test_an_event_that_is_gone_is_counted_and_a_copy_of_one_is_not_exported(tenant, told) -> None:
    client = client_of(tenant.pk)
    made = ask(client, "jsonl", told)
    with scope(tenant):
        gone, copied = AuditEvent.objects.filter(actor_id=told.id).values_list("pk", flat=True)[:2]
    assert alter("DELETE FROM audit_event WHERE id = %s", gone) == 1
    with scope(tenant):
        time = AuditEvent.objects.get(pk=copied).time
        copy_event(connection.cursor(), copied, time - timedelta(milliseconds=1))
    lines = finish(tenant, client, made).splitlines()
    assert len(lines) == 7
    assert client.get(f"{URL}/{made['id']}").json()["progress"]["missing"] == 1


def test_what_is_stored_is_sealed(tenant, told) -> None:
    client = client_of(tenant.pk)
    made = ask(client, "jsonl", told)
    finish(tenant, client, made)
    with scope(tenant):
        export = AuditExport.objects.get(pk=made["id"])
        stored = BlobStore.default().get(export.parts[0][0])
        assert b"data.access.read" not in stored
        assert b"data.access.read" in read_part(export.pk, 0, export.parts[0][0])


def test_an_export_is_its_requesters_alone(tenant, rival, told) -> None:
    client = client_of(tenant.pk)
    made = ask(client, "csv", told)
    run_export(tenant.pk, made["id"])
    for other in (client_of(tenant.pk), client_of(rival.pk)):
        for path in ("", "/file"):
            answer = other.get(f"{URL}/{made['id']}{path}")
            assert answer.status_code == 404
            assert answer.json()["code"] == "VAULT_AUDIT_7030"
        assert other.get(URL).json()["data"] == []
    assert [one["id"] for one in client.get(URL).json()["data"]] == [made["id"]]
    assert client_of(tenant.pk, "data_scientist").post(URL, {}, content_type="application/json").status_code == 403


def test_a_file_that_is_not_ready_or_gone_says_so(tenant, told) -> None:
    client = client_of(tenant.pk)
    made = ask(client, "csv", told)
    early = client.get(f"{URL}/{made['id']}/file")
    assert (early.status_code, early.json()["code"]) == (409, "VAULT_AUDIT_7031")
    run_export(tenant.pk, made["id"])
    with scope(tenant):
        (name, _), *_ = AuditExport.objects.get(pk=made["id"]).parts
    assert client.delete(f"{URL}/{made['id']}").status_code == 204
    late = client.get(f"{URL}/{made['id']}/file")
    assert (late.status_code, late.json()["code"]) == (410, "VAULT_AUDIT_7032")
    assert not BlobStore.default().exists(name)


def test_files_leave_when_their_time_is_over(tenant, told) -> None:
    client = client_of(tenant.pk)
    made = ask(client, "csv", told)
    run_export(tenant.pk, made["id"])
    with scope(tenant):
        export = AuditExport.objects.get(pk=made["id"])
        AuditExport.objects.filter(pk=made["id"]).update(expires_at=export.created_at)
    assert expire_exports() >= 1
    assert not BlobStore.default().exists(export.parts[0][0])
    with scope(tenant):
        told_of = AuditEvent.objects.filter(type="audit.export.expired", resource_id=made["id"])
        assert told_of.count() == 1


def test_a_download_is_an_event_with_what_was_released(tenant, told) -> None:
    client = client_of(tenant.pk)
    made = ask(client, "jsonl", told)
    body = finish(tenant, client, made)
    with scope(tenant):
        (event,) = AuditEvent.objects.filter(type="audit.exported", resource_id=made["id"])
    assert (event.status, event.bytes) == ("success", len(body))


def test_before_anything_is_sealed_there_is_nothing_to_export(rival) -> None:
    answer = client_of(rival.pk).post(URL, {"format": "bundle"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_AUDIT_7033")


def test_unfinished_exports_of_one_person_are_limited(tenant, told) -> None:
    client = client_of(tenant.pk)
    for _ in range(5):
        ask(client, "csv", told)
    answer = client.post(URL, {"format": "csv"}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (429, "VAULT_AUDIT_7034")


def test_a_misspelt_filter_exports_nothing(tenant, told) -> None:
    answer = client_of(tenant.pk).post(URL, {"filters": {"acter": "x"}}, content_type="application/json")
    assert answer.status_code == 400


_WORKER = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
import django; django.setup()
from uuid import UUID
from audit.exports import work
work.PAGE = 2
work.run_export(UUID(sys.argv[1]), UUID(sys.argv[2]))
"""


@pytest.mark.parametrize("kind", ["jsonl", "bundle"])
def test_a_killed_worker_changes_nothing_of_the_file(tenant, told, kind, monkeypatch) -> None:
    """SIGKILL while it writes; the next worker goes on, and every event is in the file once."""
    for _ in range(40):
        record(tenant.pk, make_event(), principal=told)
    seal_tenant(tenant.pk, window=None)
    sign_checkpoint(tenant.pk)
    client = client_of(tenant.pk)
    made = ask(client, kind, told)
    monkeypatch.setattr(work, "PAGE", 2)
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, str(tenant.pk), made["id"]], cwd=ROOT)
    try:
        _wait_for_work(tenant, made["id"], worker)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    with scope(tenant):
        AuditExport.objects.filter(pk=made["id"], status="running").update(lease_until="2000-01-01T00:00:00Z")
    body = finish(tenant, client, made)
    if kind == "jsonl":
        seqs = [json.loads(line)["seq"] for line in body.splitlines()]
    else:
        seqs = [int(line) for line in zipfile.ZipFile(io.BytesIO(body)).read("sequence").split()]
    assert len(seqs) == len(set(seqs)) == 48
    assert seqs == sorted(seqs)


def _wait_for_work(tenant, export_id, worker) -> None:
    """Until the worker has taken the job, and of what it writes page by page, some."""
    deadline = time.monotonic() + 60
    while worker.poll() is None and time.monotonic() < deadline:
        with scope(tenant):
            export = AuditExport.objects.get(pk=export_id)
        if export.status == "running" and (export.parts or export.format == "bundle"):
            return
        time.sleep(0.01)
