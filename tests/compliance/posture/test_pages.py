"""Rules of posture in the browser."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from compliance.models.posture import ControlEvidence, ProbeResult, ProbeRun
from compliance.posture.catalog import PROBES
from compliance.posture.controls import all_controls
from compliance.posture.run import run_probes
from tests.compliance.posture.defences import OFF
from tests.compliance.posture.runs import guarded_tenant, officer_of, run_all
from tests.factories.access import acting
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

START = "/admin/compliance/"
HOME = f"{START}posture/"
OUTSIDE = f"{HOME}controls/gdpr-32.2/"
PROBED = sum(control.is_probed for control in all_controls())

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


def test_home_says_that_nothing_was_tried_yet(tenant) -> None:
    page = browser_of(tenant, "auditor").get(HOME)
    assert page.status_code == 200
    assert f"0 of {PROBED}" in page.text
    assert "No probes were run yet" in page.text
    assert "Run the probes now" not in page.text


def test_an_officer_runs_the_probes_from_home_and_follows_them(tenant) -> None:
    client = browser_of(tenant, "security_officer")
    begun = client.post(HOME)
    assert begun.status_code == 302
    waiting = client.get(begun["Location"])
    assert "data-run" in waiting.text
    with acting(tenant):
        run = ProbeRun.objects.get()
    run_probes(tenant.pk, run.pk)
    ended = client.get(begun["Location"])
    assert "data-run" not in ended.text
    assert all(probe.title in ended.text for probe in PROBES.values())
    home = client.get(HOME)
    assert "on schedule" not in home.text
    assert f"{timezone.now():%Y-%m-%d}" in home.text


def test_what_is_red_is_shown_first_with_what_was_tried(monkeypatch) -> None:
    tenant = guarded_tenant()
    officer = officer_of(tenant)
    with OFF["held_delete"](tenant, monkeypatch):
        run_all(tenant, officer)
    client = browser_of(tenant, "auditor")
    page = client.get(f"{HOME}frameworks/gdpr/").text
    assert page.index("controls/gdpr-17.3/") < page.index("controls/gdpr-5.1.b/")
    control = client.get(f"{HOME}controls/gdpr-17.3/").text
    assert PROBES["held_delete"].tried in control
    assert "a held dataset was deleted" in control
    assert "does not hold" not in control
    tile = client.get("/admin/home/posture/").text
    assert f" of {PROBED}</strong> controls proven" in tile
    assert f'href="{HOME}"' in tile
    with acting(tenant):
        result = ProbeResult.objects.get(probe="held_delete")
    shown = client.get(f"{HOME}probe-results/{result.pk}/")
    assert (shown.status_code, str(result.pk) in shown.text) == (200, True)


def test_evidence_is_attached_downloaded_and_withdrawn(tenant) -> None:
    client = browser_of(tenant, "privacy_officer")
    form = {
        "do": "attest",
        "title": "Assessment of risks",
        "statement": "Four risks, each with a measure",
        "expires_on": str(timezone.now().date() + timedelta(days=30)),
        "document": SimpleUploadedFile("risks.txt", b"four risks", content_type="text/plain"),
    }
    assert client.post(OUTSIDE, form).status_code == 302
    with acting(tenant):
        row = ControlEvidence.objects.get()
    page = client.get(OUTSIDE).text
    assert "Assessment of risks" in page
    assert "attested" in page
    assert client.get(f"{HOME}evidence/{row.pk}/").content == b"four risks"
    assert "Attach evidence" not in browser_of(tenant, "auditor").get(OUTSIDE).text
    refused = client.post(OUTSIDE, {"do": "attest", "title": "a", "expires_on": "soon"})
    assert refused.status_code == 400
    assert client.post(OUTSIDE, {"do": "withdraw", "evidence": str(row.pk)}).status_code == 302
    assert "withdrawn" in client.get(OUTSIDE).text
    assert client.get(f"{HOME}evidence/{row.pk}/").status_code == 410


@pytest.mark.parametrize("role", ["viewer", "analyst", "data_scientist"])
def test_who_may_not_read_the_posture_sees_none_of_it(tenant, role) -> None:
    client = browser_of(tenant, role)
    for page in (HOME, f"{HOME}frameworks/gdpr/", OUTSIDE, "/admin/home/posture/"):
        assert client.get(page).status_code == 403
    assert HOME not in client.get("/admin/").text


@pytest.mark.parametrize("page", ["frameworks/none/", "controls/none/"])
def test_what_there_is_not_is_not_found(tenant, page) -> None:
    assert browser_of(tenant, "auditor").get(HOME + page).status_code == 404


def test_no_page_says_compliant() -> None:
    tenant = guarded_tenant()
    run = run_all(tenant)
    client = browser_of(tenant, "auditor")
    pages = ["", "frameworks/gdpr/", "frameworks/pci_dss/", "controls/gdpr-5.1.f/", f"probe-runs/{run.pk}/"]
    for page in pages:
        answer = client.get(HOME + page)
        assert answer.status_code == 200
        assert "compliant" not in answer.text.lower()


def test_compliance_begins_with_the_posture_and_other_pages_do_not_show_it_as_theirs(tenant) -> None:
    client = browser_of(tenant, "privacy_officer")
    assert client.get(START)["Location"] == HOME
    assert is_lit(client.get(HOME).text, HOME)
    assert is_lit(client.get(f"{HOME}frameworks/gdpr/").text, HOME)
    holds = client.get(f"{START}holds/").text
    assert is_lit(holds, f"{START}holds/")
    assert not is_lit(holds, HOME)


def is_lit(page: str, link: str) -> bool:
    """Whether the sidebar shows the item as the one whose page this is."""
    item = re.search(rf'<a [^>]*href="{re.escape(link)}"[^>]*>', page)
    assert item is not None
    return "active" in re.split(r'[\s"]', item[0])
