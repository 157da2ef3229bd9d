"""A directory for the tests of LDAP: one server for all of them."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from access.federation.linking import map_group
from access.federation.providers import change_arrivals, create_provider, switch_provider
from access.models import IdentityProvider, Tenant
from access.services.tenants import operator
from tests.access.ldap import slapd as server
from tests.access.ldap.slapd import BASE, BIND_DN, BIND_PASSWORD, SLAPD, Slapd, group, person, tree
from tests.factories.access import acting
from tests.vaultsite.conftest import plain_static

__all__ = ["plain_static"]

ANN_GUID = UUID("6d0f4c5e-2b1d-4f3a-9c58-0e7f51a3b2c4")


@pytest.fixture(scope="session")
def slapd(tmp_path_factory: Any) -> Iterator[Slapd]:
    if SLAPD is None:
        pytest.skip("slapd is not installed")
    folder: Path = tmp_path_factory.mktemp("slapd")
    entries = [
        *(person(uid) for uid in ("bob", "gone", "vera")),
        person("ann", guid=ANN_GUID),
        person("dora", disabled=True),
        group("analysts", "uid=ann,ou=people", "uid=vera,ou=people"),
        group("research", "cn=analysts,ou=groups"),
        group("everybody", "cn=research,ou=groups", "uid=bob,ou=people"),
    ]
    with server.serve(folder, tree(*entries)) as running:
        yield running


@pytest.fixture(autouse=True)
def _reachable(settings: Any) -> None:
    """The directory stands on this machine, which the vault calls only where that is said."""
    settings.VAULT = {**settings.VAULT, "OUTGOING_NETWORKS": ("127.0.0.0/8",)}


@pytest.fixture
def settings_of(slapd: Slapd) -> Callable[..., dict[str, Any]]:
    """Settings of a provider that reads the directory; each argument takes the place of one."""

    def made(**changed: Any) -> dict[str, Any]:
        return {
            "servers": [slapd.tls],
            "ca_certificate": slapd.ca,
            "bind_dn": BIND_DN,
            "user_base": f"ou=people,{BASE}",
            "user_filter": "(uid={username})",
            "disabled_filter": "(userAccountControl:1.2.840.113556.1.4.803:=2)",
            "group_lookup": "member",
            "group_base": f"ou=groups,{BASE}",
            "timeout_seconds": 30,
        } | changed

    return made


@pytest.fixture
def directory(settings_of: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """The directory itself, without a provider in the vault; each argument takes the place of a setting."""
    from access.federation.ldap.directory import Directory
    from access.federation.ldap.rules import read_rules

    def made(password: str = BIND_PASSWORD, **changed: Any) -> Directory:
        return Directory(uuid4(), read_rules(settings_of(**changed)), password, ("uid", "mail", "cn"))

    return made


@pytest.fixture
def provider(settings_of: Callable[..., dict[str, Any]]) -> Callable[..., IdentityProvider]:
    """An active provider of a tenant that brings people; ``analysts`` of the directory are viewers."""

    def made(tenant: Tenant, *, slug: str = "corp", secret: str = BIND_PASSWORD, **changed: Any) -> IdentityProvider:
        with acting(tenant):
            somebody = operator(tenant.pk)
            given = settings_of(**changed) | {"secret": secret}
            row = create_provider(somebody, kind="ldap", slug=slug, name="Corporate", settings=given)
            map_group(somebody, provider_id=row.pk, external_group=f"CN=Analysts, OU=groups,{BASE}", role="viewer")
            change_arrivals(somebody, provider_id=row.pk, creates_users=True, attributes=row.attributes, mfa_values=[])
            return switch_provider(somebody, provider_id=row.pk, is_active=True)

    return made
