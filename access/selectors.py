"""Reading of access: who somebody is, and what they may do. Every function works inside the open tenant scope."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat, Now, NullIf

from access.models import (
    ApiKey,
    ClientCertificate,
    Group,
    Purpose,
    RoleBinding,
    ServiceAccount,
    Tenant,
    TokenFamily,
    User,
    VaultSession,
)
from access.models.role_binding import roles_by_code
from access.models.tenant import SLUG
from access.policy import builtin
from access.policy.scopes import expand
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID, Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id, unscoped

#: What policies may ask of a person, by the name of its column.
ATTRIBUTES: Final = ("department", "clearance")
#: A session nobody used for so long is over.
IDLE: Final = timedelta(minutes=30)
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


def user_principal(
    user: User,
    *,
    purpose: str | None = None,
    mfa: bool = False,
    authenticated_at: datetime | None = None,
    session_id: UUID | None = None,
) -> Principal:
    """The user as the decision point sees it now. ``purpose`` is the one picked for the session.

    ``mfa`` and ``authenticated_at`` say how and when the session was proved; without them nothing sensitive is allowed.
    """
    return Principal(
        id=user.pk,
        kind="user",
        tenant_id=current_tenant_id(),
        name=user.username,
        roles=frozenset(user.live_roles()),
        permissions=user.permissions,
        credential="session",
        purpose=purpose,
        groups=user.group_ids(),
        attributes={name: value for name in ATTRIBUTES if (value := getattr(user, name))},
        mfa=mfa,
        authenticated_at=authenticated_at,
        session_id=session_id,
    )


def api_key_principal(key: ApiKey) -> Principal:
    """The holder of an API key as the decision point sees it now: its service account, else the key itself."""
    if key.service_account is not None:
        holder = service_principal(key.service_account, credential=f"api_key:{key.pk}")
    else:
        roles = _roles_of(api_key_id=key.pk)
        holder = Principal(
            id=key.pk,
            kind="service",
            tenant_id=current_tenant_id(),
            name=key.name,
            roles=frozenset(roles),
            permissions=frozenset().union(*roles.values()),
            credential=f"api_key:{key.pk}",
        )
    return replace(
        holder,
        purpose=key.default_purpose or None,
        scopes=expand(key.scopes),
        datasets=frozenset(map(UUID, key.datasets)),
    )


def service_principal(account: ServiceAccount, *, credential: str) -> Principal:
    """A service account as the decision point sees it now; one that is disabled may do nothing."""
    roles = _roles_of(service_account_id=account.pk) if account.is_active else {}
    return Principal(
        id=account.pk,
        kind="service",
        tenant_id=current_tenant_id(),
        name=account.name,
        roles=frozenset(roles),
        permissions=frozenset().union(*roles.values()),
        credential=credential,
        attributes={str(name): str(value) for name, value in account.attributes.items()},
    )


def family_principal(family: TokenFamily) -> Principal:
    """The person behind access tokens as the decision point sees them now."""
    return replace(
        user_principal(family.user),
        credential=f"token:{family.pk}",
        scopes=expand(family.scopes),
        mfa=family.mfa,
        authenticated_at=family.authenticated_at,
    )


def live_sessions() -> "QuerySet[VaultSession]":
    """Sessions that count now, by the database's clock: not expired, not idle, of an active user who holds a role."""
    return VaultSession.objects.filter(
        Q(user__isnull=True) | (Q(user__is_active=True) & _holds_a_role("user_id")),
        tenant__is_active=True,
        expires_at__gt=Now(),
        last_seen_at__gt=Now() - IDLE,
    )


def live_keys() -> "QuerySet[ApiKey]":
    """API keys that count now, by the database's clock, of accounts that are not disabled."""
    enabled = Q(service_account=None) | Q(service_account__is_active=True)
    return ApiKey.objects.select_related("service_account").filter(enabled, revoked_at=None, expires_at__gt=Now())


def live_families() -> "QuerySet[TokenFamily]":
    """Families of refresh tokens that count now, of active people."""
    live = TokenFamily.objects.filter(revoked_at=None, expires_at__gt=Now(), user__is_active=True)
    return live.select_related("user")


def live_certificates() -> "QuerySet[ClientCertificate]":
    """Enrolled certificates of accounts that are not disabled."""
    enrolled = ClientCertificate.objects.filter(revoked_at=None, service_account__is_active=True)
    return enrolled.select_related("service_account")


