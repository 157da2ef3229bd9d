"""Identity providers of a tenant: set up, changed, switched on and off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from access.errors import NameTaken
from access.federation.errors import KindNotInstalled, ProviderNotFound
from access.federation.kinds import KINDS, federation
from access.federation.logout import end_federated_sessions
from access.federation.mapping import DESCRIBED
from access.federation.ports import Connection
from access.models import IdentityProvider, Role
from access.models.identity_provider import LONGEST_NAME
from access.models.tenant import SLUG
from access.selectors import current_tenant, find_tenant
from access.services.authorize import authorize
from access.services.grants import refuse_wider
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Providers that one tenant may have.
MOST: Final = 50
_KIND: Final = "access.identity_provider"
_LONGEST_VALUE: Final = 300
_MOST_VALUES: Final = 50


@dataclass(frozen=True)
class Choice:
    """A way to sign in as the login page offers it: what it is called, and the path that begins it."""

    name: str
    path: str


def list_providers(principal: Principal) -> list[IdentityProvider]:
    """Every provider, by name. Raises AccessDenied."""
    authorize(principal, "identity_provider.read", ResourceRef("identity_provider"))
    return list(IdentityProvider.objects.order_by("name", "slug")[:MOST])


def get_provider(principal: Principal, *, provider_id: UUID) -> IdentityProvider:
    """Raises AccessDenied, ProviderNotFound."""
    authorize(principal, "identity_provider.read", resource_of(provider_id))
    return find_provider(provider_id)


def create_provider(
    principal: Principal, *, kind: str, slug: str, name: str, settings: Mapping[str, Any]
) -> IdentityProvider:
    """A provider that nobody can sign in at yet. ``settings`` are those of the kind, its ``secret`` among them.

    Raises AccessDenied, StepUpRequired, InvalidInput, NameTaken, KindNotInstalled.
    """
    provider_id = uuid7()
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts={"act": "create"})
    _refuse_misfits(name, slug=slug, kind=kind)
    chosen = federation(kind)
    provider = IdentityProvider(
        id=provider_id,
        kind=kind,
        slug=slug,
        name=name,
        attributes=dict(chosen.attributes),
        mfa_values=list(chosen.mfa_values),
        created_by=principal.id,
    )
    _put_settings(provider, settings)
    try:
        with transaction.atomic():
            provider.save(force_insert=True)
    except IntegrityError:
        raise NameTaken("There is an identity provider with this short name") from None
    return provider


def change_settings(
    principal: Principal, *, provider_id: UUID, name: str, settings: Mapping[str, Any]
) -> IdentityProvider:
    """What it is called and how it is reached. A ``secret`` left empty stays as it is.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, InvalidInput, GrantTooWide: who says where a provider is can
    be anybody it vouches for.
    """
    provider = _changeable(principal, provider_id, {"act": "settings"})
    _refuse_misfits(name)
    provider.name = name
    _put_settings(provider, settings)
    provider.save()
    return provider


def change_arrivals(
    principal: Principal,
    *,
    provider_id: UUID,
    creates_users: bool,
    attributes: Mapping[str, str],
    mfa_values: Sequence[str],
) -> IdentityProvider:
    """Whom it may bring, what it is believed to say of them, and its words for a second factor.

    Raises as change_settings.
    """
    facts = {"act": "arrivals", "creates_users": creates_users}
    provider = _changeable(principal, provider_id, facts)
    named = {field: str(attributes.get(field, "")).strip() for field in DESCRIBED}
    values = [value.strip() for value in mfa_values if value.strip()]
    if any(len(text) > _LONGEST_VALUE for text in (*named.values(), *values)) or len(values) > _MOST_VALUES:
        raise InvalidInput(errors=[FieldProblem("attributes", f"At most {_LONGEST_VALUE} characters each")])
    provider.creates_users, provider.attributes = creates_users, {name: text for name, text in named.items() if text}
    provider.mfa_values = list(dict.fromkeys(values))
    _touch(provider, "creates_users", "attributes", "mfa_values")
    return provider


def switch_provider(principal: Principal, *, provider_id: UUID, is_active: bool) -> IdentityProvider:
    """Open the way through a provider, or close it and end every session that began there.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, GrantTooWide (to open).
    """
    facts = {"act": "switch", "is_active": is_active}
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts=facts)
    provider = find_provider(provider_id)
    if is_active:
        refuse_wider(principal, worth_of_provider(provider))
    provider.is_active = is_active
    _touch(provider, "is_active")
    if not is_active:
        end_federated_sessions(provider)
    return provider


def worth_of_provider(provider: IdentityProvider) -> frozenset[str]:
    """What people whom the provider vouches for may do, all together."""
    linked = Q(bindings__user__identities__provider=provider) | Q(
        bindings__group__memberships__user__identities__provider=provider
    )
    mapped = Q(mappings__provider=provider) | Q(bindings__group__mappings__provider=provider)
    held = Role.objects.filter(linked | mapped).order_by().distinct().values_list("permissions", flat=True)
    return frozenset().union(*held)


def find_provider(provider_id: UUID) -> IdentityProvider:
    """Inside a scope. Raises ProviderNotFound."""
    provider = IdentityProvider.objects.filter(pk=provider_id).first()
    if provider is None:
        raise ProviderNotFound
    return provider


def named_provider(organization: str, slug: str, *, kind: str) -> IdentityProvider:
    """The provider that a path names, switched on or not; needs no open scope.

    Raises ProviderNotFound, alike for an organization that there is not.
    """
    tenant = find_tenant(organization)
    if tenant is None:
        raise ProviderNotFound
    with tenant_scope(tenant.pk, Principal.nobody(tenant.pk)):
        provider = IdentityProvider.objects.filter(slug=slug, kind=kind).first()
    if provider is None:
        raise ProviderNotFound
    return provider


def sign_in_choices(organization: str) -> list[Choice]:
    """What the login page offers to people of an organization, by name; needs no open scope.

    None for an organization that there is not, as for one that has no providers.
    """
    tenant = find_tenant(organization)
    if tenant is None:
        return []
    with tenant_scope(tenant.pk, Principal.nobody(tenant.pk)):
        active = IdentityProvider.objects.filter(is_active=True).order_by("name", "slug")[:MOST]
        named = [(one.name, sign_in_path(one)) for one in active]
    return [Choice(name, path) for name, path in named if path is not None]


def sign_in_path(provider: IdentityProvider) -> str | None:
    """Where a browser begins to sign in; None for a kind that has no such place, or is not installed. In a scope."""
    try:
        return federation(provider.kind).sign_in_path(connection_of(provider, secret=False))
    except KindNotInstalled:
        return None


def connection_of(provider: IdentityProvider, *, secret: bool = True) -> Connection:
    """The provider as its kind needs it, with its secret opened unless it is not needed. Inside a scope."""
    sealed = provider.sealed if secret else None
    opened = open_column(_KIND, provider.pk.bytes, sealed).decode() if sealed is not None else ""
    return Connection(
        provider_id=provider.pk,
        tenant_id=provider.organization_id,
        tenant_slug=current_tenant().slug,
        slug=provider.slug,
        settings=dict(provider.settings),
        secret=opened,
        attributes=dict(provider.attributes),
        mfa_values=frozenset(provider.mfa_values),
    )


def resource_of(provider_id: UUID) -> ResourceRef:
    return ResourceRef("identity_provider", str(provider_id))


def _changeable(principal: Principal, provider_id: UUID, facts: Mapping[str, Any]) -> IdentityProvider:
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts=dict(facts))
    provider = find_provider(provider_id)
    refuse_wider(principal, worth_of_provider(provider))
    return provider


def _put_settings(provider: IdentityProvider, settings: Mapping[str, Any]) -> None:
    kind = federation(provider.kind)
    cleaned = kind.clean(settings)
    secret = cleaned.pop("secret", "")
    is_moved = any(cleaned.get(name) != provider.settings.get(name) for name in kind.secret_goes_to)
    if is_moved and provider.sealed is not None and not secret:
        raise InvalidInput(errors=[FieldProblem("secret", "Enter it again: it would be sent elsewhere than before")])
    provider.settings = cleaned
    if secret:
        provider.sealed = seal_column(_KIND, provider.pk.bytes, secret.encode())


def _touch(provider: IdentityProvider, *fields: str) -> None:
    provider.updated_at = Now()
    provider.save(update_fields=[*fields, "updated_at"])
    provider.refresh_from_db(fields=["updated_at"])


def _refuse_misfits(name: str, *, slug: str = "a", kind: str = "oidc") -> None:
    problems = []
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        problems.append(FieldProblem("name", f"1 to {LONGEST_NAME} printable characters"))
    if not SLUG.fullmatch(slug):
        problems.append(FieldProblem("slug", "1 to 63 lower-case letters, digits and inner hyphens"))
    if kind not in KINDS:
        problems.append(FieldProblem("kind", "There is no such kind"))
    if problems:
        raise InvalidInput(errors=problems)
