"""What a provider's groups give, and which of its people are users that were here before."""

from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction

from access.errors import NameTaken, UserNotFound
from access.federation.arrival import source_of
from access.federation.errors import IdentityNotFound, IdentityTaken, MappingNotFound
from access.federation.kinds import federation
from access.federation.logout import end_federated_sessions
from access.federation.providers import find_provider, resource_of
from access.models import ExternalIdentity, Group, GroupMapping, User
from access.policy.builtin import reach
from access.principals.errors import GroupNotFound
from access.services.authorize import authorize
from access.services.ending import end_access_without_role
from access.services.grants import find_roles, refuse_reach, refuse_wider
from access.services.groups import refuse_wider_group
from access.services.memberships import set_groups, set_roles
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Mappings that one provider may have, and identities that one list shows.
MOST: Final = 500
_LONGEST: Final = 500


def map_group(
    principal: Principal, *, provider_id: UUID, external_group: str, role: str = "", group_id: UUID | None = None
) -> GroupMapping:
    """From their next sign-in on, people in ``external_group`` hold ``role`` (its code) or are in the group.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, GroupNotFound, GrantTooWide, NameTaken, InvalidInput (the
    name does not fit, not exactly one of role and group, an unknown role, too many).
    """
    facts = {"act": "map", "role": role, "group_id": str(group_id or "")}
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts=facts)
    provider = find_provider(provider_id)
    name = federation(provider.kind).external_group(_fitting("external_group", external_group))
    if bool(role) == (group_id is not None):
        raise InvalidInput(errors=[FieldProblem("role", "Name one role or one group")])
    if GroupMapping.objects.filter(provider=provider).count() >= MOST:
        raise InvalidInput(errors=[FieldProblem("external_group", f"At most {MOST} mappings")])
    found = find_roles([role])[0] if role else None
    if found is not None:
        refuse_wider(principal, frozenset(found.permissions))
    if group_id is not None:
        if not Group.objects.filter(pk=group_id).exists():
            raise GroupNotFound
        refuse_wider_group(principal, group_id)
    try:
        with transaction.atomic():
            return GroupMapping.objects.create(
                provider=provider, external_group=name, role=found, group_id=group_id, created_by=principal.id
            )
    except IntegrityError:
        raise NameTaken("This is mapped already") from None


def unmap_group(principal: Principal, *, provider_id: UUID, mapping_id: UUID) -> None:
    """What the mapping gave is taken away at each person's next sign-in.

    Raises AccessDenied, StepUpRequired, MappingNotFound.
    """
    facts = {"act": "unmap", "mapping": str(mapping_id)}
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts=facts)
    if not GroupMapping.objects.filter(pk=mapping_id, provider_id=provider_id).delete()[0]:
        raise MappingNotFound


def link_identity(
    principal: Principal, *, provider_id: UUID, username: str, issuer: str, subject: str
) -> ExternalIdentity:
    """From now on whoever is ``subject`` to the provider signs in as the user of that name.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, UserNotFound, IdentityTaken, InvalidInput, GrantTooWide (as
    for setting the user's password: it is another way to be the user).
    """
    user = User.objects.filter(username=username).first()
    facts = {"act": "link", "user_id": str(user.pk) if user else ""}
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts=facts)
    provider = find_provider(provider_id)
    names = {"issuer": _fitting("issuer", issuer), "subject": _fitting("subject", subject)}
    if user is None:
        raise UserNotFound
    refuse_reach(principal, reach(frozenset().union(*user.live_roles().values())))
    try:
        with transaction.atomic():
            identity = ExternalIdentity.objects.create(provider=provider, user=user, linked_by=principal.id, **names)
    except IntegrityError:
        raise IdentityTaken from None
    _tell(user.pk, "linked", provider.slug)
    return identity


def unlink_identity(principal: Principal, *, provider_id: UUID, identity_id: UUID) -> None:
    """The identity opens nothing any more; what it gave is taken away, and the sessions that it began are over.

    Raises AccessDenied, StepUpRequired, ProviderNotFound, IdentityNotFound.
    """
    facts = {"act": "unlink", "identity": str(identity_id)}
    authorize(principal, "identity_provider.manage", resource_of(provider_id), facts=facts)
    provider = find_provider(provider_id)
    identity = ExternalIdentity.objects.select_related("user").filter(pk=identity_id, provider=provider).first()
    if identity is None:
        raise IdentityNotFound
    end_federated_sessions(provider, issuer=identity.issuer, subject=identity.subject)
    user = identity.user
    identity.delete()
    if not ExternalIdentity.objects.filter(provider=provider, user=user).exists():
        set_roles(user, (), source=source_of(provider))
        set_groups(user, (), source=source_of(provider))
        end_access_without_role([user.pk])
    _tell(identity.user_id, "unlinked", provider.slug)


def _fitting(field: str, text: str) -> str:
    """Kept as it is, for it is compared byte by byte; raises InvalidInput."""
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise InvalidInput(errors=[FieldProblem(field, f"1 to {_LONGEST} printable characters")])
    return text


def _tell(user_id: UUID, act: str, provider: str) -> None:
    facts = {"act": act, "provider": provider}
    emit(Event(EventType.IDENTITY_CHANGED, "update", ResourceRef("user", str(user_id)), metadata=facts))
