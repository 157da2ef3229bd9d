"""API keys: shown once, stored as a hash, short-lived, replaced by a successor while both still work."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from access.auth.api_keys import Token
from access.auth.errors import KeyAlreadyRotated, KeyEnded, ServiceAccountNotFound
from access.auth.networks import parse_networks
from access.errors import ApiKeyNotFound, GrantTooWide
from access.models import ApiKey, RoleBinding, ServiceAccount
from access.models.api_key import USUAL_RATE
from access.policy.scopes import KNOWN
from access.selectors import is_known_purpose, live_keys
from access.services.authorize import authorize
from access.services.grants import find_roles, grant_facts, grant_roles, refuse_wider_key
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

LONGEST_DAYS: Final = 90
#: How long a key may go on beside its successor.
LONGEST_OVERLAP: Final = timedelta(days=7)
USUAL_OVERLAP: Final = timedelta(days=1)
HIGHEST_RATE: Final = 100_000
MOST_DATASETS: Final = 1000
_LONGEST_NAME: Final = 100
#: Keys that one list shows.
LISTED: Final = 1000


@dataclass(frozen=True)
class KeyLimits:
    """What narrows a key beside its roles: see ApiKey. Networks are CIDR texts, ``datasets`` ids."""

    scopes: Sequence[str] = ()
    allowed_networks: Sequence[str] = ()
    datasets: Sequence[UUID] = field(default=())
    requests_per_minute: int = USUAL_RATE


def create_api_key(
    principal: Principal,
    *,
    name: str,
    roles: Sequence[str] = (),
    scopes: Sequence[str] = (),
    default_purpose: str = "",
    days: int = LONGEST_DAYS,
    service_account_id: UUID | None = None,
    limits: KeyLimits | None = None,
) -> tuple[ApiKey, str]:
    """A new key with its token: for a service account, or one that holds ``roles`` (codes) of its own.

    ``scopes`` is short for limits that narrow nothing else. The token is returned here and never again. Raises
    AccessDenied, GrantTooWide (the key could do more than the principal), ServiceAccountNotFound, InvalidInput (an
    unknown role, scope, purpose or network, or a number out of its range).
    """
    limits = limits or KeyLimits(scopes=scopes)
    token = Token.generate(current_tenant_id(), uuid7())
    expires_at = timezone.now() + timedelta(days=min(max(days, 0), LONGEST_DAYS))
    facts = grant_facts(roles, scopes=set(limits.scopes) & KNOWN, expires_at=expires_at)
    if service_account_id is not None:
        facts["service_account"] = str(service_account_id)
    authorize(principal, "apikey.manage", ResourceRef("api_key", str(token.key_id)), facts=facts)
    _refuse_misfits(name, limits, default_purpose, days)
    _refuse_holder(roles, service_account_id)
    account = _find_account(service_account_id) if service_account_id else None
    _refuse_wider_limits(principal, limits)
    found = find_roles(roles)
    if account is not None:
        refuse_wider_key(principal, _permissions_of(account), limits.scopes, limits.datasets)
    key = ApiKey.objects.create(
        id=token.key_id,
        name=name,
        secret_hash=token.secret_hash(),
        service_account=account,
        default_purpose=default_purpose,
        expires_at=expires_at,
        created_by=principal.id,
        **_columns(limits),
    )
    grant_roles(principal, found, api_key=key)
    return key, token.reveal()


def rotate_api_key(
    principal: Principal, *, key_id: UUID, overlap: timedelta = USUAL_OVERLAP, days: int = LONGEST_DAYS
) -> tuple[ApiKey, str]:
    """A successor with the same roles and limits, and its token; the key itself ends after ``overlap`` (0 to 7 days).

    Never more than two of a line live: the key's own predecessor ends now. Raises AccessDenied, ApiKeyNotFound,
    KeyEnded, KeyAlreadyRotated, GrantTooWide, InvalidInput.
    """
    key = ApiKey.objects.select_for_update(of=("self",)).select_related("service_account").filter(pk=key_id).first()
    authorize(principal, "apikey.manage", ResourceRef("api_key", str(key_id)), facts=_facts_of(key, act="rotate"))
    if key is None:
        raise ApiKeyNotFound
    _refuse_range("days", days, LONGEST_DAYS)
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise InvalidInput(errors=[FieldProblem("overlap_hours", "0 to 168")])
    if not live_keys().filter(pk=key.pk).exists():
        raise KeyEnded
    if ApiKey.objects.filter(predecessor=key).exists():
        raise KeyAlreadyRotated
    held = list(RoleBinding.objects.live().filter(api_key=key).select_related("role"))
    own = frozenset().union(*(binding.role.permissions for binding in held))
    refuse_wider_key(principal, own | _permissions_of(key.service_account), key.scopes, key.datasets)
    _refuse_wider_limits(principal, KeyLimits(datasets=[UUID(each) for each in key.datasets]))
    return _succeed(principal, key, held, ends_at=timezone.now() + overlap, days=days)


def revoke_api_key(principal: Principal, *, key_id: UUID) -> None:
    """The key stops working with the next request; revoking again changes nothing.

    Raises AccessDenied, ApiKeyNotFound.
    """
    key = ApiKey.objects.filter(pk=key_id).first()
    authorize(principal, "apikey.manage", ResourceRef("api_key", str(key_id)), facts=_facts_of(key))
    if key is None:
        raise ApiKeyNotFound
    ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=timezone.now())


def list_api_keys(principal: Principal) -> list[ApiKey]:
    """The newest LISTED keys of the tenant, live or not. Raises AccessDenied."""
    authorize(principal, "apikey.read", ResourceRef("api_key"))
    return list(ApiKey.objects.select_related("service_account").prefetch_related("bindings__role")[:LISTED])


def get_api_key(principal: Principal, *, key_id: UUID) -> ApiKey:
    """Raises AccessDenied, ApiKeyNotFound."""
    authorize(principal, "apikey.read", ResourceRef("api_key", str(key_id)))
    key = ApiKey.objects.select_related("service_account").filter(pk=key_id).first()
    if key is None:
        raise ApiKeyNotFound
    return key


def _succeed(
    principal: Principal, key: ApiKey, held: list[RoleBinding], *, ends_at: Any, days: int
) -> tuple[ApiKey, str]:
    token = Token.generate(current_tenant_id(), uuid7())
    same = ("name", "scopes", "service_account", "allowed_networks", "datasets", "requests_per_minute")
    successor = ApiKey.objects.create(
        id=token.key_id,
        secret_hash=token.secret_hash(),
        default_purpose=key.default_purpose,
        expires_at=timezone.now() + timedelta(days=days),
        created_by=principal.id,
        predecessor=key,
        **{name: getattr(key, name) for name in same},
    )
    RoleBinding.objects.bulk_create(
        RoleBinding(api_key=successor, role=each.role, expires_at=each.expires_at, granted_by=principal.id)
        for each in held
    )
    if key.predecessor_id:
        live_keys().filter(pk=key.predecessor_id).update(revoked_at=timezone.now())
    ApiKey.objects.filter(pk=key.pk, expires_at__gt=ends_at).update(expires_at=ends_at)
    return successor, token.reveal()


def _columns(limits: KeyLimits) -> dict[str, Any]:
    return {
        "scopes": sorted(set(limits.scopes)),
        "allowed_networks": parse_networks(limits.allowed_networks),
        "datasets": sorted(map(str, set(limits.datasets))),
        "requests_per_minute": limits.requests_per_minute,
    }


def _facts_of(key: ApiKey | None, **more: str) -> dict[str, Any]:
    if key is None:
        return dict(more)
    held = RoleBinding.objects.live().filter(api_key_id=key.pk).values_list("role__code", flat=True)
    return grant_facts(list(held), scopes=key.scopes, expires_at=key.expires_at) | more


def _find_account(account_id: UUID) -> ServiceAccount:
    account = ServiceAccount.objects.filter(pk=account_id, is_active=True).first()
    if account is None:
        raise ServiceAccountNotFound
    return account


def _permissions_of(account: ServiceAccount | None) -> frozenset[str]:
    """What a key of the account opens now. Roles given later are weighed when they are given."""
    if account is None:
        return frozenset()
    held = RoleBinding.objects.live().filter(service_account=account).values_list("role__permissions", flat=True)
    return frozenset().union(*held)


def _refuse_wider_limits(principal: Principal, limits: KeyLimits) -> None:
    """A credential for some datasets makes none for others."""
    if principal.datasets and not (limits.datasets and principal.datasets.issuperset(limits.datasets)):
        raise GrantTooWide


def _refuse_holder(roles: Sequence[str], service_account_id: UUID | None) -> None:
    if bool(roles) is (service_account_id is not None):
        raise InvalidInput(errors=[FieldProblem("roles", "At least one role, or a service account that has them")])


def _refuse_misfits(name: str, limits: KeyLimits, default_purpose: str, days: int) -> None:
    problems = []
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        problems.append(FieldProblem("name", f"1 to {_LONGEST_NAME} printable characters"))
    if not set(limits.scopes) <= KNOWN:
        problems.append(FieldProblem("scopes", "There is no such action, and no such set of them"))
    if default_purpose and not is_known_purpose(default_purpose):
        problems.append(FieldProblem("default_purpose", "Not in the registry of this tenant"))
    if parse_networks(limits.allowed_networks) is None:
        problems.append(FieldProblem("allowed_networks", "At most 50 networks in CIDR notation, as 192.0.2.0/24"))
    if len(limits.datasets) > MOST_DATASETS:
        problems.append(FieldProblem("datasets", f"At most {MOST_DATASETS}"))
    if not 1 <= limits.requests_per_minute <= HIGHEST_RATE:
        problems.append(FieldProblem("requests_per_minute", f"1 to {HIGHEST_RATE}"))
    if not 1 <= days <= LONGEST_DAYS:
        problems.append(FieldProblem("days", f"1 to {LONGEST_DAYS}"))
    if problems:
        raise InvalidInput(errors=problems)


def _refuse_range(field_name: str, given: int, highest: int) -> None:
    if not 1 <= given <= highest:
        raise InvalidInput(errors=[FieldProblem(field_name, f"1 to {highest}")])
