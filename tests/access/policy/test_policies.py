"""A tenant's policies: drafted, put in force by somebody else, decisive on the next request, retired."""

import json
from dataclasses import FrozenInstanceError
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from access.errors import AccessDenied, NameTaken, SamePerson
from access.models import AccessPolicy, AccessPolicyVersion, PolicyEpoch, Purpose, Role, Tenant
from access.policy.builtin import ROLES
from access.policy.errors import (
    AccessPolicyNotFound,
    InvalidAnnotation,
    InvalidPolicyText,
    PolicyEngineUnavailable,
    PolicyStateConflict,
)
from access.services import policies
from access.services.authorize import Obligation, ResourceRef, authorize
from access.services.policies_in_force import policies_in_force
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, principal_with
from tests.factories.datasets import make_dataset
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.providers import reset_providers
from vaultsite.kernel.tenancy.principal import Principal

FORBID_EXPORT = 'forbid(principal, action == Action::"export.create", resource);'
PERMIT_DELETE = 'permit(principal in Role::"viewer", action == Action::"dataset.delete", resource);'
DATASET = ResourceRef("dataset", str(uuid4()), classification="pii", owner=str(uuid4()), residency="eu", tags=())


def may_now(tenant: Tenant, principal: Principal, action: str, resource: ResourceRef = DATASET) -> bool:
    try:
        with acting(tenant, principal):
            authorize(principal, action, resource, purpose="analytics")
    except AccessDenied:
        return False
    return True


def test_a_policy_decides_on_the_next_request_and_no_longer_when_retired(tenant: Tenant) -> None:
    """T19: nothing decided before an epoch is used after it."""
    steward, admin = principal_with(tenant, "data_steward"), principal_with(tenant, "tenant_admin")
    assert may_now(tenant, steward, "export.create")
    version = put_in_force(tenant, FORBID_EXPORT)
    assert not may_now(tenant, steward, "export.create")
    with acting(tenant, admin):
        policies.retire_version(admin, policy_id=version.policy_id, number=1)
    assert may_now(tenant, steward, "export.create")


def test_a_policy_of_a_rival_decides_nothing_here(tenant: Tenant, rival: Tenant) -> None:
    put_in_force(rival, FORBID_EXPORT)
    assert may_now(tenant, principal_with(tenant, "data_steward"), "export.create")


def test_a_permit_gives_what_no_role_gives_and_names_itself(tenant: Tenant, events: list[Recorded]) -> None:
    viewer = principal_with(tenant, "viewer")
    assert not may_now(tenant, viewer, "dataset.delete")
    version = put_in_force(tenant, PERMIT_DELETE, name="viewers-delete")
    events.clear()
    assert may_now(tenant, viewer, "dataset.delete")
    assert [one.event.policies for one in events] == [("policy:viewers-delete@1",)]
    assert version.statement_id == "policy:viewers-delete@1"


def test_nobody_puts_their_own_permit_in_force_but_a_forbid(tenant: Tenant) -> None:
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        permit = policies.draft_policy(admin, name="mine", text=PERMIT_DELETE)
        forbid = policies.draft_policy(admin, name="ours", text=FORBID_EXPORT)
        with pytest.raises(SamePerson):
            policies.activate_version(admin, policy_id=permit.policy_id, number=1)
        assert policies.activate_version(admin, policy_id=forbid.policy_id, number=1).state == "active"


def test_a_new_version_takes_the_place_of_the_one_in_force(tenant: Tenant) -> None:
    admin, officer = principal_with(tenant, "tenant_admin"), principal_with(tenant, "security_officer")
    first = put_in_force(tenant, FORBID_EXPORT)
    with acting(tenant, admin):
        second = policies.draft_version(admin, policy_id=first.policy_id, text=PERMIT_DELETE)
    assert not may_now(tenant, principal_with(tenant, "data_steward"), "export.create")
    with acting(tenant, officer):
        policies.activate_version(officer, policy_id=first.policy_id, number=second.number)
        states = dict(AccessPolicyVersion.objects.filter(policy_id=first.policy_id).values_list("number", "state"))
    assert states == {1: "retired", 2: "active"}
    assert may_now(tenant, principal_with(tenant, "data_steward"), "export.create")
    with acting(tenant, officer), pytest.raises(PolicyStateConflict):
        policies.activate_version(officer, policy_id=first.policy_id, number=1)
    with acting(tenant, officer), pytest.raises(PolicyStateConflict):
        policies.retire_version(officer, policy_id=first.policy_id, number=1)


