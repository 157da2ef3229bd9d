"""People, credentials and the requests they make."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils import timezone

from access.auth.sessions import SessionStore
from access.models import ApiKey, LoginThrottle, Role, RoleBinding, Tenant, User
from access.policy.builtin import ROLES
from access.services.api_keys import create_api_key
from access.services.owners import owner_of
from access.services.sessions import login
from access.services.tenants import operator
from access.services.users import create_user
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

PASSWORD = "a long enough secret 7"
LONG_AGO = timedelta(days=400)


def principal_with(tenant: Tenant, *roles: str, **changed: Any) -> Principal:
    """Somebody who holds built-in roles, without rows of its own."""
    facts = {
        "id": uuid4(),
        "kind": "user",
        "tenant_id": tenant.pk,
        "name": "+".join(roles) or "nobody",
        "roles": frozenset(roles),
        "permissions": frozenset().union(*(ROLES[role].permissions for role in roles)),
        "credential": "session",
        "authenticated_at": timezone.now(),
    }
    return Principal(**(facts | changed))


def rooted(tenant: Tenant, principal: Principal) -> Principal:
    """The same principal with rows of its own, where it has none: for what looks its owner up while it runs."""
    with acting(tenant):
        if owner_of(principal.id) is None:
            user = User.objects.create(id=principal.id, username=f"user-{principal.id.hex}", password="!")
            roles = Role.objects.filter(code__in=principal.roles)
            RoleBinding.objects.bulk_create(RoleBinding(user=user, role=one, granted_by=user.pk) for one in roles)
    return principal


@contextmanager
def acting(tenant: Tenant, principal: Principal | None = None) -> Iterator[Scope]:
    """A scope of the operator, or of the principal given."""
    with tenant_scope(tenant.pk, principal or operator(tenant.pk)) as scope:
        yield scope


def make_user(tenant: Tenant, *roles: str, username: str = "", password: str = PASSWORD, **facts: Any) -> User:
    with acting(tenant):
        return create_user(
            operator(tenant.pk),
            username=username or f"user-{uuid4().hex[:8]}",
            password=password,
            roles=roles or ("viewer",),
            **facts,
        )


def make_api_key(tenant: Tenant, *roles: str, **facts: Any) -> tuple[ApiKey, str]:
    with acting(tenant):
        return create_api_key(operator(tenant.pk), name="a key", roles=roles or ("viewer",), **facts)


def make_request(*, cookie: str = "", ip: str = "192.0.2.1", **headers: str) -> HttpRequest:
    """A request as middleware leaves it: with a session, nobody resolved yet."""
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=ip)
    request.COOKIES = SimpleCookie()
    request.session = SessionStore(cookie or None)
    return request


def sign_in(tenant: Tenant, user: User, password: str = PASSWORD, **facts: Any) -> str:
    """The value of the session cookie."""
    request = make_request(**facts)
    login(request, tenant_slug=tenant.slug, username=user.username, password=password)
    request.session.save()
    assert settings.SESSION_COOKIE_NAME == "vault_session"
    return request.session.session_key


def age(row: Any, **moments: timedelta) -> None:
    """Move moments of a row into the past, as the owner of the database."""
    now = timezone.now()
    rows = type(row)._base_manager.using("owner").filter(pk=row.pk)
    assert rows.update(**{name: now - by for name, by in moments.items()}) == 1


def hold_locks() -> None:
    """Make the locks that are on outlast a slow test."""
    later = timezone.now() + timedelta(hours=1)
    LoginThrottle.objects.using("owner").filter(locked_until__isnull=False).update(locked_until=later)
