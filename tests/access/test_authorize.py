"""Rules of the decision point."""

from uuid import uuid4

import pytest

from access.errors import AccessDenied, PurposeRequired, UnknownPurpose
from access.models import Purpose, Tenant
from access.services.authorize import Obligation, ResourceRef, authorize, may
from tests.factories.access import acting, principal_with
from vaultsite.kernel.errors import NoTenantScope
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

DATASET = ResourceRef("dataset", str(uuid4()))
RESTRICTED = ResourceRef("dataset", str(uuid4()), classification="restricted")


def decide(
    tenant: Tenant, principal: Principal, action: str, resource: ResourceRef = DATASET, purpose: str | None = None
):
    with acting(tenant, principal):
        return authorize(principal, action, resource, purpose=purpose)


def test_a_steward_reads_raw(tenant: Tenant) -> None:
    decision = decide(tenant, principal_with(tenant, "data_steward"), "record.read", purpose="analytics")
    assert (decision.effect, decision.obligations, decision.purpose) == ("allow", (), "analytics")


@pytest.mark.parametrize(("role", "operator"), [("data_scientist", "mask"), ("analyst", "redact"), ("service", "mask")])
def test_other_readers_are_obliged_to_anonymize(tenant: Tenant, role: str, operator: str) -> None:
    decision = decide(tenant, principal_with(tenant, role), "record.read", purpose="analytics")
    assert decision.effect == "allow_with_conditions"
    assert decision.obligations == (Obligation("anonymize", operator),)


def test_restricted_records_are_shown_raw_or_not_at_all(tenant: Tenant) -> None:
    for role in ("data_scientist", "analyst", "tenant_admin"):
        with pytest.raises(AccessDenied):
            decide(tenant, principal_with(tenant, role), "record.read", RESTRICTED, "analytics")
    for role in ("data_steward", "privacy_officer"):
        assert decide(tenant, principal_with(tenant, role), "record.read", RESTRICTED, "analytics").effect == "allow"


def test_reading_records_without_a_purpose_is_denied(tenant: Tenant) -> None:
    with pytest.raises(PurposeRequired):
        decide(tenant, principal_with(tenant, "data_steward"), "record.read")


@pytest.mark.parametrize("purpose", ["world-domination", "analytics ", "ANALYTICS", "x" * 500])
def test_an_unknown_purpose_is_denied_whatever_the_action(tenant: Tenant, purpose: str) -> None:
    for action in ("record.read", "dataset.list"):
        with pytest.raises(UnknownPurpose):
            decide(tenant, principal_with(tenant, "data_steward"), action, purpose=purpose)


def test_a_purpose_switched_off_is_unknown(tenant: Tenant) -> None:
    with acting(tenant):
        Purpose.objects.filter(code="debugging").update(is_active=False)
    with pytest.raises(UnknownPurpose):
        decide(tenant, principal_with(tenant, "data_steward"), "record.read", purpose="debugging")


def test_a_rival_s_purpose_is_unknown_here(tenant: Tenant, rival: Tenant) -> None:
    with acting(rival):
        Purpose.objects.create(code="rivalry")
    with pytest.raises(UnknownPurpose):
        decide(tenant, principal_with(tenant, "data_steward"), "record.read", purpose="rivalry")


def test_the_purpose_of_the_request_goes_before_that_of_the_credential(tenant: Tenant) -> None:
    principal = principal_with(tenant, "data_steward", purpose="evaluation")
    assert decide(tenant, principal, "record.read").purpose == "evaluation"
    with tenant_scope(tenant.pk, principal, RequestFacts(purpose="debugging")):
        assert authorize(principal, "record.read", DATASET).purpose == "debugging"


def test_an_unknown_action_is_denied_even_to_who_may_do_everything(tenant: Tenant) -> None:
    with acting(tenant) as scope, pytest.raises(AccessDenied):
        authorize(scope.principal, "dataset.explode", DATASET)


def test_a_principal_of_another_tenant_is_denied(tenant: Tenant, rival: Tenant) -> None:
    stranger = principal_with(rival, "data_steward")
    with acting(tenant), pytest.raises(AccessDenied):
        authorize(stranger, "dataset.read", DATASET)


def test_who_has_no_role_is_denied(tenant: Tenant) -> None:
    for principal in (Principal.nobody(tenant.pk), Principal.system(tenant.pk), principal_with(tenant)):
        with pytest.raises(AccessDenied):
            decide(tenant, principal, "dataset.list")
        assert not may(principal, "dataset.list")


def test_scopes_narrow_what_roles_permit(tenant: Tenant) -> None:
    principal = principal_with(tenant, "data_steward", scopes=frozenset({"dataset.read"}))
    assert decide(tenant, principal, "dataset.read").effect == "allow"
    with pytest.raises(AccessDenied):
        decide(tenant, principal, "dataset.delete")


def test_no_decision_without_a_scope(tenant: Tenant) -> None:
    with pytest.raises(NoTenantScope):
        authorize(principal_with(tenant, "viewer"), "dataset.list", DATASET)


def test_an_allowed_action_is_recorded_once_with_purpose_policy_and_obligations(
    tenant: Tenant, events: list[Recorded]
) -> None:
    principal = principal_with(tenant, "data_scientist")
    decide(tenant, principal, "record.read", purpose="analytics")
    (recorded,) = events
    event = recorded.event
    assert recorded.principal == principal
    assert (event.type, event.operation, event.status) == (EventType.ACCESS_READ, "read", "success")
    assert (event.purpose, event.policies, event.obligations) == (
        "analytics",
        ("builtin:record.read",),
        ("anonymize:mask",),
    )
    assert event.resource == DATASET


def test_a_denied_action_is_recorded_once_and_survives_the_rollback(tenant: Tenant, events: list[Recorded]) -> None:
    with pytest.raises(AccessDenied):
        decide(tenant, principal_with(tenant, "viewer"), "record.read", purpose="analytics")
    (recorded,) = events
    event = recorded.event
    assert (event.type, event.status) == (EventType.ACCESS_DENIED, "denied")
    assert (event.failure_reason, event.purpose) == ("VAULT_AUTHZ_2001", "analytics")


def test_a_denial_that_is_swallowed_is_recorded_as_a_denial(tenant: Tenant, events: list[Recorded]) -> None:
    principal = principal_with(tenant, "viewer")
    with acting(tenant, principal), pytest.raises(AccessDenied):
        authorize(principal, "user.manage", ResourceRef("user"))
    (recorded,) = events
    assert (recorded.event.type, recorded.event.status) == (EventType.ADMIN_WRITE, "denied")
