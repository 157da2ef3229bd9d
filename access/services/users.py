"""People: made, given passwords, described."""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from access.auth.passwords import password_holds
from access.errors import AccessDenied, NameTaken, UserNotFound
from access.models import User, VaultSession
from access.policy.builtin import reach
from access.services.authorize import authorize
from access.services.grants import find_roles, grant_facts, grant_roles, refuse_own, refuse_reach, refuse_wider
from access.services.throttle import count_attempt, factor_brakes, forgive
from access.services.tokens import end_families
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

#: What may stand in an attribute that policies compare: the same as may stand in the record of a decision.
ATTRIBUTE: Final = re.compile(r"[A-Za-z0-9_.:@/+-]{1,63}")


def create_user(
    principal: Principal,
    *,
    username: str,
    password: str | None = None,
    roles: Sequence[str] = (),
    full_name: str = "",
    email: str = "",
    external_id: str = "",
    must_change_password: bool = False,
) -> User:
    """A new user with ``roles`` (codes). Without a password none opens anything: a provider vouches for the user.

    Raises AccessDenied, GrantTooWide (the roles permit more than the principal has and it does not manage roles),
    InvalidInput (name, e-mail, password or a role does not fit), NameTaken.
    """
    facts = {"full_name": full_name, "email": email, "external_id": external_id}
    user = User(id=uuid7(), username=username, must_change_password=must_change_password, **facts)
    authorize(principal, "user.manage", ResourceRef("user", str(user.pk)), facts=grant_facts(roles))
    _clean(user)
    if password is None:
        user.set_unusable_password()
    else:
        _assign_password(user, password)
    found = find_roles(roles)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise NameTaken("There is a user with this name or external id") from None
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


def update_user(
    principal: Principal,
    *,
    user_id: UUID,
    username: str | None = None,
    full_name: str | None = None,
    email: str | None = None,
    external_id: str | None = None,
) -> User:
    """Change what is known of a person (None: as it is). Raises AccessDenied, StepUpRequired, UserNotFound,
    InvalidInput, NameTaken, GrantTooWide (the person may do more than the principal, who does not manage roles).
    """
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)), facts={"act": "update"})
    user = _find(user_id)
    refuse_wider(principal, user.permissions)
    given = {"username": username, "full_name": full_name, "email": email, "external_id": external_id}
    changed = {name: value for name, value in given.items() if value is not None}
    for name, value in changed.items():
        setattr(user, name, value)
    _clean(user)
    _save(user, changed)
    return user


def set_attributes(principal: Principal, *, user_id: UUID, department: str = "", clearance: str = "") -> User:
    """What policies may ask of a person from the next request on; empty where it is not known.

    Raises AccessDenied, StepUpRequired, UserNotFound, InvalidInput, GrantTooWide (oneself, or a person who may do more
    than the principal, who does not manage roles).
    """
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)), facts={"act": "attributes"})
    user = _find(user_id)
    refuse_own(principal, [user.pk])
    refuse_wider(principal, user.permissions)
    given = {"department": department, "clearance": clearance}
    problems = [
        FieldProblem(name, "1 to 63 letters, digits and _.:@/+-")
        for name, value in given.items()
        if value and not ATTRIBUTE.fullmatch(value)
    ]
    if problems:
        raise InvalidInput(errors=problems)
    user.department, user.clearance = department, clearance
    _save(user, given)
    emit(Event(EventType.ATTRIBUTES_CHANGED, "update", ResourceRef("user", str(user_id)), metadata=given))
    return user


def _save(user: User, changed: Iterable[str]) -> None:
    try:
        with transaction.atomic():
            user.save(update_fields=[*changed])
            User.objects.filter(pk=user.pk).update(updated_at=Now())
    except IntegrityError:
        raise NameTaken("There is a user with this name or external id") from None
    user.refresh_from_db()


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
