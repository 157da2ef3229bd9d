"""Reading of access: who somebody is, and what they may do. Every function works inside the open tenant scope."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.db.models import F, Value
from django.db.models.functions import Coalesce, Concat, NullIf
from django.utils import timezone

from access.models import ApiKey, Purpose, RoleBinding, Tenant, User
from access.models.tenant import SLUG
from access.policy import builtin
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID, Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, unscoped

#: Who acted and is no longer known here.
UNKNOWN: Final = "unknown"


def find_tenant(slug: str) -> Tenant | None:
    """The active tenant of that slug, whoever asks; needs no open scope."""
    if not SLUG.fullmatch(slug):
        return None
    with unscoped("a login names its tenant by slug", tenant_slug=slug):
        return Tenant.objects.filter(slug=slug, is_active=True).first()


def is_open(tenant_id: UUID) -> bool:
    """Whether the scope's tenant exists and is active."""
    return Tenant.objects.filter(pk=tenant_id, is_active=True).exists()


def current_tenant() -> Tenant:
    """The scope's own tenant."""
    return Tenant.objects.get(pk=current_tenant_id())


def is_known_purpose(code: str) -> bool:
    return Purpose.objects.filter(code=code, is_active=True).exists()


def known_purposes() -> list[str]:
    """Codes of the purposes a reader may state, sorted."""
    return list(Purpose.objects.filter(is_active=True).order_by("code").values_list("code", flat=True))


def user_principal(user: User, *, purpose: str | None = None) -> Principal:
    """The user as the decision point sees it now. ``purpose`` is the one picked for the session."""
    return Principal(
        id=user.pk,
        kind="user",
        tenant_id=current_tenant_id(),
        name=user.username,
        roles=frozenset(user.live_roles()),
        permissions=user.permissions,
        credential="session",
        purpose=purpose,
    )


def api_key_principal(key: ApiKey) -> Principal:
    """The holder of an API key as the decision point sees it now."""
    held = RoleBinding.objects.live().filter(api_key_id=key.pk).values_list("role__code", "role__permissions")
    roles = {code: frozenset(permissions) for code, permissions in held}
    return Principal(
        id=key.pk,
        kind="service",
        tenant_id=current_tenant_id(),
        name=key.name,
        roles=frozenset(roles),
        permissions=frozenset().union(*roles.values()),
        credential=f"api_key:{key.pk}",
        purpose=key.default_purpose or None,
        scopes=frozenset(key.scopes),
    )


def hands_of(principal_id: UUID) -> frozenset[UUID]:
    """The principal, and for an API key whoever made it, in the open scope: what takes two people is not done by a
    person and an API key of the same person.
    """
    makers = ApiKey.objects.filter(pk=principal_id).values_list("created_by", flat=True)
    return frozenset({principal_id, *makers}) - {SYSTEM_PRINCIPAL_ID}


def people_named(principal: Principal, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """What to call each of ``ids`` on a page that ``principal`` reads: one query for all of them.

    "you", a user's full name or else the user name, the name of an API key, "the vault", else "unknown". Everybody in a
    tenant may know who acted on what they see; the list of its people takes ``user.read``. None is left out.
    """
    wanted = {each for each in ids if each is not None}
    names = dict.fromkeys(wanted, UNKNOWN)
    searched = wanted - {principal.id, SYSTEM_PRINCIPAL_ID}
    if searched:
        users = User.objects.filter(pk__in=searched).values_list(
            "pk", Coalesce(NullIf(F("full_name"), Value("")), F("username"))
        )
        keys = ApiKey.objects.filter(pk__in=searched).values_list("pk", Concat(F("name"), Value(" (API key)")))
        names |= dict(users.union(keys, all=True))
    return names | {SYSTEM_PRINCIPAL_ID: "the vault", principal.id: "you"}


def still_holds(principal: Principal) -> bool:
    """Whether what the principal was decided on holds now: tenant, credential, and every permission it had.

    For what goes on after its decision: long downloads, jobs.
    """
    if principal.kind == "system" or not is_open(principal.tenant_id):
        return principal.kind == "system"
    held: frozenset[str] = frozenset()
    if principal.credential == "session":
        user = User.objects.filter(pk=principal.id, is_active=True).first()
        held = user.permissions if user else held
    else:
        key = ApiKey.objects.filter(pk=principal.id, revoked_at=None, expires_at__gt=timezone.now()).first()
        held = api_key_principal(key).permissions if key else held
    return principal.permissions <= held


def may(principal: Principal, action: str) -> bool:
    """Whether ``authorize`` would let the principal do ``action`` as far as roles and scopes go.

    Pure: asks no database and records nothing. For lists and menus; what is done is decided by ``authorize``.
    """
    return builtin.permits(principal.permissions, action, principal.scopes)
