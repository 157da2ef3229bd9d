"""Identity providers as an administrator sets them up."""

from collections.abc import Mapping
from typing import Any

from access.federation.linking import map_group
from access.federation.providers import change_arrivals, create_provider, switch_provider
from access.models import IdentityProvider, Tenant
from access.services.tenants import operator
from tests.factories.access import acting


def make_openid(
    tenant: Tenant,
    issuer: str,
    client_id: str = "vault",
    *,
    slug: str = "sso",
    groups: Mapping[str, str] | None = None,
    creates_users: bool = True,
    is_active: bool = True,
    **settings: Any,
) -> IdentityProvider:
    """An OpenID provider whose ``groups`` (external name -> role code) give roles."""
    somebody = operator(tenant.pk)
    known = {"scopes": "openid profile email groups", "algorithm": "RS256", "signs_out": True}
    with acting(tenant):
        provider = create_provider(
            somebody,
            kind="oidc",
            slug=slug,
            name="Example SSO",
            settings=known | {"issuer": issuer, "client_id": client_id} | settings,
        )
        change_arrivals(
            somebody,
            provider_id=provider.pk,
            creates_users=creates_users,
            attributes=provider.attributes,
            mfa_values=provider.mfa_values,
        )
        for external, role in ({"engineers": "ml_engineer"} if groups is None else groups).items():
            map_group(somebody, provider_id=provider.pk, external_group=external, role=role)
        return switch_provider(somebody, provider_id=provider.pk, is_active=is_active)
