"""Setting a directory up: the form, the test of the connection, and the dry run."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

pytest.importorskip("ldap", reason="python-ldap is not installed (extra ldap)")

from access.federation.kinds import federation
from access.federation.ldap.backend import DirectoryBackend, user_search
from access.federation.ldap.kind import directory_of
from access.federation.ldap.rules import read_rules
from access.federation.linking import map_group
from access.federation.providers import connection_of
from access.models import GroupMapping, IdentityProvider, Tenant, User
from access.services.tenants import operator
from tests.access.ldap.slapd import BASE, BIND_PASSWORD, PASSWORD, Slapd, free_port, write_certificates
from tests.factories.access import acting, make_user, sign_in
from vaultsite.kernel.errors import InvalidInput

Make = Callable[..., IdentityProvider]


def findings(tenant: Tenant, row: IdentityProvider) -> list[tuple[bool, str]]:
    with acting(tenant):
        connection = connection_of(row)
    return [(one.is_good, one.text.partition(" ")[2]) for one in federation("ldap").test(connection)]


def test_every_step_of_a_good_connection_is_told(tenant: Tenant, provider: Make, slapd: Slapd) -> None:
    row = provider(tenant, servers=[slapd.tls, slapd.plain])
    assert findings(tenant, row) == 2 * [
        (True, "answers over TLS, and its certificate holds."),
        (True, "knows the account that searches, and its password."),
        (True, "finds accounts."),
        (True, "finds groups."),
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"secret": "wrong"}, "refuses the account that searches: Invalid credentials."),
        ({"user_filter": "(&(uid={username})(sn=Other))"}, "finds no accounts with this base and filter."),
        ({"group_base": f"ou=nowhere,{BASE}"}, "cannot be searched for groups: No such object."),
        ({"subject_attribute": "objectGUID", "user_filter": "(uid={username}x)"}, "finds no accounts"),
        ({"servers": ["ldaps://localhost.invalid"]}, "cannot be used: Its host name is not known."),
        ({"servers": ["ldaps://10.0.0.1"]}, "cannot be used: The vault may not call this address."),
    ],
)
def test_what_is_wrong_is_told(tenant: Tenant, provider: Make, changed: dict[str, Any], expected: str) -> None:
    bad = [text for is_good, text in findings(tenant, provider(tenant, **changed)) if not is_good]
    assert bad[0].startswith(expected)


def test_what_is_wrong_with_tls_is_told(tenant: Tenant, provider: Make, slapd: Slapd, tmp_path: Any) -> None:
    (mismatch,) = findings(tenant, provider(tenant, slug="mismatch", servers=[slapd.other_address]))
    assert mismatch[0] is False
    assert "certificate is not valid for '127.0.0.2'" in mismatch[1]
    other = write_certificates(tmp_path)
    (unknown,) = findings(tenant, provider(tenant, slug="unknown", ca_certificate=other))
    assert "certificate" in unknown[1]
    (stripped,) = findings(tenant, provider(tenant, slug="plain", servers=[slapd.plain], ca_certificate=other))
    assert "StartTLS failed" in stripped[1]
    (down,) = findings(tenant, provider(tenant, slug="down", servers=[f"ldaps://127.0.0.1:{free_port()}"]))
    assert down == (False, "cannot be used: Can't contact LDAP server.")


def test_the_dry_run_asks_the_directory_and_changes_nothing(tenant: Tenant, provider: Make) -> None:
    row = provider(tenant)
    kind = federation("ldap")
    with acting(tenant):
        arrival = kind.read_sample(row, " ann ")
        assert (arrival.username, arrival.groups) == ("ann", (f"cn=analysts,ou=groups,{BASE}",))
        for nobody in ("nobody", "*", "dora", ""):
            with pytest.raises(InvalidInput):
                kind.read_sample(row, nobody)
        assert not User.objects.exists()


def test_groups_are_mapped_in_the_spelling_of_arrivals(tenant: Tenant, provider: Make) -> None:
    row = provider(tenant)
    with acting(tenant):
        kept = GroupMapping.objects.get(provider=row).external_group
        assert kept == f"cn=analysts,ou=groups,{BASE}"
        with pytest.raises(InvalidInput):
            map_group(operator(tenant.pk), provider_id=row.pk, external_group="analysts", role="viewer")


def test_active_directory_follows_nesting_by_its_own_rule(settings_of: Callable[..., dict[str, Any]]) -> None:
    """slapd knows no such rule; what is asked of a domain controller is this filter."""
    asked: list[str] = []

    class Connection:
        def search_ext(self, *given: Any, **_: Any) -> int:
            asked.append(given[2])
            return 1

        def result3(self, _: int) -> tuple[Any, ...]:
            return (101, [], 1, [])

    class Account:
        dn = "cn=ann (hr),dc=example,dc=org"
        connection = Connection()

    rules = read_rules(settings_of(group_lookup="in_chain", group_filter="(objectClass=group)"))
    backend = DirectoryBackend(rules, rules.servers[0], "", "", search=user_search(rules, ()))
    backend.settings.GROUP_TYPE.user_groups(Account(), backend.settings.GROUP_SEARCH)
    assert asked == [
        "(&(objectClass=group)(member:1.2.840.113556.1.4.1941:=cn=ann \\28hr\\29,dc=example,dc=org))",
    ]


def test_the_pages_of_a_directory(tenant: Tenant, provider: Make, plain_static: None) -> None:
    row = provider(tenant)
    admin = make_user(tenant, "tenant_admin")
    browser = Client()
    browser.cookies["vault_session"] = sign_in(tenant, admin)
    path = f"/admin/access-control/identity-providers/{row.pk}/"
    shown = browser.get(path)
    assert shown.status_code == 200
    page = shown.content.decode()
    assert "ldaps://127.0.0.1" in page
    assert BIND_PASSWORD not in page
    assert "attribute_groups" not in page  # they are found by settings of their own
    tried = browser.post(path, {"act": "sample", "sample": "ann"})
    assert tried.status_code == 200
    assert "Ann Example" in tried.content.decode()
    tested = browser.post(f"{path}test/", follow=True)
    assert "finds accounts" in tested.content.decode()


def test_the_sign_in_page_takes_people_of_a_directory(tenant: Tenant, provider: Make, plain_static: None) -> None:
    provider(tenant)
    browser = Client()
    given = {"organization": tenant.slug, "username": "ann", "password": PASSWORD}
    assert browser.post("/admin/login/", given).status_code == 302
    assert browser.get("/admin/").status_code == 200


def test_nothing_shows_the_password_of_the_service(tenant: Tenant, provider: Make) -> None:
    row = provider(tenant)
    with acting(tenant):
        connection = connection_of(row)
    assert BIND_PASSWORD not in str(row.settings)
    assert BIND_PASSWORD not in repr((connection, directory_of(connection)))
