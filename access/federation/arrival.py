"""Somebody arrives whom a provider vouches for: who that is here, what they may do now, and a session of theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from access.federation.errors import NoAccount
from access.federation.mapping import Meaning, meaning_of
from access.federation.ports import Arrival, FederatedLogin
from access.models import ExternalIdentity, IdentityProvider, RoleBinding, User
from access.services.ending import end_access_without_role
from access.services.memberships import set_groups, set_roles
from access.services.sessions import Stage, admit
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: When somebody proved who they are whose provider does not say it: too long ago for any sensitive act.
UNKNOWN_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ATTEMPTS: Final = 3


@dataclass(frozen=True)
class Outcome:
    """What an arrival would come to (:func:`preview`). ``refusal`` is why nobody would be let in."""

    user: User | None
    username: str
    meaning: Meaning
    refusal: VaultError | None = None


def source_of(provider: IdentityProvider) -> str:
    """What memberships and bindings say whose they are that a provider gave."""
    return f"idp:{provider.pk}"


def enter(request: HttpRequest, provider: IdentityProvider, arrival: Arrival, *, logout_hint: str = "") -> Stage:
    """Let in whom the provider vouches for: a session, or the question for a second factor. Open no scope around it.

    Raises NoAccount after recording it. Taking away what the provider no longer gives is not undone by that.
    """
    tenant_id = provider.organization_id
    try:
        with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
            user = arrive(provider, arrival)
            identity = identity_of(provider, arrival)
            if identity is None or not user.live_roles():
                refusal = NoAccount(reason="no_role")
            else:
                refusal = None
                login = FederatedLogin(provider.pk, identity.pk, arrival.session_index, logout_hint)
        if refusal is not None:
            raise refusal
    except VaultError as refused:
        record_refusal(request, provider, refused)
        raise
    proved_at = arrival.authenticated_at or UNKNOWN_TIME
    return admit(request, user, mfa=arrival.mfa, proved_at=proved_at, federated=login)


def arrive(provider: IdentityProvider, arrival: Arrival) -> User:
    """The user whose identity arrived, made now if the provider may bring people; inside a scope.

    Nobody is found by name or e-mail address. Roles and groups that the provider gave before and gives no longer are
    taken away, so somebody who was here before may come back without a role. Raises NoAccount, which undoes all of it.
    """
    known = identity_of(provider, arrival)
    identity = known or _bring(provider, arrival)
    user: User = identity.user
    if not user.is_active:
        raise NoAccount(reason="disabled")
    ExternalIdentity.objects.filter(pk=identity.pk).update(last_arrived_at=Now())
    if identity.linked_by == provider.pk:
        _describe(user, arrival)
    _remap(provider, user, arrival.groups)
    if known is None and not user.live_roles():
        raise NoAccount(reason="no_role")
    return user


def identity_of(provider: IdentityProvider, arrival: Arrival) -> ExternalIdentity | None:
    """The identity that arrived, if it is known; inside a scope."""
    known = ExternalIdentity.objects.select_related("user")
    return known.filter(provider=provider, issuer=arrival.issuer, subject=arrival.subject).first()


def preview(provider: IdentityProvider, arrival: Arrival) -> Outcome:
    """What :func:`arrive` would do; changes nothing. Inside a scope."""
    identity, meaning = identity_of(provider, arrival), meaning_of(provider, arrival.groups)
    if identity is not None:
        refusal = None if identity.user.is_active else NoAccount(reason="disabled")
        return Outcome(identity.user, identity.user.username, meaning, refusal)
    name = free_name(provider, arrival)
    if not provider.creates_users:
        return Outcome(None, name, meaning, NoAccount(reason="unknown"))
    return Outcome(None, name, meaning, None if _gives_roles(meaning) else NoAccount(reason="no_role"))


def record_refusal(
    request: HttpRequest,
    provider: IdentityProvider,
    refusal: VaultError,
    *,
    kind: EventType = EventType.LOGIN_FAILED,
) -> None:
    """Tell the audit of an attempt that came to nothing. Open no scope around it."""
    facts = {"provider": provider.slug, "reason": str(refusal.extra.get("reason", ""))}
    event = Event(kind, "read", ResourceRef("identity_provider", str(provider.pk)), metadata=facts)
    with tenant_scope(provider.organization_id, Principal.nobody(provider.organization_id), facts_of(request)):
        emit(event.ended_by(refusal), primary=True)


def free_name(provider: IdentityProvider, arrival: Arrival) -> str:
    """A user name for somebody new: the provider's word for them if it is free, else one that says whence they came.

    Never the name of somebody who is here: a name is no proof.
    """
    wanted = arrival.username or arrival.email or f"{provider.slug}-{uuid7().hex[-8:]}"
    if not User.objects.filter(username=wanted).exists():
        return wanted
    return f"{wanted[:100]}.{provider.slug[:30]}-{uuid7().hex[-8:]}"


def _bring(provider: IdentityProvider, arrival: Arrival) -> ExternalIdentity:
    """A new user for an identity seen for the first time; of two at once, one makes it. Raises NoAccount."""
    if not provider.creates_users:
        raise NoAccount(reason="unknown")
    for _ in range(_ATTEMPTS):
        try:
            with transaction.atomic():
                return _make(provider, arrival)
        except IntegrityError:
            found = identity_of(provider, arrival)
            if found is not None:
                return found
    raise NoAccount(reason="name")


def _make(provider: IdentityProvider, arrival: Arrival) -> ExternalIdentity:
    user = User(id=uuid7(), username=free_name(provider, arrival), email=arrival.email, full_name=arrival.full_name)
    user.set_unusable_password()
    user.save(force_insert=True)
    identity = ExternalIdentity.objects.create(
        provider=provider, user=user, issuer=arrival.issuer, subject=arrival.subject, linked_by=provider.pk
    )
    facts = {"act": "brought", "provider": provider.slug}
    emit(Event(EventType.IDENTITY_CHANGED, "write", ResourceRef("user", str(user.pk)), metadata=facts))
    return identity


def _gives_roles(meaning: Meaning) -> bool:
    return bool(meaning.roles) or RoleBinding.objects.live().filter(group__in=meaning.groups).exists()


def _describe(user: User, arrival: Arrival) -> None:
    """Name and address of a user whom the provider brought, as it has them now."""
    told = {"full_name": arrival.full_name, "email": arrival.email}
    changed = {name: value for name, value in told.items() if value and value != getattr(user, name)}
    for name, value in changed.items():
        setattr(user, name, value)
    if changed:
        user.save(update_fields=list(changed))


def _remap(provider: IdentityProvider, user: User, groups: Sequence[str]) -> None:
    """Give and take what the groups mean now. What others gave stays as it is."""
    meaning, source = meaning_of(provider, groups), source_of(provider)
    set_roles(user, [role.pk for role in meaning.roles], source=source)
    set_groups(user, [group.pk for group in meaning.groups], source=source)
    end_access_without_role([user.pk])
