"""People: made, given passwords, disabled."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from access.auth.passwords import password_holds
from access.errors import AccessDenied, NameTaken, UserNotFound
from access.models import User, VaultSession
from access.policy.builtin import reach
from access.services.authorize import authorize
from access.services.grants import find_roles, grant_facts, grant_roles, refuse_reach, refuse_wider
from access.services.throttle import count_attempt, factor_brakes, forgive
from access.services.tokens import end_families
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope


def create_user(
    principal: Principal,
    *,
    username: str,
    password: str,
    roles: Sequence[str] = (),
    full_name: str = "",
    email: str = "",
    must_change_password: bool = False,
) -> User:
    """A new user with ``roles`` (codes).

    Raises AccessDenied, GrantTooWide (the roles permit more than the principal has and it does not manage roles),
    InvalidInput (name, e-mail, password or a role does not fit), NameTaken.
    """
    user = User(
        id=uuid7(), username=username, full_name=full_name, email=email, must_change_password=must_change_password
    )
    authorize(principal, "user.manage", ResourceRef("user", str(user.pk)), facts=grant_facts(roles))
    _clean(user)
    _assign_password(user, password)
    found = find_roles(roles)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise NameTaken("There is a user with this name") from None
    grant_roles(principal, found, user=user)
    return user


def set_password(principal: Principal, *, user_id: UUID, password: str, must_change_password: bool = True) -> None:
    """Give another user a new password; ends that user's sessions.

    Raises AccessDenied, UserNotFound, InvalidInput, GrantTooWide (the user may do more than the principal, even one who
    manages roles: who sets a password can sign in with it).
    """
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)))
    user = _find(user_id)
    # Counted for a disabled user as well, who may be enabled later.
    refuse_reach(principal, reach(frozenset().union(*user.live_roles().values())))
    _assign_password(user, password)
    user.must_change_password = must_change_password
    user.save(update_fields=["password", "must_change_password"])
    VaultSession.objects.filter(user=user).delete()
    end_families(user.pk)


def change_own_password(principal: Principal, *, current: str, password: str) -> User:
    """The principal's own password; every session of the user ends, the caller starts a new one.

    Raises AccessDenied when ``current`` is not the password, TooManyAttempts, InvalidInput.
    """
    resource = ResourceRef("user", str(principal.id))
    emit(Event(EventType.ADMIN_WRITE, "update", resource, metadata={"action": "password.change"}), primary=True)
    user = User.objects.filter(pk=principal.id, is_active=True).first()
    brakes = factor_brakes(principal.id, current_scope().request.ip_address)
    count_attempt(brakes)
    if user is None or not password_holds(user, current):
        raise AccessDenied
    forgive(brakes)
    _assign_password(user, password)
    user.must_change_password = False
    user.save(update_fields=["password", "must_change_password"])
    VaultSession.objects.filter(user=user).delete()
    end_families(user.pk)
    return user


def disable_user(principal: Principal, *, user_id: UUID) -> None:
    """The user can no longer sign in, and all sessions end now. Raises AccessDenied, UserNotFound, GrantTooWide."""
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)))
    user = _find(user_id)
    refuse_wider(principal, user.permissions)
    user.is_active = False
    user.save(update_fields=["is_active"])
    VaultSession.objects.filter(user=user).delete()
    end_families(user.pk)


def enable_user(principal: Principal, *, user_id: UUID) -> None:
    """Undo disable_user; roles are as they were. Raises AccessDenied, UserNotFound, GrantTooWide."""
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)))
    user = _find(user_id)
    user.is_active = True
    refuse_wider(principal, user.permissions)
    user.save(update_fields=["is_active"])


def _find(user_id: UUID) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserNotFound
    return user


def _clean(user: User) -> None:
    try:
        user.clean_fields(exclude=["password", "tenant"])
    except ValidationError as invalid:
        raise InvalidInput(errors=_problems(invalid.message_dict)) from None
    if not user.username.isprintable() or user.username != user.username.strip():
        raise InvalidInput(errors=[FieldProblem("username", "Only printable characters, no space at either end")])


def _assign_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as invalid:
        raise InvalidInput(errors=_problems({"password": invalid.messages})) from None
    user.set_password(password)


def _problems(messages: dict[str, list[str]]) -> list[FieldProblem]:
    return [FieldProblem(field, message) for field, texts in messages.items() for message in texts]
