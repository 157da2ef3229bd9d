"""A tenant's own access policies: drafted, tried, put in force, retired. Nothing that was in force is ever changed."""

import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db.models import Max
from django.db.models.functions import Now

from access.errors import NameTaken, SamePerson
from access.models import AccessPolicy, AccessPolicyVersion, PolicyState, Purpose, Role
from access.policy.cedar.validation import Known, Verdict, validate
from access.policy.errors import AccessPolicyNotFound, InvalidPolicyText, PolicyStateConflict
from access.policy.form import RuleForm
from access.policy.question import ask
from access.ports import obligation_source, resource_source
from access.selectors import hands_of
from access.services.authorize import authorize
from access.services.policies_in_force import policies_changed
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

READ: Final = "policy.read"
MANAGE: Final = "policy.manage"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_NAME: Final = 63
_MAX_DESCRIPTION: Final = 300


def resource_of(policy_id: UUID | None = None) -> ResourceRef:
    """How decisions and the audit name an access policy, or all of them."""
    return ResourceRef("access_policy", str(policy_id) if policy_id else "")


def check_policy(principal: Principal, *, text: str) -> Verdict:
    """What saving ``text`` would say. Raises AccessDenied."""
    authorize(principal, READ, resource_of(), facts={"check": True})
    return verdict_on(principal, "policy:checked@1", text)


def verdict_on(principal: Principal, statement_id: str, text: str) -> Verdict:
    """Everything that is wrong with a text in this tenant, for who was decided on already."""
    question = ask(principal, READ, resource_of(), None)
    verdict = validate(statement_id, text, _known(), question)
    obligations = verdict.statement.obligations if verdict.statement else ()
    missing = [one.policy for one in obligations if one.policy and not obligation_source().is_policy(one.policy)]
    unknown = [FieldProblem("text", "@anonymize names no version of an anonymization policy in use") for _ in missing]
    conditions = [
        resource_source().row_condition_problem(one.value) for one in obligations if one.type == "filter_rows"
    ]
    unknown += [FieldProblem("text", f"@filter_rows is no condition on records: {why}") for why in conditions if why]
    return Verdict(verdict.statement, (*verdict.problems, *unknown), verdict.warnings)


def draft_policy(
    principal: Principal, *, name: str, text: str = "", form: Mapping[str, Any] | None = None, description: str = ""
) -> AccessPolicyVersion:
    """Write the first version of a policy, from Cedar or from the readable form; nothing is in force yet.

    Raises AccessDenied, InvalidInput for the name, NameTaken, InvalidPolicyText, InvalidAnnotation.
    """
    policy = AccessPolicy(id=uuid7(), name=name, description=description, created_by=principal.id)
    authorize(principal, MANAGE, resource_of(policy.pk), facts={"change": "draft", "number": 1})
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise InvalidInput(errors=[FieldProblem("name", "lower-case letters, digits and hyphens, 63 at most")])
    if len(description) > _MAX_DESCRIPTION:
        raise InvalidInput(errors=[FieldProblem("description", "has at most 300 characters")])
    if AccessPolicy.objects.filter(name=name).exists():
        raise NameTaken
    version = _written(principal, policy, 1, text, form)
    policy.save(force_insert=True)
    return _saved(version)


def draft_version(
    principal: Principal, *, policy_id: UUID, text: str = "", form: Mapping[str, Any] | None = None
) -> AccessPolicyVersion:
    """Write another version of a policy. Raises AccessDenied, AccessPolicyNotFound, InvalidPolicyText."""
    authorize(principal, MANAGE, resource_of(policy_id), facts={"change": "draft"})
    policy = AccessPolicy.objects.select_for_update().filter(pk=policy_id).first()
    if policy is None:
        raise AccessPolicyNotFound
    number = (policy.versions.aggregate(last=Max("number"))["last"] or 0) + 1
    return _saved(_written(principal, policy, number, text, form))


