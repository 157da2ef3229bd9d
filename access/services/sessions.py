"""Signing in and out of a browser. The one place where services take a request: the session is part of it."""

from django.contrib import auth
from django.http import HttpRequest

from access.errors import LoginRefused
from access.models import User
from access.selectors import user_principal
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

BACKEND = "access.auth.backends.TenantBackend"


def check_login(request: HttpRequest, *, tenant_slug: str, username: str, password: str) -> User:
    """The user who proves to be one; signs nobody in. Raises LoginRefused or TooManyAttempts, both recorded."""
    user = auth.authenticate(request, tenant_slug=tenant_slug, username=username, password=password)
    if not isinstance(user, User):
        raise LoginRefused
    return user


def start_session(request: HttpRequest, user: User) -> None:
    """Sign ``user`` in: a new session of the user's tenant, whatever the browser had. Open no scope around it."""
    principal = _principal(user)
    request.session.bind_tenant(principal.tenant_id)  # type: ignore[attr-defined]
    with tenant_scope(principal.tenant_id, principal, facts_of(request)):
        auth.login(request, user, backend=BACKEND)
        emit(Event(EventType.LOGIN_SUCCEEDED, "write", ResourceRef("user", str(user.pk))), primary=True)


def end_session(request: HttpRequest) -> None:
    """Sign out: the session is deleted, not only the cookie. Open no scope around it. Harmless when nobody is in."""
    tenant_id = request.session.tenant_id  # type: ignore[attr-defined]
    if tenant_id is None:
        auth.logout(request)
        return
    with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
        user = auth.get_user(request)
    principal = _principal(user) if isinstance(user, User) else Principal.nobody(tenant_id)
    with tenant_scope(tenant_id, principal, facts_of(request)):
        if isinstance(user, User):
            emit(Event(EventType.LOGOUT, "write", ResourceRef("user", str(user.pk))), primary=True)
        request.user = user
        auth.logout(request)


def login(request: HttpRequest, *, tenant_slug: str, username: str, password: str) -> User:
    """check_login, then start_session."""
    user = check_login(request, tenant_slug=tenant_slug, username=username, password=password)
    start_session(request, user)
    return user


def _principal(user: User) -> Principal:
    assert user.tenant_id is not None
    with tenant_scope(user.tenant_id, Principal.nobody(user.tenant_id)):
        return user_principal(user)