def test_the_database_allows_one_version_in_force(tenant: Tenant) -> None:
    version = put_in_force(tenant, FORBID_EXPORT)
    with acting(tenant), pytest.raises(IntegrityError), transaction.atomic():
        AccessPolicyVersion.objects.create(
            policy_id=version.policy_id, number=7, state="active", text=FORBID_EXPORT, created_by=uuid4()
        )


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"tenant_admin", "security_officer"}))
def test_other_roles_manage_no_policies(tenant: Tenant, role: str) -> None:
    somebody = principal_with(tenant, role)
    with acting(tenant, somebody), pytest.raises(AccessDenied):
        policies.draft_policy(somebody, name="mine", text=FORBID_EXPORT)


def test_what_cannot_be_used_is_not_saved(tenant: Tenant) -> None:
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        with pytest.raises(InvalidPolicyText):
            policies.draft_policy(admin, name="broken", text="permit(")
        with pytest.raises(InvalidPolicyText):
            policies.draft_policy(admin, name="shred", text=f'@shred("x") {PERMIT_DELETE}')
        with pytest.raises(InvalidPolicyText):
            missing = '@anonymize("no such@3") permit(principal, action == Action::"record.read", resource);'
            policies.draft_policy(admin, name="missing", text=missing)
        with pytest.raises(InvalidAnnotation):
            policies.draft_policy(admin, name="form", form={"effect": "permit", "obligations": ["shred:x"]})
        for name in ("", "Upper", "a b", "-a", "a" * 64):
            with pytest.raises(InvalidInput):
                policies.draft_policy(admin, name=name, text=FORBID_EXPORT)
        with pytest.raises(InvalidInput):
            policies.draft_policy(admin, name="long", text=FORBID_EXPORT, description="x" * 301)
        policies.draft_policy(admin, name="taken", text=FORBID_EXPORT)
        with pytest.raises(NameTaken):
            policies.draft_policy(admin, name="taken", text=FORBID_EXPORT)
        with pytest.raises(AccessPolicyNotFound):
            policies.get_policy(admin, policy_id=uuid4())
        with pytest.raises(AccessPolicyNotFound):
            policies.activate_version(admin, policy_id=uuid4(), number=1)
        with pytest.raises(AccessPolicyNotFound):
            policies.draft_version(admin, policy_id=uuid4(), text=FORBID_EXPORT)


def test_what_is_written_by_the_readable_form_keeps_the_form_beside_it(tenant: Tenant) -> None:
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        form = {"effect": "forbid", "actions": ["export.create"], "residencies": ["us"]}
        version = policies.draft_policy(admin, name="no-exports", form=form)
        assert version.form["residencies"] == ["us"]
        assert 'resource.residency == "us"' in version.text
        assert policies.check_policy(admin, text=version.text).is_usable
        assert [one.name for one in policies.list_policies(admin)] == ["no-exports"]


def test_changes_are_told(tenant: Tenant, events: list[Recorded]) -> None:
    put_in_force(tenant, FORBID_EXPORT, name="told")
    changes = [one.event.metadata for one in events if one.event.type is EventType.ACCESS_POLICY_CHANGED]
    assert changes == [
        {"policy": "policy:told@1", "state": "draft"},
        {"policy": "policy:told@1", "state": "active"},
    ]


