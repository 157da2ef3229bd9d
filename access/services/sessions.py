"""Signing in and out of a browser. The one place where services take a request: the session is part of it."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from django.contrib import auth
from django.contrib.auth import HASH_SESSION_KEY
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from access.auth.sessions import AUTHENTICATED_KEY, FEDERATED_KEY, HALF_KEY, MFA_KEY, ORIGIN_KEY, PURPOSE_KEY
from access.errors import LoginRefused
from access.federation.ports import FederatedLogin
from access.models import FederatedSession, User, VaultSession
from access.selectors import user_principal
from access.services.assurance import needs_second_factor, sign_in_rules
from access.services.browsers import signed_in_browsers
from access.services.second_factor import has_factor
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

BACKEND = "access.auth.backends.TenantBackend"
#: How long somebody whose password held may take to show the second factor.
HALF_LIFETIME: Final = timedelta(minutes=10)


class Stage(StrEnum):
    """How far somebody came: signed in, or asked to show a second factor, or to add one first."""

    SIGNED_IN = "signed_in"
    SHOW_FACTOR = "show_factor"
    ADD_FACTOR = "add_factor"


def check_login(request: HttpRequest, *, tenant_slug: str, username: str, password: str) -> User:
    """The user who proves to be one; signs nobody in. Raises LoginRefused or TooManyAttempts, both recorded."""
    user = auth.authenticate(request, tenant_slug=tenant_slug, username=username, password=password)
    if not isinstance(user, User):
        raise LoginRefused
    return user


def login(request: HttpRequest, *, tenant_slug: str, username: str, password: str) -> User:
    """check_login, then admit."""
    user = check_login(request, tenant_slug=tenant_slug, username=username, password=password)
    admit(request, user, federated=user.vouched_by)
    return user


def admit(
    request: HttpRequest,
    user: User,
    *,
    mfa: bool = False,
    proved_at: datetime | None = None,
    federated: FederatedLogin | None = None,
) -> Stage:
    """Sign in who has shown a first factor, or begin to: see :class:`Stage`. Open no scope around it.

    ``mfa`` tells that whoever vouched for the user saw a second factor, ``proved_at`` when, if that was not now, and
    ``federated`` by which identity provider. Until the second factor is shown the browser holds a session that proves
    nobody and lasts HALF_LIFETIME.
    """
    assert user.tenant_id is not None
    with tenant_scope(user.tenant_id, Principal.nobody(user.tenant_id), facts_of(request)):
        stage = factor_stage(user, mfa=mfa)
    if stage is Stage.SIGNED_IN:
        start_session(request, user, mfa=mfa, proved_at=proved_at, federated=federated)
        return stage
    request.session.bind_tenant(user.tenant_id, lifetime=HALF_LIFETIME)  # type: ignore[attr-defined]
    request.session[HALF_KEY] = str(user.pk)
    request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    if federated is not None:
        request.session[FEDERATED_KEY] = federated.as_json()
    with tenant_scope(user.tenant_id, _principal(user), facts_of(request)):
        facts = {"stage": str(stage)}
        emit(Event(EventType.LOGIN_CONTINUED, "read", ResourceRef("user", str(user.pk)), metadata=facts), primary=True)
    return stage


def factor_stage(user: User, *, mfa: bool) -> Stage:
    """What is still asked of a user whose first factor held. Whoever has a second factor is always asked for it."""
    if mfa:
        return Stage.SIGNED_IN
    if has_factor(user.pk):
        return Stage.SHOW_FACTOR
    return Stage.ADD_FACTOR if needs_second_factor(user.live_roles()) else Stage.SIGNED_IN


def half_signed_in(request: HttpRequest) -> User | None:
    """The user whose password held in this browser and whose second factor is asked for; inside a scope."""
    user_id = request.session.get(HALF_KEY)
    if user_id is None:
        return None
    user = User.objects.filter(pk=UUID(user_id), is_active=True).first()
    is_same = user is not None and constant_time_compare(
        request.session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    )
    return user if is_same and user is not None and user.live_roles() else None


def session_principal(request: HttpRequest, user: User) -> Principal:
    """The user of a full session as the decision point sees them now; inside a scope."""
    session = request.session
    proved = session.get(AUTHENTICATED_KEY)
    return user_principal(
        user,
        purpose=session.get(PURPOSE_KEY),
        mfa=session.get(MFA_KEY) is True,
        authenticated_at=datetime.fromisoformat(proved) if proved else None,
        session_id=session.row_id,  # type: ignore[attr-defined]
    )


def start_session(
    request: HttpRequest,
    user: User,
    *,
    mfa: bool = False,
    proved_at: datetime | None = None,
    federated: FederatedLogin | None = None,
) -> None:
    """Sign ``user`` in: a new session of the user's tenant, whatever the browser had. Open no scope around it.

    ``proved_at`` is when the user proved who they are, if that was not now; ``federated`` as for :func:`admit`, the one
    that this browser's half of a sign-in began with if it is not given.
    With more sessions than the tenant allows, those that were not used for longest end.
    """
    principal = _principal(user)
    federated = federated or _begun_by(request, user)
    request.session.bind_tenant(principal.tenant_id)  # type: ignore[attr-defined]
    with tenant_scope(principal.tenant_id, principal, facts_of(request)):
        auth.login(request, user, backend=BACKEND)
        facts = facts_of(request)
        request.session[ORIGIN_KEY] = {"address": facts.ip_address, "browser": facts.user_agent}
        request.session[AUTHENTICATED_KEY] = (proved_at or timezone.now()).isoformat()
        request.session[MFA_KEY] = mfa
        if federated is not None:
            request.session[FEDERATED_KEY] = federated.as_json()
        request.session.save()
        row_id: UUID = request.session.row_id  # type: ignore[attr-defined]
        if federated is not None:
            known = {"identity_id": federated.identity_id, "session_index": federated.session_index}
            FederatedSession.objects.create(session_id=row_id, **known)
        _end_surplus(user, row_id)
        told = {"mfa": mfa} | ({"provider": str(federated.provider_id)} if federated else {})
        emit(Event(EventType.LOGIN_SUCCEEDED, "write", ResourceRef("user", str(user.pk)), metadata=told), primary=True)


def federated_login(request: HttpRequest) -> FederatedLogin | None:
    """What the browser's session keeps of the identity provider that it began with."""
    kept = request.session.get(FEDERATED_KEY)
    return FederatedLogin.from_json(kept) if kept else None


