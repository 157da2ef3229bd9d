"""People whom a directory provisions. It names them and lets them go; what they may do it cannot say."""

from typing import Final
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from access.errors import NameTaken, UserNotFound
from access.models import DirectoryEmail, DirectoryUser, GroupMembership, User
from access.models.directory_group import SOURCE
from access.scim.comparisons import folded
from access.scim.documents import Change, Person, person_of
from access.scim.errors import Immutable, InvalidValue, ResourceNotFound
from access.scim.rendering import user_resource, user_rows, version_of_user
from access.scim.resources import User as UserResource
from access.scim.versions import Precondition
from access.services.administrators import keep_an_administrator
from access.services.authorize import authorize
from access.services.ending import end_access
from access.services.grants import refuse_wider
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

ACTION: Final = "user.provision"
#: Why access ended, for the event.
DEACTIVATED: Final = "directory_deactivated"
REMOVED: Final = "directory_removed"
_LONGEST_USERNAME: Final = 150
#: The columns of a user that the directory writes; that somebody is active is not among them.
_WRITTEN: Final = ("username", "external_id", "full_name", "email", "department")


def provision_user(principal: Principal, *, wanted: UserResource) -> DirectoryUser:
    """A new person, without password and roles: they sign in through the organization's identity provider.

    Raises AccessDenied, InvalidValue, NameTaken.
    """
    user = User(id=uuid7())
    authorize(principal, ACTION, _resource(user.pk), facts={"act": "provision"})
    person = person_of(wanted)
    _refuse_taken(person, user.pk)
    user.set_unusable_password()
    user.is_active = person.is_active is not False
    entry = DirectoryUser(user=user, is_suspended=not user.is_active)
    _write(person, entry, is_new=True)
    _tell(user.pk, "provisioned")
    return find_entry(user.pk)


def change_user(
    principal: Principal, *, user_id: UUID, change: Change[UserResource], precondition: Precondition
) -> DirectoryUser:
    """Let ``change`` say what the person shall be, from what they are; all of it is done or nothing.

    Deactivating ends whatever the person acts by at once. Raises AccessDenied, ResourceNotFound, VersionMismatch,
    NameTaken, a ScimError of the change, and Immutable where an administrator disabled the person, or nobody would be
    left to administer the organization.
    """
    authorize(principal, ACTION, _resource(user_id), facts={"act": "change"})
    entry = _locked(user_id)
    precondition.require(version_of_user(entry))
    before = person_of(user_resource(entry, base=""))
    after = person_of(change(user_resource(entry, base="")))
    if after == before:
        return entry
    _refuse_taken(after, user_id)
    _write(after, entry, is_new=False)
    if after.is_active is not None and after.is_active != before.is_active:
        _switch(entry, is_active=after.is_active)
    _tell(user_id, "changed")
    return find_entry(user_id)


def remove_user(principal: Principal, *, user_id: UUID, precondition: Precondition) -> None:
    """Let a person go for good: disabled, in none of the directory's groups, and no longer the directory's to see.

    The user stays for the audit under another name, so that who gets this name later is somebody new. Raises
    AccessDenied, ResourceNotFound, VersionMismatch, and Immutable for the last administrator.
    """
    authorize(principal, ACTION, _resource(user_id), facts={"act": "remove"})
    entry = _locked(user_id)
    precondition.require(version_of_user(entry))
    with keep_an_administrator():
        GroupMembership.objects.filter(user_id=user_id, source=SOURCE).delete()
        gone = f"{entry.user.username[: _LONGEST_USERNAME - 37]}~{user_id}"
        changed = {"username": gone, "external_id": "", "is_active": False, "updated_at": Now()}
        User.objects.filter(pk=user_id).update(**changed)
    end_access(user_id, reason=REMOVED)
    entry.delete()
    _tell(user_id, "removed")