def activate_version(principal: Principal, *, policy_id: UUID, number: int) -> AccessPolicyVersion:
    """Put a draft in force, and whatever version was, out of it: the next request is decided by it.

    Nobody puts in force a permit that they wrote. Raises AccessDenied, AccessPolicyNotFound, PolicyStateConflict,
    SamePerson, InvalidPolicyText when the tenant has changed so that it can no longer be used.
    """
    version = _decided(principal, policy_id, number, "activate")
    if version.state != PolicyState.DRAFT:
        raise PolicyStateConflict(state=version.state)
    verdict = verdict_on(principal, version.statement_id, version.text)
    if verdict.problems or verdict.statement is None:
        raise InvalidPolicyText(errors=verdict.problems)
    if verdict.statement.effect == "permit" and hands_of(version.created_by) & hands_of(principal.id):
        raise SamePerson
    _retire(AccessPolicyVersion.objects.filter(policy_id=policy_id, state=PolicyState.ACTIVE), principal)
    version.state, version.activated_by = PolicyState.ACTIVE, principal.id
    AccessPolicyVersion.objects.filter(pk=version.pk).update(
        state=version.state, activated_by=principal.id, activated_at=Now()
    )
    return _told(version)


def retire_version(principal: Principal, *, policy_id: UUID, number: int) -> AccessPolicyVersion:
    """Take a version out of force, or drop a draft. Raises AccessDenied, AccessPolicyNotFound, PolicyStateConflict."""
    version = _decided(principal, policy_id, number, "retire")
    if version.state == PolicyState.RETIRED:
        raise PolicyStateConflict(state=version.state)
    _retire(AccessPolicyVersion.objects.filter(pk=version.pk), principal)
    version.state = PolicyState.RETIRED
    return _told(version)


def list_policies(principal: Principal) -> list[AccessPolicy]:
    """Every policy with its versions, by name. Raises AccessDenied."""
    authorize(principal, READ, resource_of())
    return list(AccessPolicy.objects.prefetch_related("versions").order_by("name"))


def get_policy(principal: Principal, *, policy_id: UUID) -> AccessPolicy:
    """Raises AccessDenied, AccessPolicyNotFound."""
    authorize(principal, READ, resource_of(policy_id))
    found = AccessPolicy.objects.prefetch_related("versions").filter(pk=policy_id).first()
    if found is None:
        raise AccessPolicyNotFound
    return found


def _decided(principal: Principal, policy_id: UUID, number: int, change: str) -> AccessPolicyVersion:
    authorize(principal, MANAGE, resource_of(policy_id), facts={"change": change, "number": number})
    AccessPolicy.objects.select_for_update().filter(pk=policy_id).first()
    version = AccessPolicyVersion.objects.select_related("policy").filter(policy_id=policy_id, number=number).first()
    if version is None:
        raise AccessPolicyNotFound
    return version


def _written(
    principal: Principal, policy: AccessPolicy, number: int, text: str, form: Mapping[str, Any] | None
) -> AccessPolicyVersion:
    """A version that can be used, not saved yet."""
    filled = RuleForm.of(form) if form is not None else None
    version = AccessPolicyVersion(policy=policy, number=number, created_by=principal.id, text=text)
    if filled is not None:
        version.text, version.form = filled.as_cedar(), filled.as_json()
    verdict = verdict_on(principal, version.statement_id, version.text)
    if verdict.problems:
        raise InvalidPolicyText(errors=verdict.problems)
    return version


def _saved(version: AccessPolicyVersion) -> AccessPolicyVersion:
    version.save(force_insert=True)
    return _told(version)


def _told(version: AccessPolicyVersion) -> AccessPolicyVersion:
    policies_changed()
    facts = {"policy": version.statement_id, "state": str(version.state)}
    resource = resource_of(version.policy_id)
    emit(Event(EventType.ACCESS_POLICY_CHANGED, operation="update", resource=resource, metadata=facts))
    return version


def _retire(versions: Any, principal: Principal) -> None:
    versions.update(state=PolicyState.RETIRED, retired_by=principal.id, retired_at=Now())


def _known() -> Known:
    return Known(
        roles=frozenset(Role.objects.values_list("code", flat=True)),
        purposes=frozenset(Purpose.objects.filter(is_active=True).values_list("code", flat=True)),
        classifications=frozenset(resource_source().classifications()) or None,
    )
