"""Rules of proofs by the API, of the job that verifies a log, of the command, and of their screens."""

from base64 import b64decode
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from access.services.tenants import operator
from audit.alerts.open import raise_alert
from audit.log.tree import leaf_hash, verify_consistency, verify_inclusion
from audit.log.witnessing import witness_checkpoints
from audit.models import Alert, AuditEvent, AuditVerification
from audit.proofs import jobs
from audit.proofs import verification as pages
from audit.proofs.events import prove_event
from audit.proofs.jobs import run_verification, start_verification
from audit.proofs.picture import draw
from audit.proofs.verify_export import check_proof, read_keys
from tests.audit.proofs.logs import event_at, grow, sizes, tamper
from tests.audit.test_api import client_of
from tests.factories.audit import make_event, make_principal, record
from tests.factories.pages import browser_of
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.scope import tenant_scope

API = "/api/v1/audit"
SCREENS = "/admin/oversight"
CHANGE = "UPDATE audit_event SET body = body || ' '::bytea WHERE id = %s"


def test_a_proof_by_the_api_holds_for_the_api_and_for_the_verifier(tenant, tmp_path) -> None:
    grow(tenant.pk)
    event_id, client = event_at(tenant.pk, 2), client_of(tenant.pk)
    answer = client.get(f"{API}/events/{event_id}/proof")
    assert answer.status_code == 200
    told = answer.json()
    checkpoint = told["checkpoint"]
    verify_inclusion(
        leaf=leaf_hash(b64decode(told["event"])), seq=told["sequence"], size=checkpoint["size"],
        proof=[b64decode(one) for one in told["path"]], root=b64decode(checkpoint["root"]),
    )  # fmt: skip
    assert [held["witness"] for held in checkpoint["witnesses"]] == ["blob store"]
    (tmp_path / "one.tlog-proof").write_text(told["tlog_proof"])
    keys = read_keys("\n".join(client.get(f"{API}/keys").json()["data"]))
    assert check_proof(tmp_path / "one.tlog-proof", keys)[0] == "event 2 is in the log"


def test_an_event_has_no_proof_before_its_checkpoint(tenant) -> None:
    grow(tenant.pk)
    event, client = make_event(), client_of(tenant.pk)
    record(tenant.pk, event)
    answer = client.get(f"{API}/events/{event.id}/proof")
    assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_AUDIT_7021")
    grow(tenant.pk, 1, sign=False)
    assert client.get(f"{API}/events/{event.id}/proof").status_code == 409
    grow(tenant.pk, 1)
    assert client.get(f"{API}/events/{event.id}/proof").status_code == 200


def test_a_changed_event_has_no_proof(tenant) -> None:
    grow(tenant.pk)
    event_id = event_at(tenant.pk, 2)
    tamper(CHANGE, event_id)
    answer = client_of(tenant.pk).get(f"{API}/events/{event_id}/proof")
    assert (answer.status_code, answer.json()["code"]) == (500, "VAULT_AUDIT_7022")


def test_a_foreign_event_and_one_that_never_was_are_answered_alike(tenant, rival) -> None:
    grow(rival.pk)
    client = client_of(tenant.pk)
    answers = [client.get(f"{API}/events/{one}/proof").json() for one in (event_at(rival.pk, 1), uuid4())]
    assert {answer.pop("code") for answer in answers} == {"VAULT_AUDIT_7020"}
    assert [answer.pop("trace_id") != "" for answer in answers] == [True, True]
    assert answers[0] == answers[1]


def test_checkpoints_are_listed_and_consistent(tenant) -> None:
    client = client_of(tenant.pk)
    missing = client.get(f"{API}/checkpoints/latest")
    assert (missing.status_code, missing.json()["code"]) == (404, "VAULT_AUDIT_7023")
    for _ in range(3):
        grow(tenant.pk, 2)
    small, middle, big = sizes(tenant.pk)
    assert client.get(f"{API}/checkpoints/latest").json()["size"] == big
    page = client.get(f"{API}/checkpoints", {"limit": "2"}).json()
    assert [one["size"] for one in page["data"]] == [big, middle]
    rest = client.get(f"{API}/checkpoints", {"limit": "2", "cursor": page["pagination"]["next_cursor"]}).json()
    assert ([one["size"] for one in rest["data"]], rest["pagination"]["next_cursor"]) == ([small], None)
    told = client.get(f"{API}/consistency", {"from": str(small), "to": str(big)}).json()
    verify_consistency(
        old=small, new=big, old_root=b64decode(told["earlier"]["root"]), new_root=b64decode(told["later"]["root"]),
        proof=[b64decode(one) for one in told["path"]],
    )  # fmt: skip
    for query, status in [({"from": str(big), "to": str(small)}, 404), ({"from": "0", "to": "x"}, 400)]:
        assert client.get(f"{API}/consistency", query).status_code == status


