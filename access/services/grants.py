"""Giving and taking roles. Nobody gives what they do not have, and nobody gives to themselves."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from access.auth.errors import ServiceAccountNotFound
from access.errors import ApiKeyNotFound, BindingNotFound, GrantTooWide, UserNotFound
from access.models import AccountKind, ApiKey, Group, GroupMembership, Role, RoleBinding, ServiceAccount, User
from access.models.role_binding import HOLDERS
from access.policy.builtin import RUNNING, reach
from access.policy.scopes import expand
from access.principals.errors import ExternalSystemTooWide, GroupNotFound
from access.selectors import hands_of
from access.services.authorize import authorize, may
from access.services.delegations import giving_action
from access.services.ending import end_access_without_role
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.principal import Principal


def bind_role(
    principal: Principal,
    *,
    role: str,
    user_id: UUID | None = None,
    api_key_id: UUID | None = None,
    service_account_id: UUID | None = None,
    group_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> RoleBinding:
    """Give ``role`` (its code) to a user, a group, an API key or a service account, until ``expires_at`` or for good.

    Giving a role again moves its end. Who manages no roles needs a delegation of this one, and gives it to people.
    Raises AccessDenied, StepUpRequired, GrantTooWide when the holder is the principal itself, a group it is in, or a
    program that could then do more than the principal, UserNotFound, GroupNotFound, ApiKeyNotFound,
    ServiceAccountNotFound, ExternalSystemTooWide, InvalidInput for an unknown role or when not exactly one holder is
    named.
    """
    named = _named(user=user_id, api_key=api_key_id, service_account=service_account_id, group=group_id)
    held = RoleBinding.objects.filter(**named, role__code=role).first() if named else None
    binding_id = held.pk if held else uuid7()
    facts = _as_facts(named) | grant_facts([role], expires_at=expires_at)
    known = Role.objects.filter(code=role).values_list("pk", flat=True).first() if user_id else None
    authorize(
        principal, giving_action(principal, "role", known), ResourceRef("role_binding", str(binding_id)), facts=facts
    )
    if len(named) != 1:
        raise InvalidInput(errors=[FieldProblem("user_id", "Name one user, group, API key or service account")])
    _refuse_holder(principal, named)
    found = find_roles([role])[0]
    _refuse_worth(principal, found, named)
    given = {"expires_at": expires_at, "granted_by": principal.id, "source": ""}
    binding, _ = RoleBinding.objects.update_or_create(
        **named, role=found, defaults=given, create_defaults={"id": binding_id, **given}
    )
    emit(_told(EventType.ROLE_GRANTED, binding, found.code))
    return binding


def revoke_binding(principal: Principal, *, binding_id: UUID) -> None:
    """Take a role away; whoever has none left then is out at once.

    Raises AccessDenied, StepUpRequired, BindingNotFound, GrantTooWide (of who manages no roles).
    """
    binding = RoleBinding.objects.select_related("role").filter(pk=binding_id).first()
    facts: dict[str, Any] = {}
    action = "role.manage"
    if binding is not None:
        facts = _as_facts(_holder_of(binding)) | grant_facts([binding.role.code], expires_at=binding.expires_at)
        action = giving_action(principal, "role", binding.role_id if binding.user_id else None)
    authorize(principal, action, ResourceRef("role_binding", str(binding_id)), facts=facts)
    if binding is None:
        raise BindingNotFound
    refuse_wider(principal, frozenset(binding.role.permissions))
    end_binding(binding)


def end_binding(binding: RoleBinding) -> None:
    """Take a role away without a decision of its own, in the open scope; whoever has none left then is out at once."""
    people = [binding.user_id] if binding.user_id else []
    if binding.group_id:
        people = list(GroupMembership.objects.filter(group_id=binding.group_id).values_list("user_id", flat=True))
    event = _told(EventType.ROLE_REVOKED, binding, binding.role.code)
    binding.delete()
    emit(event)
    end_access_without_role(people)


def find_roles(codes: Sequence[str]) -> list[Role]:
    """The roles of those codes, in their order; raises InvalidInput naming the ones that do not exist."""
    found = {role.code: role for role in Role.objects.filter(code__in=codes)}
    unknown = [FieldProblem("roles", "There is no such role") for code in codes if code not in found]
    if unknown:
        raise InvalidInput(errors=unknown)
    return [found[code] for code in codes]


def grant_roles(
    principal: Principal,
    roles: Sequence[Role],
    *,
    user: User | None = None,
    api_key: ApiKey | None = None,
    service_account: ServiceAccount | None = None,
) -> None:
    """Bind roles to a holder just made, as part of an action already authorized; raises GrantTooWide."""
    permissions = frozenset().union(*(role.permissions for role in roles))
    if user is None:
        limits = (api_key.scopes, api_key.datasets) if api_key else ((), ())
        refuse_wider_key(principal, permissions, *limits)
    else:
        refuse_wider(principal, permissions)
    refuse_external(service_account, roles)
    holder = {"user": user, "api_key": api_key, "service_account": service_account}
    rows = [RoleBinding(**holder, role=role, granted_by=principal.id) for role in roles]
    RoleBinding.objects.bulk_create(rows)
    if user is None:  # what a program is made with stands in the event of its making
        return
    for row, role in zip(rows, roles, strict=True):
        emit(_told(EventType.ROLE_GRANTED, row, role.code))


def refuse_own(principal: Principal, people: Iterable[UUID]) -> None:
    """Raise GrantTooWide when the principal, or whoever made the program that it is, is among ``people``."""
    if not hands_of(principal.id).isdisjoint(people):
        raise GrantTooWide


def refuse_own_group(principal: Principal, group_id: UUID) -> None:
    """Raise GrantTooWide when the principal, or whoever made the program that it is, is in the group."""
    if GroupMembership.objects.filter(group_id=group_id, user_id__in=hands_of(principal.id)).exists():
        raise GrantTooWide


def refuse_wider(principal: Principal, permissions: frozenset[str]) -> None:
    """Raise GrantTooWide when ``permissions`` exceed the principal's own, unless it manages roles of all datasets."""
    if principal.datasets or not may(principal, "role.manage"):
        refuse_reach(principal, reach(permissions))


