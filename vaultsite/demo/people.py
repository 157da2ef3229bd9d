"""The demo's tenants and users: made when missing, taken as they are otherwise."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.utils import timezone

from access.errors import TenantNotFound
from access.models import Role, SignInPolicy, Tenant, User
from access.policy.builtin import ROLES
from access.selectors import user_principal
from access.services.tenants import create_tenant, operator, tenant_by_slug
from access.services.users import create_user, set_password
from vaultsite.demo.credentials import Login
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def ensure_tenant(slug: str, name: str) -> Tenant:
    """The tenant of that slug, made when it is missing. One whose making was cut short is made again.

    Nobody in it needs a second factor: whoever tries the vault out signs in with what stands in the file of logins.
    """
    try:
        tenant = tenant_by_slug(slug)
    except TenantNotFound:
        return create_tenant(slug=slug, name=name, mfa_roles=())
    with tenant_scope(tenant.pk, operator(tenant.pk)):
        is_whole = Role.objects.exists()
        if is_whole and not SignInPolicy.objects.exists():  # made by an earlier release
            SignInPolicy.objects.create()
    if is_whole:
        return tenant
    tenant.delete(using="owner")
    return create_tenant(slug=slug, name=name, mfa_roles=())


def ensure_users(tenant: Tenant, logins: Sequence[Login], *, new: Sequence[Login]) -> int:
    """Make the users of ``logins`` that are missing; returns how many.

    Those of ``new`` that exist already get the new password: the old one is written nowhere any more.
    """
    with tenant_scope(tenant.pk, operator(tenant.pk)):
        existing = dict(User.objects.values_list("username", "pk"))
    missing = [login for login in logins if login.username not in existing]
    for login in missing:
        with tenant_scope(tenant.pk, operator(tenant.pk)):
            create_user(
                operator(tenant.pk),
                username=login.username,
                password=login.password,
                roles=[login.role],
                full_name=ROLES[login.role].name,
            )
    for login in new:
        if login.username in existing:
            with tenant_scope(tenant.pk, operator(tenant.pk)):
                set_password(
                    operator(tenant.pk),
                    user_id=existing[login.username],
                    password=login.password,
                    must_change_password=False,
                )
    return len(missing)


def principal_named(tenant: Tenant, username: str, *, purpose: str | None = None) -> Principal:
    """A user of the tenant as the decision point sees it."""
    with tenant_scope(tenant.pk, operator(tenant.pk)):
        return user_principal(User.objects.get(username=username), purpose=purpose)


@contextmanager
def acting_as(tenant: Tenant, username: str, *, purpose: str | None = None) -> Iterator[Principal]:
    """A scope of that user, as if signed in just now with a second factor."""
    with tenant_scope(tenant.pk, operator(tenant.pk)):
        user = User.objects.get(username=username)
        principal = user_principal(user, purpose=purpose, mfa=True, authenticated_at=timezone.now())
    with tenant_scope(tenant.pk, principal):
        yield principal
