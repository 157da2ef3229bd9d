"""Passwords: slow to guess, silent about who exists, counted whatever becomes of the request."""

from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from access.auth.passwords import is_text
from access.errors import LoginRefused, TooManyAttempts
from access.models import Tenant, User
from access.selectors import find_tenant
from access.services.throttle import count_attempt, forgive, login_brakes
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID, Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import find_scope, tenant_scope


class TenantBackend(BaseBackend):
    """Django's authentication backend: a user is known by tenant slug and name."""

    def authenticate(
        self,
        request: HttpRequest | None,
        *,
        tenant_slug: str | None = None,
        username: str | None = None,
        password: str | None = None,
        **_: Any,
    ) -> User | None:
        """The user whose password this is, else None; raises TooManyAttempts while name or address is locked.

        Unknown tenants, unknown and disabled users cost the same work as a wrong password, and every refusal is
        counted and recorded: under the tenant, or the platform's when there is none of that slug.
        """
        if not tenant_slug or not username or password is None:
            return None
        facts = facts_of(request) if request is not None else RequestFacts()
        tenant = find_tenant(tenant_slug)
        tenant_id = tenant.pk if tenant else PLATFORM_TENANT_ID
        brakes = login_brakes(tenant_slug, username, facts.ip_address)
        with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts):
            candidate = _candidate(tenant, username)
            try:
                count_attempt(brakes)
            except TooManyAttempts as locked:
                _record_refusal(candidate, locked)
                refusal = locked
            else:
                if _verify(candidate, password):
                    forgive(brakes)
                    return candidate
                _record_refusal(candidate, LoginRefused())
                return None
        raise refusal

    def get_user(self, user_id: UUID) -> User | None:
        """The active user of the open scope's tenant; outside a scope nobody is known."""
        if find_scope() is None:
            return None
        return User.objects.filter(pk=user_id, is_active=True).first()


def _candidate(tenant: Tenant | None, username: str) -> User | None:
    if tenant is None or not username.isprintable():
        return None
    return User.objects.filter(username=username, is_active=True).first()


def _verify(candidate: User | None, password: str) -> bool:
    if candidate is None or not is_text(password):
        make_password("the same work as for a user who exists")
        return False
    return candidate.check_password(password) and bool(candidate.live_roles())


def _record_refusal(candidate: User | None, refusal: VaultError) -> None:
    resource = ResourceRef("user", str(candidate.pk) if candidate else "")
    emit(Event(type=EventType.LOGIN_FAILED, operation="read", resource=resource).ended_by(refusal), primary=True)
