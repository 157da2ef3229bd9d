"""Passwords: slow to guess, silent about who exists, counted whatever becomes of the request."""

from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from access.auth.passwords import is_text
from access.errors import LoginRefused, TooManyAttempts
from access.federation.errors import NoAccount
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.passwords import admitted, ask, find_judges
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
        counted and recorded: under the tenant, or the platform's when there is none of that slug. People who belong to
        a directory of the tenant are judged by it (``access.federation.passwords``), outside of every scope of this
        method; whom it vouches for says so in ``vouched_by``. Raises DirectoryUnavailable, for any refusal alike, when
        a directory did not answer.
        """
        if not tenant_slug or not username or password is None:
            return None
        facts = facts_of(request) if request is not None else RequestFacts()
        tenant = find_tenant(tenant_slug)
        tenant_id = tenant.pk if tenant else PLATFORM_TENANT_ID
        scope = partial(tenant_scope, tenant_id, Principal.nobody(tenant_id), facts)
        brakes = login_brakes(tenant_slug, username, facts.ip_address)
        refusal: VaultError | None = None
        with scope():
            owner = _owner(tenant, username)
            try:
                count_attempt(brakes)
            except TooManyAttempts as locked:
                _record_refusal(owner, locked)
                refusal = locked
            else:
                judges = find_judges(owner, username) if tenant else []
                is_asked = any(judge.is_asked for judge in judges)
                if _verify(None if is_asked else owner, password):
                    forgive(brakes)
                    return owner
        if refusal is not None:
            raise refusal
        verdict = ask(judges, username, password)
        with suppress(NoAccount), scope():
            user = admitted(verdict)
            if user is not None:
                forgive(brakes)
                return user
        refusal = LoginRefused() if verdict.is_complete else DirectoryUnavailable()
        with scope():
            _record_refusal(owner, refusal)
        if verdict.is_complete:
            return None
        raise refusal

    def get_user(self, user_id: UUID) -> User | None:
        """The active user of the open scope's tenant; outside a scope nobody is known."""
        if find_scope() is None:
            return None
        return User.objects.filter(pk=user_id, is_active=True).first()


def _owner(tenant: Tenant | None, username: str) -> User | None:
    """The user of that name, disabled or not: the name is theirs."""
    if tenant is None or not username.isprintable():
        return None
    return User.objects.filter(username=username).first()


def _verify(owner: User | None, password: str) -> bool:
    if owner is None or not owner.is_active or not is_text(password):
        make_password("the same work as for a user who exists")
        return False
    return owner.check_password(password) and bool(owner.live_roles())


def _record_refusal(owner: User | None, refusal: VaultError) -> None:
    resource = ResourceRef("user", str(owner.pk) if owner and owner.is_active else "")
    emit(Event(type=EventType.LOGIN_FAILED, operation="read", resource=resource).ended_by(refusal), primary=True)
