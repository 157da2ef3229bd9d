"""A directory cannot let in whom the vault has let go, and is nobody else's."""

from collections.abc import Callable

import pytest

pytest.importorskip("ldap", reason="python-ldap is not installed (extra ldap)")

from access.federation.arrival import arrive
from access.federation.errors import NoAccount, ProviderNotFound
from access.federation.ldap.kind import ISSUER
from access.federation.linking import link_identity
from access.federation.ports import Arrival
from access.federation.providers import find_provider
from access.models import IdentityProvider, Tenant
from access.services.deprovisioning import deactivate_user
from access.services.tenants import operator
from tests.access.ldap.slapd import BASE
from tests.factories.access import acting, make_user

Make = Callable[..., IdentityProvider]
ANALYSTS = f"cn=analysts,ou=groups,{BASE}"


def test_a_disabled_user_has_no_account_whatever_the_directory_says(tenant: Tenant, provider: Make) -> None:
    row, user = provider(tenant), make_user(tenant)
    with acting(tenant):
        somebody = operator(tenant.pk)
        link_identity(somebody, provider_id=row.pk, username=user.username, issuer=ISSUER, subject="s-1")
        deactivate_user(somebody, user_id=user.pk)
    with pytest.raises(NoAccount), acting(tenant):
        arrive(row, Arrival(ISSUER, "s-1", groups=(ANALYSTS,)))


def test_another_tenants_directory_is_not_there(tenant: Tenant, rival: Tenant, provider: Make) -> None:
    theirs = provider(rival)
    with pytest.raises(ProviderNotFound), acting(tenant):
        find_provider(theirs.pk)