def roles_of(user: User) -> frozenset[str]:
    """Codes of the roles a person holds now, by themselves or by a group, and of those these inherit."""
    return frozenset(user.live_roles())


def people_without_role(user_ids: Iterable[UUID]) -> list[UUID]:
    """Those of the people who hold no role now, neither by themselves nor by a group."""
    rows = User.objects.filter(pk__in=set(user_ids)).exclude(_holds_a_role("pk"))
    return list(rows.values_list("pk", flat=True))


def _holds_a_role(user: str) -> Q:
    """Of rows whose column ``user`` names a person: whether that one holds a role now."""
    live = RoleBinding.objects.live()
    by_group = live.filter(group__memberships__user_id=OuterRef(user))
    return Q(Exists(live.filter(user_id=OuterRef(user)))) | Q(Exists(by_group))


def _roles_of(**holder: UUID) -> dict[str, frozenset[str]]:
    """Code and permissions of each role that a holder has now, and the codes of those it inherits."""
    return roles_by_code(RoleBinding.objects.live().filter(**holder))


def hands_of(principal_id: UUID) -> frozenset[UUID]:
    """The principal, and for a program whoever made it or a key of it, in the open scope: what takes two people is not
    done by a person and a program of the same person.
    """
    makers = ApiKey.objects.filter(Q(pk=principal_id) | Q(service_account_id=principal_id)).values_list("created_by")
    accounts = ServiceAccount.objects.filter(pk=principal_id).values_list("created_by")
    return frozenset({principal_id, *(maker for (maker,) in makers.union(accounts))}) - {SYSTEM_PRINCIPAL_ID}


def people_named(principal: Principal, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """What to call each of ``ids`` on a page that ``principal`` reads: one query for all of them.

    "you", a user's full name or else the user name, the name of a service account, an API key or a group, "the vault",
    else "unknown". Everybody in a tenant may know who acted on what they see; the list of its people takes
    ``user.read``. None is left out.
    """
    wanted = {each for each in ids if each is not None}
    names = dict.fromkeys(wanted, UNKNOWN)
    searched = wanted - {principal.id, SYSTEM_PRINCIPAL_ID}
    if searched:
        users = User.objects.filter(pk__in=searched).values_list(
            "pk", Coalesce(NullIf(F("full_name"), Value("")), F("username"))
        )
        keys = ApiKey.objects.filter(pk__in=searched).values_list("pk", Concat(F("name"), Value(" (API key)")))
        accounts = ServiceAccount.objects.filter(pk__in=searched).values_list("pk", "name")
        groups = Group.objects.filter(pk__in=searched).values_list("pk", Concat(F("display_name"), Value(" (group)")))
        names |= dict(users.union(keys, accounts, groups, all=True))
    return names | {SYSTEM_PRINCIPAL_ID: "the vault", principal.id: "you"}


def still_holds(principal: Principal) -> bool:
    """Whether what the principal was decided on holds now: tenant, credential, permissions, groups and attributes.

    For what goes on after its decision: long downloads, jobs.
    """
    if principal.kind == "system" or not is_open(principal.tenant_id):
        return principal.kind == "system"
    now = _as_of_now(principal)
    return (
        now is not None
        and principal.permissions <= now.permissions
        and principal.groups <= now.groups
        and dict(principal.attributes) == dict(now.attributes)
    )


def _as_of_now(principal: Principal) -> Principal | None:
    """Whom the principal's credential proves now; None when it no longer counts."""
    kind, _, credential_id = principal.credential.partition(":")
    if kind == "session":
        if principal.session_id is not None and not live_sessions().filter(pk=principal.session_id).exists():
            return None
        user = User.objects.filter(pk=principal.id, is_active=True).first()
        return user_principal(user) if user else None
    if kind == "token":
        family = live_families().filter(pk=credential_id).first()
        return family_principal(family) if family else None
    if kind == "api_key":
        key = live_keys().filter(pk=credential_id).first()
        return api_key_principal(key) if key else None
    if kind == "certificate":
        certificate = live_certificates().filter(pk=credential_id).first()
        account = certificate.service_account if certificate else None
        return service_principal(account, credential=principal.credential) if account else None
    return None


def may(principal: Principal, action: str) -> bool:
    """Whether ``authorize`` would let the principal do ``action`` as far as roles and scopes go.

    Pure: asks no database and records nothing. For lists and menus; what is done is decided by ``authorize``.
    """
    return builtin.permits(principal.permissions, action, principal.scopes)
