"""Looking again at people whom a directory let in: who is gone or disabled there loses what they act by here."""

from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from access.federation.errors import KindNotInstalled
from access.federation.kinds import federation
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ports import Connection, PasswordFederation
from access.federation.providers import connection_of
from access.models import ApiKey, ExternalIdentity, IdentityProvider, Tenant, TokenFamily, VaultSession
from access.models.identity_provider import ProviderKind
from access.services.ending import end_access
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Why, for the event.
GONE: Final = "directory"


def recheck_providers() -> int:
    """Ask every active directory about each of its people who acts by something now; returns how many lost it.

    A directory that does not answer changes nothing: whoever is in stays in until their session ends by itself.
    Open no scope around it.
    """
    tenants = Tenant.objects.using("system").filter(is_active=True).order_by("pk")
    return sum(map(recheck_tenant, tenants.values_list("pk", flat=True)))


def recheck_tenant(tenant_id: UUID) -> int:
    """The same for one tenant."""
    principal = Principal.system(tenant_id)
    with tenant_scope(tenant_id, principal):
        active = IdentityProvider.objects.filter(kind=ProviderKind.LDAP, is_active=True)
        people = [
            (connection, subject, user_id)
            for provider, connection in [(one, connection_of(one)) for one in active]
            for subject, user_id in _acting(provider).values_list("subject", "user_id")
        ]
    gone = {user_id for connection, subject, user_id in people if _is_gone(connection, subject)}
    for user_id in gone:
        with tenant_scope(tenant_id, principal):
            end_access(user_id, reason=GONE)
    return len(gone)


def _acting(provider: IdentityProvider) -> "QuerySet[ExternalIdentity]":
    """The provider's people who have a session, a program or a key that still counts."""
    theirs = {"user_id": OuterRef("user_id")}
    sessions = VaultSession.objects.filter(**theirs, expires_at__gt=Now())
    programs = TokenFamily.objects.filter(**theirs, revoked_at=None, expires_at__gt=Now())
    keys = ApiKey.objects.filter(created_by=OuterRef("user_id"), revoked_at=None, expires_at__gt=Now())
    is_acting = Q(Exists(sessions)) | Q(Exists(programs)) | Q(Exists(keys))
    return ExternalIdentity.objects.filter(is_acting, provider=provider, user__is_active=True).order_by("pk")


def _is_gone(connection: Connection, subject: str) -> bool:
    try:
        kind = federation(ProviderKind.LDAP)
        assert isinstance(kind, PasswordFederation)
        return not kind.is_alive(connection, subject)
    except (DirectoryUnavailable, KindNotInstalled):
        return False
