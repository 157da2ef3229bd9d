"""Whose a credential is, in the open scope of the tenant it names: judged by the database's clock."""

from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from access.auth.access_tokens import Surface, read_key_id, verify
from access.auth.api_keys import Token
from access.auth.certificates import PresentedCertificate
from access.auth.errors import AddressRefused, CertificateRefused
from access.auth.networks import is_allowed_address
from access.auth.sessions import SEEN_EVERY
from access.auth.token_keys import verifying_key
from access.errors import CredentialExpired, CredentialRevoked, InvalidCredential
from access.factors.errors import SecondFactorRequired
from access.limits.rules import Caller
from access.models import ApiKey, ClientCertificate
from access.policy.scopes import expand, narrow
from access.selectors import (
    api_key_principal,
    family_principal,
    is_open,
    live_certificates,
    live_families,
    service_principal,
)
from access.services.assurance import needs_second_factor
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, durable_effect

_NO_HASH: Final = bytes(32)


def proved_key(token: Token, *, address: str) -> ApiKey:
    """The key whose secret ``token`` has, used from ``address``.

    Raises InvalidCredential; CredentialRevoked, CredentialExpired and AddressRefused only to who knows the secret.
    """
    key = _find_key(token.key_id)
    if not token.matches(bytes(key.secret_hash) if key else _NO_HASH) or key is None:
        raise InvalidCredential
    _require_usable(key, address)
    return key


def token_caller(text: str, *, surface: Surface, address: str) -> Caller:
    """The principal an access token speaks for, with what its credential is worth now.

    Raises InvalidCredential, TenantMismatch, TokenForAnotherSurface, CredentialExpired, CredentialRevoked,
    AddressRefused.
    """
    _, key_id = read_key_id(text)
    tenant_id = current_tenant_id()
    key, now = verifying_key(key_id)
    if not is_open(tenant_id):
        raise InvalidCredential
    claims = verify(text, tenant_id=tenant_id, key=key, surface=surface, now=now)
    caller = _holder(claims.credential, address)
    if caller.principal.id != claims.subject:
        raise InvalidCredential
    scopes = narrow(caller.principal.scopes, expand(claims.scopes))
    return Caller(replace(caller.principal, scopes=scopes), caller.quota)


def certificate_holder(presented: PresentedCertificate) -> Principal:
    """The service account that one of the certificate's names is enrolled for; the most particular counts.

    Raises CertificateRefused.
    """
    rows: dict[tuple[str, str], ClientCertificate] = {
        (row.kind, row.value): row
        for row in live_certificates()
        .annotate(now=Now())
        .filter(value__in=[value for _, value in presented.names], tenant__is_active=True)
    }
    found = next((rows[name] for name in presented.names if name in rows), None)
    if found is None or not presented.holds(_now_of(found)):
        raise CertificateRefused
    if found.last_used_at is None or _now_of(found) - found.last_used_at > SEEN_EVERY:
        with durable_effect():
            ClientCertificate.objects.filter(pk=found.pk).update(last_used_at=Now())
    return service_principal(found.service_account, credential=f"certificate:{found.pk}")


def _holder(credential: str, address: str) -> Caller:
    """The principal behind a credential that was proved when the token was issued, if it counts still."""
    kind, _, text = credential.partition(":")
    try:
        credential_id = UUID(text)
    except ValueError:
        raise InvalidCredential from None
    if kind == "api_key":
        key = _find_key(credential_id)
        if key is None:
            raise InvalidCredential
        _require_usable(key, address)
        return Caller(api_key_principal(key), key.requests_per_minute)
    if kind == "token":
        family = live_families().filter(pk=credential_id).first()
        if family is None or not family.user.live_roles():
            raise CredentialRevoked
        principal = family_principal(family)
        if not principal.mfa and needs_second_factor(principal.roles):
            raise SecondFactorRequired
        return Caller(principal)
    if kind == "certificate":
        row = live_certificates().filter(pk=credential_id).first()
        if row is None:
            raise CredentialRevoked
        return Caller(service_principal(row.service_account, credential=credential))
    raise InvalidCredential


def _find_key(key_id: UUID) -> ApiKey | None:
    """The key, of a tenant that is open, with the database's time as ``now``."""
    keys = ApiKey.objects.select_related("service_account").annotate(now=Now(), is_served=F("tenant__is_active"))
    return keys.filter(pk=key_id, is_served=True).first()


def _require_usable(key: ApiKey, address: str) -> None:
    now = _now_of(key)
    account = key.service_account
    if key.revoked_at is not None or (account is not None and not account.is_active):
        raise CredentialRevoked
    if key.expires_at <= now:
        raise CredentialExpired
    if not is_allowed_address(key.allowed_networks, address):
        raise AddressRefused
    if key.last_used_at is None or now - key.last_used_at > SEEN_EVERY:
        with durable_effect():  # the scope may be a long request's, and other requests of the key must not wait for it
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=Now())


def _now_of(row: ApiKey | ClientCertificate) -> datetime:
    """The time of the database when it read the row, which the query added to it."""
    now: datetime = row.now  # type: ignore[union-attr]
    return now
