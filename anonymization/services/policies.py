"""Anonymization policies: made, versioned, activated, attached and taken away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.db.models.functions import Now

from access.models import Purpose, Role
from access.services.authorize import authorize
from anonymization.models import AnonymizationPolicy, AttachmentKind, PolicyAttachment, PolicyVersion
from anonymization.policies.document import PolicyDocument, read_document
from anonymization.policies.errors import (
    AttachmentNotFound,
    InvalidAttachment,
    PolicyInUse,
    PolicyNameTaken,
    PolicyNotFound,
    PresetImmutable,
)
from anonymization.policies.presets import PRESETS
from anonymization.policies.reference import NAME
from anonymization.ports import find_dataset
from anonymization.services.descriptions import refuse_personal_data
from anonymization.services.policy_source import version_of
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import active_alias

_READ: Final = "anonymization.read"
#: A version's number, as long as its column holds.
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_MANAGE: Final = "anonymization.manage"
#: Versions a form offers.
_CHOICES: Final = 200
#: Members of a document whose texts are syntax, not words.
_SYNTAX: Final = frozenset({"strategy", "locale", "scope", "unit", "per", "entities", "fields", "subject"})


@dataclass(frozen=True)
class NewPolicy:
    """A policy to be made: with a document of its own, or as a copy of a preset that stays as it is."""

    name: str
    description: str = ""
    document: Any = None
    preset: str = ""
    message: str = ""


def resource_of(policy: AnonymizationPolicy | None = None, version: PolicyVersion | None = None) -> ResourceRef:
    """How decisions and the audit name a policy."""
    named = f"v{version.number}" if version else ""
    return ResourceRef("anonymization_policy", str(policy.pk) if policy else "", version=named)


def create_policy(principal: Principal, new: NewPolicy) -> AnonymizationPolicy:
    """A policy with its first version, active for nobody yet.

    Raises AccessDenied, InvalidInput, InvalidPolicy, PersonalDataInName, PolicyNotFound, PolicyNameTaken.
    """
    authorize(principal, _MANAGE, resource_of(), facts={"change": "create"})
    if not NAME.fullmatch(new.name):
        problem = FieldProblem("/name", "small letters, digits and -, two to 64, beginning with a letter")
        raise InvalidInput(errors=[problem])
    if new.preset and new.preset not in PRESETS:
        raise PolicyNotFound
    content = PRESETS[new.preset].document if new.preset else new.document
    document = read_document(content, field="/document")
    refuse_personal_data(name=new.name.replace("-", " "), description=new.description, message=new.message)
    if not new.preset:
        refuse_personal_data(**dict(_texts(document)))
    try:
        with transaction.atomic(using=active_alias()):
            policy = AnonymizationPolicy.objects.create(
                name=new.name, description=new.description, preset=new.preset, created_by=principal.id
            )
    except IntegrityError:
        raise PolicyNameTaken from None
    made = _new_version(principal, policy, 1, document, new.message)
    policy.refresh_from_db()
    _record(policy, made, "created")
    return policy


def add_version(
    principal: Principal, *, policy_id: UUID, document: Any, message: str = "", is_active: bool = False
) -> PolicyVersion:
    """The next version of a policy; ``is_active`` makes it the one that binds.

    Raises PolicyNotFound, AccessDenied, PresetImmutable, InvalidPolicy, PersonalDataInName.
    """
    policy = _managed(principal, policy_id, "add version")
    if policy.preset:
        raise PresetImmutable
    accepted = read_document(document, field="/document")
    refuse_personal_data(message=message, **dict(_texts(accepted)))
    last = PolicyVersion.objects.filter(policy=policy).aggregate(Max("number"))["number__max"] or 0
    made = _new_version(principal, policy, last + 1, accepted, message)
    _record(policy, made, "versioned")
    if is_active:
        _activate(policy, made.number)
        _record(policy, made, "activated")
    return made


def activate_version(principal: Principal, *, policy_id: UUID, number: int | None) -> AnonymizationPolicy:
    """Make a version the one that binds; None: none does, and readings the policy is attached to are denied.

    Raises PolicyNotFound, PolicyVersionNotFound, AccessDenied.
    """
    policy = _managed(principal, policy_id, "activate")
    version = version_of(policy, number) if number is not None else None
    _activate(policy, number)
    _record(policy, version, "activated" if version else "deactivated")
    return policy


def change_policy(principal: Principal, *, policy_id: UUID, description: str) -> AnonymizationPolicy:
    """Change what a policy says of itself. Raises PolicyNotFound, AccessDenied, PersonalDataInName."""
    policy = _managed(principal, policy_id, "describe")
    refuse_personal_data(description=description)
    AnonymizationPolicy.objects.filter(pk=policy.pk).update(description=description, updated_at=Now())
    policy.refresh_from_db()
    _record(policy, None, "described")
    return policy


def delete_policy(principal: Principal, *, policy_id: UUID) -> None:
    """Raises PolicyNotFound, AccessDenied, PolicyInUse while it is attached to anything."""
    policy = _managed(principal, policy_id, "delete")
    if policy.attachments.exists():
        raise PolicyInUse
    _record(policy, None, "deleted")
    policy.delete()


def attach_policy(
    principal: Principal, *, policy_id: UUID, kind: str, target: str, binds_raw_readers: bool | None = None
) -> PolicyAttachment:
    """Bind readings of a dataset, by holders of a role, or for a purpose.

    ``binds_raw_readers`` is true for roles and purposes unless said otherwise, false for datasets. Raises
    PolicyNotFound, AccessDenied, the not-found error of datasets, InvalidAttachment.
    """
    policy = _managed(principal, policy_id, "attach")
    target = _known_target(principal, kind, target)
    if binds_raw_readers is None:
        binds_raw_readers = kind != AttachmentKind.DATASET
    try:
        with transaction.atomic(using=active_alias()):
            made = PolicyAttachment.objects.create(
                policy=policy, kind=kind, target=target, binds_raw_readers=binds_raw_readers, created_by=principal.id
            )
    except IntegrityError:
        raise InvalidAttachment(errors=[FieldProblem("/target", "has this policy already")]) from None
    made.refresh_from_db()
    _record(policy, None, "attached", to=kind, target=target)
    return made


def detach_policy(principal: Principal, *, policy_id: UUID, attachment_id: UUID) -> None:
    """Raises PolicyNotFound, AccessDenied, AttachmentNotFound."""
    policy = _managed(principal, policy_id, "detach")
    attachment = PolicyAttachment.objects.filter(policy=policy, pk=attachment_id).first()
    if attachment is None:
        raise AttachmentNotFound
    _record(policy, None, "detached", to=attachment.kind, target=attachment.target)
    attachment.delete()


def check_document(principal: Principal, document: Any) -> PolicyDocument:
    """What a document would be. Raises AccessDenied, InvalidPolicy."""
    authorize(principal, _READ, resource_of())
    return read_document(document, field="/document")


def get_policy(principal: Principal, policy_id: UUID) -> AnonymizationPolicy:
    """Raises PolicyNotFound, AccessDenied."""
    policy = AnonymizationPolicy.objects.filter(pk=policy_id).first()
    authorize(principal, _READ, resource_of(policy))
    if policy is None:
        raise PolicyNotFound
    return policy


def list_policies(principal: Principal, *, after: tuple[str, ...] | None, limit: int) -> list[AnonymizationPolicy]:
    """Policies in order of name. Raises AccessDenied."""
    authorize(principal, _READ, resource_of())
    rows = AnonymizationPolicy.objects.order_by("name")
    return list((rows.filter(name__gt=after[0]) if after else rows)[:limit])


def list_versions(policy: AnonymizationPolicy, *, after: tuple[str, ...] | None, limit: int) -> list[PolicyVersion]:
    """Versions of a policy that was decided on, newest first. Raises InvalidCursor."""
    rows: QuerySet[PolicyVersion] = PolicyVersion.objects.filter(policy=policy).order_by("-number")
    if after:
        if not _NUMBER.fullmatch(after[0]):
            raise InvalidCursor
        rows = rows.filter(number__lt=int(after[0]))
    return list(rows[:limit])


def attachments_of(policy: AnonymizationPolicy) -> list[PolicyAttachment]:
    """What a policy that was decided on is attached to."""
    return list(PolicyAttachment.objects.filter(policy=policy).order_by("kind", "target"))


def _managed(principal: Principal, policy_id: UUID, change: str) -> AnonymizationPolicy:
    """Locked until the scope ends. What may not be managed is not told apart from what is not there."""
    policy = AnonymizationPolicy.objects.select_for_update().filter(pk=policy_id).first()
    authorize(principal, _MANAGE, resource_of(policy), facts={"change": change})
    if policy is None:
        raise PolicyNotFound
    return policy


def _new_version(
    principal: Principal, policy: AnonymizationPolicy, number: int, document: PolicyDocument, message: str
) -> PolicyVersion:
    made = PolicyVersion.objects.create(
        id=uuid7(),
        policy=policy,
        number=number,
        document=orjson.dumps(document.content),
        digest=document.digest,
        message=message,
        created_by=principal.id,
    )
    made.refresh_from_db(fields=["created_at"])
    return made


def _activate(policy: AnonymizationPolicy, number: int | None) -> None:
    AnonymizationPolicy.objects.filter(pk=policy.pk).update(active_version=number, updated_at=Now())
    policy.refresh_from_db()


def _known_target(principal: Principal, kind: str, target: str) -> str:
    """The target as readings name it, however it was written: under another name it would never bind."""
    if kind == AttachmentKind.DATASET:
        try:
            dataset_id = UUID(target)
        except ValueError:
            raise InvalidAttachment(errors=[FieldProblem("/target", "is no id of a dataset")]) from None
        find_dataset(principal, dataset_id, action=_MANAGE)
        return str(dataset_id)
    known = Role.objects.filter(code=target) if kind == AttachmentKind.ROLE else Purpose.objects.filter(code=target)
    if not known.exists():
        raise InvalidAttachment(errors=[FieldProblem("/target", f"is no {kind}")])
    return target


def _texts(document: PolicyDocument) -> Iterator[tuple[str, str]]:
    """What people wrote into a document, by place: words, not its syntax."""
    yield from _words(document.content, "document")


def _words(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "hierarchy" and isinstance(inner, dict):
                yield f"{place}/{name}", "\n".join([*inner, *map(str, inner.values())])
            elif name not in _SYNTAX:
                yield from _words(inner, f"{place}/{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _words(inner, f"{place}/{index}")
    elif isinstance(value, str):
        yield place, value


def _record(policy: AnonymizationPolicy, version: PolicyVersion | None, change: str, **facts: str) -> None:
    told: dict[str, Any] = {"policy": policy.name, "change": change, **facts}
    if version is not None:
        told |= {"version": version.number, "sha256": bytes(version.digest).hex()}
    emit(
        Event(
            type=EventType.POLICY_CHANGED,
            operation="update",
            resource=resource_of(policy, version),
            metadata=told,
        )
    )


def policy_choices() -> list[tuple[str, str]]:
    """Every version of every policy as (reference, label), newest first within a policy, for who may see policies."""
    rows = PolicyVersion.objects.select_related("policy").order_by("policy__name", "-number")[:_CHOICES]
    return [(f"{row.policy.name}@{row.number}", _label(row)) for row in rows]


def _label(row: PolicyVersion) -> str:
    active = ", active" if row.number == row.policy.active_version else ""
    return f"{row.policy.name}, version {row.number}{active}"
