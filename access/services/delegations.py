"""Delegated administration: a person gives one group or one role, and manages no other."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from access.errors import GrantTooWide, UserNotFound
from access.models import Delegation, Group, Role, User
from access.principals.errors import DelegationNotFound, GroupNotFound, RoleNotFound
from access.selectors import hands_of
from access.services.authorize import authorize, may
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

MOST_LISTED = 500
_ACTION = "delegation.use"


def delegate(
    principal: Principal,
    *,
    user_id: UUID,
    group_id: UUID | None = None,
    role_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> Delegation:
    """Let somebody put others into a group, or give others a role, until ``expires_at`` or for good.

    What they give is never worth more than what they hold themselves. Again it moves the end. Raises AccessDenied,
    StepUpRequired, UserNotFound, GroupNotFound, RoleNotFound, InvalidInput, GrantTooWide (to oneself).
    """
    made = uuid7()
    facts = {"user": str(user_id), "group": str(group_id or ""), "role": str(role_id or ""), "act": "delegate"}
    authorize(principal, "role.manage", ResourceRef("delegation", str(made)), facts=facts)
    if (group_id is None) is (role_id is None):
        raise InvalidInput(errors=[FieldProblem("group_id", "Name one group or one role")])
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise UserNotFound
    if user.pk in hands_of(principal.id):
        raise GrantTooWide
    if group_id is not None and not Group.objects.filter(pk=group_id).exists():
        raise GroupNotFound
    if role_id is not None and not Role.objects.filter(pk=role_id).exists():
        raise RoleNotFound
    given = {"expires_at": expires_at, "granted_by": principal.id}
    thing = {"group_id": group_id} if group_id else {"role_id": role_id}
    row, _ = Delegation.objects.update_or_create(
        user=user, **thing, defaults=given, create_defaults={"id": made, **given}
    )
    _tell(row, "delegated")
    return row


def end_delegation(principal: Principal, *, delegation_id: UUID) -> None:
    """Take it back; what was given under it stays. Raises AccessDenied, StepUpRequired, DelegationNotFound."""
    resource = ResourceRef("delegation", str(delegation_id))
    authorize(principal, "role.manage", resource, facts={"act": "end"})
    row = Delegation.objects.filter(pk=delegation_id).first()
    if row is None:
        raise DelegationNotFound
    _tell(row, "ended")
    row.delete()


def list_delegations(principal: Principal) -> list[Delegation]:
    """Those that live now, newest first. Raises AccessDenied."""
    authorize(principal, "role.read", ResourceRef("delegation"))
    rows = Delegation.objects.live().select_related("user", "group", "role")
    return list(rows.order_by("-granted_at")[:MOST_LISTED])


def giving_action(principal: Principal, kind: Literal["group", "role"], thing_id: UUID | None) -> str:
    """The action that stands behind giving one group or role: managing them, or a delegation that lives now."""
    managing = f"{kind}.manage"
    if may(principal, managing) or thing_id is None or principal.kind != "user":
        return managing
    held = Delegation.objects.live().filter(user_id=principal.id, **{f"{kind}_id": thing_id})
    return _ACTION if held.exists() else managing


def _tell(row: Delegation, act: str) -> None:
    facts = {
        "act": act,
        "user": str(row.user_id),
        "group": str(row.group_id or ""),
        "role": str(row.role_id or ""),
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
    }
    emit(Event(EventType.DELEGATION_CHANGED, "update", ResourceRef("delegation", str(row.pk)), metadata=facts))