def test_the_job_finds_what_was_done_and_tells(tenant, monkeypatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    grow(tenant.pk)
    client = client_of(tenant.pk)
    started = client.post(f"{API}/verifications")
    assert started.status_code == 202
    again = client.post(f"{API}/verifications")
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_AUDIT_7024")
    job_id = started.json()["id"]
    run_verification(tenant.pk, job_id)
    told = client.get(started["Location"]).json()
    assert (told["status"], told["is_intact"], told["findings"], told["progress"]["percent"]) == (
        "succeeded", True, [], 100,
    )  # fmt: skip
    tamper(CHANGE, event_at(tenant.pk, 4))
    second = client.post(f"{API}/verifications").json()["id"]
    run_verification(tenant.pk, second)
    told = client.get(f"{API}/verifications/{second}").json()
    assert (told["status"], told["is_intact"], told["first_bad_seq"], told["damage"]) == (
        "succeeded", False, 4, "event_changed",
    )  # fmt: skip
    assert [one["id"] for one in client.get(f"{API}/verifications").json()["data"]] == [second, job_id]
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        outcomes = AuditEvent.objects.filter(type=EventType.AUDIT_VERIFIED).order_by("time")
        assert [event.status for event in outcomes] == ["success", "failure"]
        assert Alert.objects.get(kind="verification.failed").severity == "critical"


def test_a_job_is_continued_from_its_checkpoint(tenant, monkeypatch) -> None:
    monkeypatch.setattr(pages, "PAGE", 3)
    monkeypatch.setattr(jobs, "TURN_SECONDS", -1.0)
    size = grow(tenant.pk)
    principal = operator(tenant.pk)
    with tenant_scope(tenant.pk, principal):
        job = start_verification(principal)
    assert client_of(tenant.pk).get(f"{API}/verifications/{uuid4()}").json()["code"] == "VAULT_AUDIT_7025"
    run_verification(tenant.pk, job.pk)
    with tenant_scope(tenant.pk, principal):
        waiting = AuditVerification.objects.get(pk=job.pk)
        assert (waiting.status, waiting.checkpoint["walk"]["seq"]) == (JobStatus.QUEUED, 0)
    monkeypatch.setattr(jobs, "TURN_SECONDS", 300.0)
    for _ in range(2):
        run_verification(tenant.pk, job.pk)
    with tenant_scope(tenant.pk, principal):
        job = AuditVerification.objects.get(pk=job.pk)
        assert (job.status, job.attempt, job.checkpoint, job.findings) == (JobStatus.SUCCEEDED, 1, {}, [])
        assert job.verified >= size


def test_without_the_key_nothing_is_claimed(tenant, settings, tmp_path) -> None:
    grow(tenant.pk)
    client = client_of(tenant.pk)
    settings.VAULT = settings.VAULT | {"AUDIT_KEY_FILE": tmp_path / "lost.pem"}
    answer = client.get(f"{API}/events/{event_at(tenant.pk, 1)}/proof")
    assert (answer.status_code, answer.json()["code"]) == (503, "VAULT_AUDIT_7011")


def test_the_command_names_the_first_bad_number(tenant, rival, tmp_path) -> None:
    grow(tenant.pk)
    grow(rival.pk)
    output = StringIO()
    call_command("verify_audit", organization=tenant.slug, stdout=output)
    assert "blob store: agrees" in output.getvalue()
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        kept = prove_event(tenant.pk, event_at(tenant.pk, 1)).checkpoint.note
    (tmp_path / "kept").write_text(kept)
    call_command("verify_audit", organization=tenant.slug, witness=[tmp_path / "kept"], stdout=output)
    (tmp_path / "kept").write_text(kept.replace("\n", "\nx", 1))
    with pytest.raises(CommandError, match="does not verify"):
        call_command("verify_audit", organization=tenant.slug, witness=[tmp_path / "kept"], stdout=output)
    tamper(CHANGE, event_at(tenant.pk, 3))
    output = StringIO()
    with pytest.raises(CommandError, match=f"does not verify: {tenant.slug}") as failed:
        call_command("verify_audit", organization=tenant.slug, stdout=output)
    assert failed.value.returncode == 1
    assert "event_changed at 3" in output.getvalue()
    with pytest.raises(CommandError, match="--organization"):
        call_command("verify_audit", witness=[tmp_path / "kept"])
    with pytest.raises(CommandError):
        call_command("verify_audit", organization="nobody-of-this-name")


@pytest.mark.usefixtures("plain_static")
def test_what_no_witness_confirmed_is_not_intact_and_ends_no_alert(tenant) -> None:
    """Who holds the database and the key can make it agree with itself, not with what others hold."""
    grow(tenant.pk, witness=False)
    with tenant_scope(tenant.pk, operator(tenant.pk)):
        raise_alert(kind="verification.failed", cause="log", severity="critical", facts={})
    output = StringIO()
    with pytest.raises(CommandError, match=f"no witness confirmed the audit: {tenant.slug}") as failed:
        call_command("verify_audit", organization=tenant.slug, stdout=output)
    assert failed.value.returncode == 3
    assert "blob store: none" in output.getvalue()
    client = client_of(tenant.pk)
    job_id = client.post(f"{API}/verifications").json()["id"]
    run_verification(tenant.pk, job_id)
    told = client.get(f"{API}/verifications/{job_id}").json()
    assert (told["status"], told["is_intact"], told["is_witnessed"]) == ("succeeded", True, False)
    page = browser_of(tenant, "auditor").get(f"{SCREENS}/verification/").text
    assert "Not witnessed." in page
    assert "Intact" not in page
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert Alert.objects.get(kind="verification.failed").state == "open"
    witness_checkpoints(tenant.pk)
    call_command("verify_audit", organization=tenant.slug, stdout=output)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        assert Alert.objects.get(kind="verification.failed").state == "resolved"


@pytest.mark.usefixtures("plain_static")
def test_the_event_page_says_what_proves_it(tenant) -> None:
    grow(tenant.pk)
    client, event_id = browser_of(tenant, "auditor"), event_at(tenant.pk, 2)
    page = client.get(f"{SCREENS}/events/{event_id}/")
    assert page.status_code == 200
    for said in ("Proven", "Event number 2", "blob store", "3 steps" if sizes(tenant.pk)[0] < 9 else "4 steps"):
        assert said in page.text, said
    assert f"http://localhost{SCREENS}/events/{event_id}/" in page.text
    proof = client.get(f"{SCREENS}/events/{event_id}/proof/")
    assert proof["Content-Disposition"] == f'attachment; filename="{event_id}.tlog-proof"'
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\nextra ")
    fresh = make_event(failure_reason="x" * 900)
    record(tenant.pk, fresh)
    assert "Not sealed yet" in client.get(f"{SCREENS}/events/{fresh.id}/").text
    tamper(CHANGE, event_id)
    assert "Does not verify" in client.get(f"{SCREENS}/events/{event_id}/").text


@pytest.mark.usefixtures("plain_static")
def test_the_screens_of_the_log_and_its_verification(tenant) -> None:
    client = browser_of(tenant, "auditor")
    assert "Nobody has verified this log yet" in client.get(f"{SCREENS}/verification/").text
    assert "No checkpoint was signed yet" in client.get(f"{SCREENS}/log/").text
    size = grow(tenant.pk)
    page = client.get(f"{SCREENS}/log/")
    assert "blob store" in page.text
    assert "llm-data-vault/" in page.text
    assert client.get(f"{SCREENS}/log/", {"below": "x"}).status_code == 400
    assert client.get(f"{SCREENS}/log/keys/").text.startswith("llm-data-vault/")
    assert "def main()" in client.get(f"{SCREENS}/log/verifier/").text
    assert client.post(f"{SCREENS}/verification/").status_code == 302
    assert client.post(f"{SCREENS}/verification/").status_code == 409
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        job = AuditVerification.objects.get()
    assert "Look again" in client.get(f"{SCREENS}/verification/{job.pk}/").text
    tamper(CHANGE, event_at(tenant.pk, size - 1))
    run_verification(tenant.pk, job.pk)
    for path in (f"{SCREENS}/verification/", f"{SCREENS}/verification/{job.pk}/"):
        assert f"Damaged from sequence number {size - 1} on" in client.get(path).text
    assert browser_of(tenant, "analyst").get(f"{SCREENS}/verification/").status_code == 403


def test_the_picture_has_every_step_of_the_path() -> None:
    picture = draw(5, 7, [bytes([number]) * 32 for number in range(3)])
    assert [level.side for level in picture.levels] == ["left", "right", "left"]
    assert [level.x for level in picture.levels] == [20, 54, 88]
    assert draw(6, 7, [bytes(32)] * 2).levels[0].side == "left"
    assert draw(0, 1, []).levels == ()
