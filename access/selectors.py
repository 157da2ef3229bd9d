"""Reading of access: who somebody is, and what they may do. Every function works inside the open tenant scope."""

from uuid import UUID

from django.utils import timezone

from access.models import ApiKey, Purpose, RoleBinding, Tenant, User
from access.models.tenant import SLUG
from access.policy import builtin
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, unscoped


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
