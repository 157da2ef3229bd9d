"""People let go, and let in again."""

from uuid import UUID

from django.db.models.functions import Now

from access.errors import UserNotFound
from access.models import DirectoryUser, User
from access.services.authorize import authorize
from access.services.ending import DISABLED, end_access
from access.services.grants import refuse_wider
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal


def deactivate_user(principal: Principal, *, user_id: UUID, reason: str = DISABLED) -> None:
    """The person can no longer sign in, and whatever they act by ends: see ``end_access``.

    ``reason`` is a code for the audit. Again it changes nothing but ends what was begun meanwhile. Raises AccessDenied,
    StepUpRequired, UserNotFound, GrantTooWide (the person may do more than the principal, who does not manage roles).
    """
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)), facts={"act": "deactivate"})
    user = _locked(user_id)
    refuse_wider(principal, user.permissions)
    User.objects.filter(pk=user.pk).update(is_active=False, updated_at=Now())
    _overrule_directory(user.pk)
    end_access(user.pk, reason=reason)


def reactivate_user(principal: Principal, *, user_id: UUID) -> None:
    """Let a person in again, with the roles and groups they have; what ended stays ended.

    Raises AccessDenied, StepUpRequired, UserNotFound, GrantTooWide.
    """
    authorize(principal, "user.manage", ResourceRef("user", str(user_id)), facts={"act": "reactivate"})
    user = _locked(user_id)
    user.is_active = True
    refuse_wider(principal, user.permissions)
    User.objects.filter(pk=user.pk).update(is_active=True, updated_at=Now())
    _overrule_directory(user.pk)


def _overrule_directory(user_id: UUID) -> None:
    """What is decided here is no longer the directory's to undo."""
    DirectoryUser.objects.filter(user_id=user_id).update(is_suspended=False)


def _locked(user_id: UUID) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise UserNotFound
    return user