def _begun_by(request: HttpRequest, user: User) -> FederatedLogin | None:
    """The provider with which this browser's half of a sign-in of that user began."""
    return federated_login(request) if request.session.get(HALF_KEY) == str(user.pk) else None


def renew_proof(request: HttpRequest, *, mfa: bool, proved_at: datetime | None = None) -> None:
    """The user of a session has proved anew who they are: the session gets another key and keeps its end."""
    tenant_id: UUID = request.session.tenant_id  # type: ignore[attr-defined]
    with tenant_scope(tenant_id, Principal.nobody(tenant_id)):
        request.session[AUTHENTICATED_KEY] = (proved_at or timezone.now()).isoformat()
        request.session[MFA_KEY] = mfa or bool(request.session.get(MFA_KEY))
        request.session.cycle_key()


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


def _end_surplus(user: User, present: UUID | None) -> None:
    """End what is more than the tenant's rules allow, least recently used first; the present one stays."""
    User.objects.select_for_update().get(pk=user.pk)  # two sign-ins at once see each other
    others = [one for one in signed_in_browsers(user_id=user.pk) if one.id != present]
    surplus = [one.id for one in others[sign_in_rules().max_sessions - 1 :]]
    if surplus:
        VaultSession.objects.filter(pk__in=surplus).delete()
        told = {"act": "limit", "count": len(surplus)}
        emit(Event(EventType.SESSION_ENDED, "delete", ResourceRef("user", str(user.pk)), metadata=told))


def _principal(user: User) -> Principal:
    assert user.tenant_id is not None
    with tenant_scope(user.tenant_id, Principal.nobody(user.tenant_id)):
        return user_principal(user)
