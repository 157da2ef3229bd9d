"""Nobody gets by a report what they may not see elsewhere: when it is asked for, written and handed out."""

import pytest
from django.urls import reverse

from access.models import RoleBinding
from compliance.models import Report
from compliance.reports.registry import KINDS
from compliance.reports.work import run_report
from tests.compliance.reports.asking import URL, body, written
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

#: What may be asked for, beside what everybody with reports may ask for.
ROLES = {
    "auditor": {kind.code for kind in KINDS.values() if kind.needs},
    "legal_counsel": {"gdpr_dsar", "gdpr_article30", "gdpr_consent", "soc2_incidents", "hipaa_breach"},
    "security_officer": {"soc2_keys", "soc2_recovery", "soc2_incidents", "hipaa_breach"},
    "tenant_admin": {"soc2_keys", "soc2_recovery"},
}
EVENTS = {code for code, kind in KINDS.items() if kind.needs == ("audit.read",)}


@pytest.mark.parametrize("role", sorted(ROLES))
@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_form_offers_what_the_reader_may_ask_for_and_the_api_refuses_the_rest(tenant, role) -> None:
    offered = {code for code, kind in KINDS.items() if not kind.needs} | EVENTS | ROLES[role]
    page = browser_of(tenant, role).get(reverse("admin:reports")).content.decode()
    assert {code for code in KINDS if f'value="{code}"' in page} == offered
    client = caller(tenant, role)
    for code in sorted(KINDS.keys() - offered):
        assert send(client, "POST", URL, body(code)).json()["code"] == "VAULT_AUTHZ_2001", code
    assert send(client, "POST", URL, body(min(offered))).status_code == 202


def forget_role(tenant, report_id: str, role: str) -> None:
    with acting(tenant):
        asker = Report.objects.get(pk=report_id).requested_by
        assert RoleBinding.objects.filter(api_key=asker, role__code=role).delete()[0] == 1


def test_who_lost_the_role_meanwhile_gets_none_written(tenant) -> None:
    client = caller(tenant, "auditor", "tenant_admin")
    made = send(client, "POST", URL, body("soc2_incidents")).json()
    forget_role(tenant, made["id"], "auditor")
    run_report(tenant.pk, made["id"])
    told = send(client, "GET", f"{URL}/{made['id']}").json()
    assert (told["status"], told["error"]["code"]) == ("failed", "VAULT_AUTHZ_2001")


def test_who_lost_the_role_since_is_not_handed_the_file(tenant) -> None:
    client = caller(tenant, "auditor", "tenant_admin")
    told, _ = written(tenant, client, body("soc2_incidents"))
    assert told["summary"]["figures"]
    forget_role(tenant, told["id"], "auditor")
    assert send(client, "GET", f"{URL}/{told['id']}").json()["summary"] is None
    assert client.get(told["download_url"]).json()["code"] == "VAULT_AUTHZ_2001"
