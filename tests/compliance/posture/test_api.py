"""Rules of posture by the API."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils import timezone

from audit.models import AuditEvent
from compliance.models.posture import ControlEvidence
from compliance.posture.catalog import PROBES
from compliance.posture.run import run_probes
from tests.compliance.posture.runs import guarded_tenant, run_all
from tests.factories.access import acting
from tests.factories.api import caller, send

DOCUMENT = b"The assessment of March names four risks, and what is done about each."
OUTSIDE = "gdpr-32.2"

#: The id of nothing.
NOBODYS = "00000000-0000-7000-8000-000000000000"


def attestation(**changed: Any) -> dict[str, Any]:
    return {
        "title": "Assessment of risks",
        "statement": "Four risks, each with a measure",
        "media_type": "text/plain",
        "expires_on": str(timezone.now().date() + timedelta(days=90)),
        "document": base64.b64encode(DOCUMENT).decode(),
    } | changed


def state_of(client: Any, control: str) -> str:
    return str(send(client, "GET", f"/compliance/controls/{control}").json()["state"])


def test_before_any_run_nothing_is_proven(tenant) -> None:
    told = send(caller(tenant, "auditor"), "GET", "/compliance/status").json()
    assert [one["framework"] for one in told["frameworks"]] == ["gdpr", "hipaa", "soc2", "pci_dss"]
    states = {control["state"] for one in told["frameworks"] for control in one["controls"]}
    assert states == {"not_proven", "outside"}
    assert told["counts"]["proven"] == told["counts"]["failed"] == 0


def test_an_officer_runs_the_probes_and_an_auditor_reads_what_they_found() -> None:
    tenant = guarded_tenant()
    officer, auditor = caller(tenant, "security_officer"), caller(tenant, "auditor")
    assert send(auditor, "POST", "/compliance/probes/runs").status_code == 403
    begun = send(officer, "POST", "/compliance/probes/runs")
    assert (begun.status_code, begun.json()["status"]) == (202, "queued")
    again = send(officer, "POST", "/compliance/probes/runs")
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_COMP_8161")
    run_probes(tenant.pk, UUID(begun.json()["id"]))
    told = auditor.get(begun["Location"]).json()
    assert (told["status"], [one["probe"] for one in told["results"]]) == ("succeeded", list(PROBES))
    assert {one["state"] for one in told["results"]} == {"passed"}
    status = send(auditor, "GET", "/compliance/status?framework=soc2").json()
    assert [one["framework"] for one in status["frameworks"]] == ["soc2"]
    assert status["counts"] == {"proven": 11, "failed": 0, "not_proven": 0, "outside": 2, "attested": 0}
    one = send(auditor, "GET", "/compliance/controls/soc2-CC6.1").json()
    assert (one["state"], {each["probe"] for each in one["results"]}) == ("proven", set(one["probes"]))
    page = send(auditor, "GET", "/compliance/probes/runs?limit=1").json()
    assert ([each["id"] for each in page["data"]], page["pagination"]["next_cursor"]) == ([begun.json()["id"]], None)


def test_a_result_is_checked_without_the_vault() -> None:
    tenant = guarded_tenant()
    run = run_all(tenant)
    client = caller(tenant, "auditor")
    told = send(client, "GET", f"/compliance/probes/runs/{run.pk}").json()["results"][0]
    assert send(client, "GET", f"/compliance/probes/results/{told['id']}").json() == told
    keys = send(client, "GET", "/compliance/probes/keys").json()
    assert told["signed_by"] == keys["data"][0]
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["signed_by"]))
    prefix, statement, signature = (
        base64.b64decode(text) for text in (keys["prefix"], told["statement"], told["signature"])
    )
    public.verify(signature, prefix + statement)
    with pytest.raises(InvalidSignature):
        public.verify(signature, statement)
    said = orjson.loads(statement)
    assert (said["id"], said["probe"], said["state"], said["tenant"]) == (
        told["id"], told["probe"], told["state"], str(tenant.pk),
    )  # fmt: skip


def test_evidence_attests_a_control_and_never_proves_it(tenant) -> None:
    officer, auditor = caller(tenant, "privacy_officer"), caller(tenant, "auditor")
    path = f"/compliance/controls/{OUTSIDE}/evidence"
    assert send(auditor, "POST", path, attestation()).status_code == 403
    made = send(officer, "POST", path, attestation())
    assert made.status_code == 201, made.json()
    assert "document" not in made.json()
    assert state_of(auditor, OUTSIDE) == "attested"
    assert send(auditor, "GET", "/compliance/status").json()["counts"]["attested"] == 1
    answer = auditor.get(f"{made['Location']}/document")
    assert (answer.content, answer["X-Content-Type-Options"]) == (DOCUMENT, "nosniff")
    assert answer["Content-Disposition"].startswith("attachment")
    with acting(tenant):
        row = ControlEvidence.objects.get()
        assert DOCUMENT not in bytes(row.sealed)
        told = AuditEvent.objects.filter(type="compliance.evidence.changed")
        assert [DOCUMENT in bytes(event.body) for event in told] == [False]
    assert officer.delete(made["Location"]).status_code == 204
    assert state_of(auditor, OUTSIDE) == "outside"
    gone = auditor.get(f"{made['Location']}/document")
    assert (gone.status_code, gone.json()["code"]) == (410, "VAULT_COMP_8166")
    with acting(tenant):
        assert ControlEvidence.objects.get().sealed is None
        assert AuditEvent.objects.filter(type="compliance.evidence.changed").count() == 2


def test_what_somebody_types_for_a_control_is_not_kept(tenant) -> None:
    client = caller(tenant, "auditor")
    for path in ("/compliance/controls/ada.canary@example.com", "/compliance/status?framework=ada.canary@example.com"):
        assert send(client, "GET", path).status_code == 404
    with acting(tenant):
        assert not any(b"ada.canary" in bytes(event.body) for event in AuditEvent.objects.all())


def test_evidence_that_expired_attests_nothing(tenant) -> None:
    officer = caller(tenant, "privacy_officer")
    made = send(officer, "POST", f"/compliance/controls/{OUTSIDE}/evidence", attestation()).json()
    with acting(tenant):
        yesterday = timezone.now().date() - timedelta(days=1)
        ControlEvidence.objects.filter(pk=made["id"]).update(expires_on=yesterday)
    assert state_of(officer, OUTSIDE) == "outside"


@pytest.mark.parametrize(
    ("control", "changed", "status", "code"),
    [
        ("gdpr-5.1.f", {}, 409, "VAULT_COMP_8164"),
        ("gdpr-99", {}, 404, "VAULT_COMP_8162"),
        (OUTSIDE, {"expires_on": "2020-01-01"}, 400, "VAULT_VALID_3001"),
        (OUTSIDE, {"document": "no base64"}, 400, "VAULT_VALID_3001"),
        (OUTSIDE, {"document": ""}, 400, "VAULT_VALID_3001"),
        (OUTSIDE, {"media_type": "text/html"}, 400, "VAULT_VALID_3001"),
        (OUTSIDE, {"title": "Ask ada.canary@example.com"}, 400, "VAULT_DATA_4008"),
    ],
)
def test_what_is_no_evidence_is_refused(tenant, control, changed, status, code) -> None:
    answer = send(
        caller(tenant, "privacy_officer"), "POST", f"/compliance/controls/{control}/evidence", attestation(**changed)
    )
    assert answer.status_code == status, answer.json()
    assert answer.json()["code"] == code
    with acting(tenant):
        assert not ControlEvidence.objects.exists()


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/compliance/status?framework=none", "VAULT_COMP_8167"),
        ("/compliance/controls/none", "VAULT_COMP_8162"),
        (f"/compliance/probes/runs/{NOBODYS}", "VAULT_COMP_8160"),
        (f"/compliance/probes/results/{NOBODYS}", "VAULT_COMP_8163"),
        (f"/compliance/evidence/{NOBODYS}", "VAULT_COMP_8165"),
    ],
)
def test_what_there_is_not_is_not_found(tenant, path, code) -> None:
    answer = send(caller(tenant, "auditor"), "GET", path)
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_nothing_says_compliant() -> None:
    tenant = guarded_tenant()
    run_all(tenant)
    client = caller(tenant, "auditor")
    for path in ("/compliance/status", "/compliance/controls/gdpr-5.1.f", "/compliance/probes/runs"):
        assert b"compliant" not in send(client, "GET", path).content.lower()