def test_every_change_of_policies_roles_and_purposes_is_a_new_epoch(tenant: Tenant) -> None:
    def epoch() -> tuple[int, object]:
        with acting(tenant):
            return PolicyEpoch.objects.filter(pk=tenant.pk).values_list("number", "stamp").get()

    seen = [epoch()]
    with acting(tenant):
        Purpose.objects.create(code="research")
    seen.append(epoch())
    with acting(tenant):
        Role.objects.filter(code="viewer").update(permissions=[])
    seen.append(epoch())
    put_in_force(tenant, FORBID_EXPORT)
    seen.append(epoch())
    with acting(tenant):
        Purpose.objects.filter(code="research").delete()
    seen.append(epoch())
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    assert len({stamp for _, stamp in seen}) == len(seen)


def test_what_was_rolled_back_is_never_decided_by(tenant: Tenant) -> None:
    """T13, T19: an epoch that did not come to be leaves nothing behind in the process."""
    admin, steward = principal_with(tenant, "tenant_admin"), principal_with(tenant, "data_steward")
    with pytest.raises(RuntimeError), acting(tenant, admin):
        drafted = policies.draft_policy(admin, name="undone", text=FORBID_EXPORT)
        policies.activate_version(admin, policy_id=drafted.policy_id, number=1)
        assert policies_in_force().compiled.statements
        raise RuntimeError
    assert may_now(tenant, steward, "export.create")
    put_in_force(tenant, PERMIT_DELETE)
    assert may_now(tenant, steward, "export.create")


def test_a_version_that_cannot_be_read_any_more_closes_the_data_and_nothing_else(tenant: Tenant) -> None:
    version = put_in_force(tenant, PERMIT_DELETE)
    with acting(tenant):
        AccessPolicyVersion.objects.filter(pk=version.pk).update(text="what an older release could read")
    assert not may_now(tenant, principal_with(tenant, "data_steward"), "dataset.read")
    admin = principal_with(tenant, "tenant_admin")
    assert may_now(tenant, admin, "user.read", ResourceRef("user"))
    with acting(tenant, admin):
        policies.retire_version(admin, policy_id=version.policy_id, number=1)
    assert may_now(tenant, principal_with(tenant, "data_steward"), "dataset.read")


def test_a_violation_is_told_beside_the_decision_and_survives_it(tenant: Tenant, events: list[Recorded]) -> None:
    put_in_force(tenant, FORBID_EXPORT, name="no-exports")
    events.clear()
    assert not may_now(tenant, principal_with(tenant, "data_steward"), "export.create")
    decision, violation = (one.event for one in events)
    assert (decision.type, decision.status, decision.policies) == (
        EventType.ACCESS_DENIED,
        "denied",
        ("policy:no-exports@1",),
    )
    assert (violation.type, violation.severity, violation.status) == (EventType.POLICY_VIOLATED, "critical", "denied")
    assert violation.metadata == {"action": "export.create", "decision": str(decision.id)}


def test_what_no_role_permits_is_no_violation(tenant: Tenant, events: list[Recorded]) -> None:
    put_in_force(tenant, FORBID_EXPORT)
    events.clear()
    assert not may_now(tenant, principal_with(tenant, "viewer"), "dataset.delete")
    assert [one.event.type for one in events] == [EventType.ACCESS_DENIED]


def test_an_event_keeps_what_it_was_decided_on_as_ids_and_codes(tenant: Tenant, events: list[Recorded]) -> None:
    somebody = principal_with(
        tenant,
        "data_scientist",
        attributes={"department": "research", "clearance": "anything anybody typed!"},
        mfa=True,
    )
    with acting(tenant, somebody):
        authorize(somebody, "record.read", DATASET, purpose="analytics")
    inputs = events[-1].event.metadata["inputs"]
    assert inputs["roles"] == ["data_scientist"]
    assert inputs["permissions"] == ["record.read.masked"]
    assert (inputs["attributes"], inputs["mfa"], inputs["residency"]) == ({"department": "research"}, True, "eu")
    assert "anything" not in json.dumps(inputs)


def test_tags_are_looked_up_when_a_policy_asks_for_them(tenant: Tenant) -> None:
    put_in_force(
        tenant,
        'forbid(principal, action == Action::"export.create", resource) when { resource.tags.contains("held") };',
    )
    steward = principal_with(tenant, "data_steward")
    held, free = make_dataset(tenant, tags=("held",)), make_dataset(tenant)
    for dataset, expected in ((held, False), (free, True)):
        resource = ResourceRef("dataset", str(dataset.pk), dataset.pk, dataset.classification)
        assert may_now(tenant, steward, "export.create", resource) is expected