def hand_over_user(principal: Principal, *, user_id: UUID) -> None:
    """Let the directory manage a person it did not make: it finds them by user name from now on.

    An administrator's act. Raises AccessDenied, StepUpRequired, UserNotFound, GrantTooWide, NameTaken (the directory
    has somebody of this name).
    """
    authorize(principal, "user.manage", _resource(user_id), facts={"act": "hand_over"})
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise UserNotFound
    refuse_wider(principal, user.permissions)
    entry = DirectoryUser(user=user, username_key=folded(user.username), display_name=user.full_name)
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError:
        raise NameTaken("The directory manages this person, or somebody of this name") from None
    if user.email:
        DirectoryEmail.objects.create(entry=entry, value=user.email, type="work", is_primary=True)
    _tell(user_id, "handed_over")


def find_entry(user_id: UUID) -> DirectoryUser:
    """The directory's entry of a person, in the open scope. Raises ResourceNotFound."""
    entry = user_rows().filter(user_id=user_id).first()
    if entry is None:
        raise ResourceNotFound
    return entry


def _locked(user_id: UUID) -> DirectoryUser:
    """The entry, which nobody else changes until the scope ends; people are locked before groups."""
    if not DirectoryUser.objects.select_for_update().filter(user_id=user_id).exists():
        raise ResourceNotFound
    User.objects.select_for_update().get(pk=user_id)
    return find_entry(user_id)


def _refuse_taken(person: Person, user_id: UUID) -> None:
    """Names differ in more than their case. Raises NameTaken."""
    others = User.objects.exclude(pk=user_id)
    if others.filter(username__iexact=person.username).exists():
        raise NameTaken("userName")
    if person.external_id and others.filter(external_id=person.external_id).exists():
        raise NameTaken("externalId")


def _write(person: Person, entry: DirectoryUser, *, is_new: bool) -> None:
    user = entry.user
    if not person.username or person.username != person.username.strip():
        raise InvalidValue("userName: no space at either end")
    user.username, user.external_id = person.username, person.external_id
    user.full_name, user.email, user.department = person.full_name[:200], person.email, person.department
    entry.username_key = folded(person.username)
    entry.display_name, entry.formatted_name = person.display_name, person.formatted_name
    entry.given_name, entry.family_name = person.given_name, person.family_name
    try:
        with transaction.atomic():
            user.save(force_insert=is_new, update_fields=None if is_new else _WRITTEN)
            entry.save(force_insert=is_new)
    except IntegrityError:  # at the same moment, by another request
        raise NameTaken("userName or externalId") from None
    if not is_new:
        User.objects.filter(pk=user.pk).update(updated_at=Now())
        DirectoryUser.objects.filter(pk=entry.pk).update(changed_at=Now())
    _write_emails(person, entry)


def _write_emails(person: Person, entry: DirectoryUser) -> None:
    if sum(one.is_primary for one in person.emails) > 1:
        raise InvalidValue("emails: more than one is primary")
    for one in person.emails:
        try:
            validate_email(one.value)
        except ValidationError:
            raise InvalidValue("emails.value: no e-mail address") from None
    DirectoryEmail.objects.filter(entry=entry).delete()
    DirectoryEmail.objects.bulk_create(
        DirectoryEmail(id=uuid7(), entry=entry, value=one.value, type=one.type, is_primary=one.is_primary)
        for one in person.emails
    )


def _switch(entry: DirectoryUser, *, is_active: bool) -> None:
    if is_active and not entry.is_suspended:
        raise Immutable("active: an administrator disabled this person here")
    DirectoryUser.objects.filter(pk=entry.pk).update(is_suspended=not is_active)
    with keep_an_administrator():
        User.objects.filter(pk=entry.user_id).update(is_active=is_active)
    if not is_active:
        end_access(entry.user_id, reason=DEACTIVATED)


def _resource(user_id: UUID) -> ResourceRef:
    return ResourceRef("user", str(user_id))


def _tell(user_id: UUID, act: str) -> None:
    emit(Event(EventType.DIRECTORY_CHANGED, "update", _resource(user_id), metadata={"act": act}))
