"""The screen of provisioning: empty, full, and what it refuses."""

from typing import Any

import pytest

from access.models import Tenant
from tests.access.scim.conftest import USER, Directory, make_directory
from tests.access.scim.test_groups import give_role
from tests.factories.access import make_user
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures of pages

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PAGE = "/admin/access-control/provisioning/"


@pytest.fixture
def boss(tenant: Tenant) -> Any:
    return browser_of(tenant, "tenant_admin")


def test_it_says_what_to_do_first(boss: Any) -> None:
    page = boss.get(PAGE)
    assert page.status_code == 200
    for text in ("/scim/v2</code>", "There is none yet", "No directory has asked", "brought no groups", "nobody"):
        assert text in page.text


def test_it_shows_what_the_directory_did_and_what_failed(tenant: Tenant, boss: Any) -> None:
    directory = make_directory(tenant)
    name = "long-" * 20 + "<b>"
    group = directory.make_group("Analysts", directory.make_user(name)["id"])
    give_role(tenant, group)
    directory.ask("POST", "/Users", {"schemas": [USER], "userName": name})
    directory.ask("GET", "/Users", query={"filter": "title pr"})
    page = boss.get(PAGE).text
    for text in ("directory</a>", "“scim” ends", "user.provision", "group.provision", "VAULT_AUTHZ_2009", "Analyst<"):
        assert text in page
    assert "&lt;b&gt;" in page
    failed = boss.get(PAGE, {"failed": "1"}).text
    assert "VAULT_AUTHZ_2009" in failed
    assert "VAULT_AUTH_1300" in failed
    assert "group.provision" not in failed


def test_somebody_is_handed_over(tenant: Tenant, boss: Any) -> None:
    local = make_user(tenant, username="Ada")
    unknown = boss.post(PAGE, {"username": "nobody"})
    assert (unknown.status_code, "VAULT_AUTHZ_2005" in unknown.text, 'value="nobody"' in unknown.text) == (
        404,
        True,
        True,
    )
    assert boss.post(PAGE, {"username": "Ada"}).status_code == 302
    again = boss.post(PAGE, {"username": "Ada"})
    assert (again.status_code, "VAULT_AUTHZ_2009" in again.text) == (409, True)
    (found,) = make_directory(tenant).find("/Users", 'userName eq "ada"')
    assert found["id"] == str(local.pk)


def test_it_is_for_who_sees_people(tenant: Tenant) -> None:
    assert browser_of(tenant, "analyst").get(PAGE).status_code == 403
    auditor = browser_of(tenant, "auditor")
    assert "Hand over" not in auditor.get(PAGE).text
    make_user(tenant, username="ada")
    assert [auditor.post(PAGE, {"username": name}).status_code for name in ("ada", "nobody")] == [403, 403]


def test_a_disabled_account_is_told(tenant: Tenant, boss: Any, directory: Directory) -> None:
    assert '<span class="v-tag">disabled</span>' not in boss.get(PAGE).text
    boss.post(f"/admin/access-control/service-accounts/{directory.account.pk}/", {"act": "disable"})
    page = boss.get(PAGE).text
    assert '<span class="v-tag">disabled</span>' in page
    assert "No live key" in page