def test_audit_level_is_done_by_the_decision_itself(tenant: Tenant, events: list[Recorded]) -> None:
    put_in_force(tenant, '@audit_level("detailed") permit(principal, action == Action::"dataset.delete", resource);')
    steward = principal_with(tenant, "data_steward")
    with acting(tenant, steward):
        decision = authorize(steward, "dataset.delete", DATASET)
    assert (decision.effect, decision.obligations) == ("allow", ())
    assert events[-1].event.obligations == ("audit_level:detailed",)


def test_obligations_of_policies_reach_the_decision(tenant: Tenant) -> None:
    put_in_force(
        tenant,
        '@mask("email") permit(principal, action == Action::"record.read", resource)'
        ' when { resource.classification == "pii" };',
    )
    steward = principal_with(tenant, "data_steward")
    with acting(tenant, steward):
        decision = authorize(steward, "record.read", DATASET, purpose="analytics")
    assert decision.obligations == (Obligation("mask", fields=("email",)),)


def test_a_credential_held_to_some_datasets_reaches_no_other(tenant: Tenant) -> None:
    mine, other = make_dataset(tenant), make_dataset(tenant)
    held = principal_with(tenant, "data_steward", datasets=frozenset({mine.pk}))
    for dataset, expected in ((mine, True), (other, False)):
        resource = ResourceRef("dataset", str(dataset.pk), dataset.pk, dataset.classification)
        assert may_now(tenant, held, "dataset.update", resource) is expected
    assert not may_now(tenant, held, "dataset.create", ResourceRef("dataset"))
    assert may_now(tenant, held, "dataset.list", ResourceRef("dataset"))


def test_policies_are_rows_of_one_tenant(tenant: Tenant, rival: Tenant) -> None:
    version = put_in_force(tenant, FORBID_EXPORT)
    admin = principal_with(rival, "tenant_admin")
    with acting(rival, admin):
        assert not AccessPolicy.objects.exists()
        with pytest.raises(AccessPolicyNotFound):
            policies.get_policy(admin, policy_id=version.policy_id)


def test_an_engine_that_gives_no_answer_is_a_denial_that_the_audit_explains(
    tenant: Tenant, events: list[Recorded], settings: Any
) -> None:
    """T22: down is a denial, and the event says why."""
    remote = {"BACKEND": "access.policy.remote.RemoteEngine", "OPTIONS": {"url": "http://127.0.0.1:9/", "timeout": 0.2}}
    settings.VAULT = {**settings.VAULT, "POLICY": remote}
    reset_providers()
    steward = principal_with(tenant, "data_steward")
    try:
        with pytest.raises(PolicyEngineUnavailable), acting(tenant, steward):
            authorize(steward, "record.read", DATASET, purpose="analytics")
    finally:
        reset_providers()
    (denied,) = (one.event for one in events)
    assert (denied.status, denied.failure_reason) == ("denied", "VAULT_AUTHZ_2205")
    assert (denied.policies, denied.metadata["reason"]) == (
        ("engine:unavailable",),
        "the policy engine gives no answer",
    )


def test_a_decision_is_bound_to_the_purpose_it_was_made_for(tenant: Tenant) -> None:
    """T23: what the request says later changes nothing of a decision made."""
    put_in_force(
        tenant,
        'forbid(principal, action == Action::"record.read", resource) when { context.purpose == "debugging" };',
    )
    steward = principal_with(tenant, "data_steward")
    with acting(tenant, steward):
        decision = authorize(steward, "record.read", DATASET, purpose="analytics")
        assert decision.purpose == "analytics"
        with pytest.raises(FrozenInstanceError):
            decision.purpose = "debugging"
        with pytest.raises(AccessDenied):
            authorize(steward, "record.read", DATASET, purpose="debugging")