def refuse_wider_key(
    principal: Principal, permissions: Iterable[str], scopes: Iterable[str], datasets: Iterable[Any] = ()
) -> None:
    """Raise GrantTooWide when a key with these would let its maker do more than they may: who makes it, holds it."""
    refuse_reach(principal, reach(frozenset(permissions), expand(scopes)), datasets=frozenset(map(str, datasets)))


def refuse_reach(
    principal: Principal, wanted: frozenset[tuple[str, str]], *, datasets: frozenset[str] = frozenset()
) -> None:
    """Raise GrantTooWide when ``wanted`` exceeds what the principal itself may do, whether or not it manages roles.

    ``datasets`` are the ids that what is given is held to (none: all datasets): a credential held to some of them gives
    nothing that is for others.
    """
    own = frozenset(map(str, principal.datasets))
    is_held = not own or (bool(datasets) and datasets <= own)
    if not is_held or not wanted <= reach(principal.permissions, principal.scopes):
        raise GrantTooWide


def grant_facts(
    roles: Sequence[str], *, scopes: Iterable[str] | None = None, expires_at: datetime | None = None
) -> dict[str, Any]:
    """What the audit keeps of a grant. Role codes nobody defined are left out: they may be anything."""
    facts: dict[str, Any] = {
        "roles": sorted(Role.objects.filter(code__in=roles).values_list("code", flat=True)),
        "expires_at": expires_at.isoformat() if expires_at else None,
    }
    return facts if scopes is None else facts | {"scopes": sorted(scopes)}


def _named(**holders: UUID | None) -> dict[str, UUID]:
    """The columns of the holders that were named, each with its id."""
    return {f"{name}_id": holder for name, holder in holders.items() if holder}


def _holder_of(binding: RoleBinding) -> dict[str, UUID]:
    return _named(**{name: getattr(binding, f"{name}_id") for name in HOLDERS})


def _as_facts(named: Mapping[str, UUID]) -> dict[str, Any]:
    return {name: str(holder) for name, holder in named.items()}


_KNOWN: Final[Mapping[str, tuple[type[TenantModel], type[VaultError]]]] = MappingProxyType(
    {
        "user_id": (User, UserNotFound),
        "group_id": (Group, GroupNotFound),
        "api_key_id": (ApiKey, ApiKeyNotFound),
        "service_account_id": (ServiceAccount, ServiceAccountNotFound),
    }
)


def _refuse_holder(principal: Principal, named: Mapping[str, UUID]) -> None:
    """Nobody gives to themselves, nor to a group they are in. Raises GrantTooWide, or that the holder is not there."""
    ((column, holder),) = named.items()
    refuse_own(principal, [holder])
    if column == "group_id":
        refuse_own_group(principal, holder)
    model, missing = _KNOWN[column]
    if not model._default_manager.filter(pk=holder).exists():  # noqa: SLF001 - Django's name for it
        raise missing


def _refuse_worth(principal: Principal, role: Role, named: Mapping[str, UUID]) -> None:
    """A program's holder is whoever made its key; of people, who manages roles gives what they do not have."""
    permissions = frozenset(role.permissions)
    if "user_id" in named or "group_id" in named:
        refuse_wider(principal, permissions)
        return
    if "api_key_id" in named:
        key = ApiKey.objects.get(pk=named["api_key_id"])
        refuse_wider_key(principal, permissions, key.scopes, key.datasets)
        return
    refuse_wider_key(principal, permissions, ())
    refuse_external(ServiceAccount.objects.get(pk=named["service_account_id"]), [role])


def refuse_external(account: ServiceAccount | None, roles: Iterable[Role]) -> None:
    """Raise ExternalSystemTooWide when a system that others run would administer the vault."""
    if account is None or account.kind != AccountKind.EXTERNAL:
        return
    if any(RUNNING.intersection(role.permissions) for role in roles):
        raise ExternalSystemTooWide


def _told(kind: EventType, binding: RoleBinding, role: str) -> Event:
    facts = _as_facts(_holder_of(binding)) | {
        "role": role,
        "expires_at": binding.expires_at.isoformat() if binding.expires_at else None,
    }
    return Event(kind, "update", ResourceRef("role_binding", str(binding.pk)), metadata=facts)
