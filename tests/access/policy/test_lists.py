"""A list of datasets is answered by the policy that answers a single read, in one query."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import Tenant
from access.policy.question import ask
from access.ports import resource_source
from access.services.authorize import decide
from access.services.policies_in_force import policies_in_force
from datasets.models import ConsentLink, Dataset
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, principal_with
from tests.factories.datasets import make_dataset
from vaultsite.kernel.tenancy.principal import Principal

READ = 'action == Action::"dataset.read"'
ANY, ALL = 'resource.tags.containsAny(["a", "b"])', 'resource.tags.containsAll(["a", "b"])'
POLICIES = [
    f'forbid(principal, {READ}, resource) when {{ resource.classification == "pii" }};',
    f'forbid(principal, {READ}, resource) unless {{ ["pii", "public"].contains(resource.classification) }};',
    f'forbid(principal, {READ}, resource) when {{ resource.residency == "us" }};',
    f'forbid(principal, {READ}, resource) when {{ resource has residency && resource.residency == "us" }};',
    f'forbid(principal, {READ}, resource) when {{ {ANY} && !(resource.classification == "pii") }};',
    f"forbid(principal, {READ}, resource) unless {{ {ALL} || resource.owner == principal.id }};",
    f'forbid(principal, {READ}, resource) when {{ resource.consent == "none" }};',
    f'forbid(principal, {READ}, resource) unless {{ resource.consent == "declared" }};',
    f'forbid(principal, {READ}, resource) when {{ ["lenient", "none"].contains(resource.consent) }};',
    f'forbid(principal, {READ}, resource) when {{ resource.consent == "indexed" && resource.residency == "us" }};',
    f"forbid(principal, {READ}, resource) when {{ principal.department == resource.residency }};",
    f'forbid(principal, {READ}, resource) when {{ principal.mfa && resource.classification != "public" }};',
    f'forbid(principal, {READ}, resource) when {{ resource.classification == "pii" && principal.clearance == "low" }};',
    f'forbid(principal in Role::"viewer", {READ}, resource) when {{ resource.tags.contains("a") }};',
    f'forbid(principal, {READ}, resource) when {{ context.purpose == "debugging" || resource.tags.contains("b") }};',
    f'permit(principal, {READ}, resource) when {{ resource.classification == "public" }};',
    f'permit(principal, {READ}, resource) when {{ resource.residency != "us" && resource.tags.contains("a") }};',
    f"permit(principal, {READ}, resource) when {{ resource.owner == principal.id }};",
    'permit(principal, action in Action::"read", resource is Dataset) when { resource.classification == "pii" };',
]


@pytest.fixture
def datasets(tenant: Tenant) -> list[Dataset]:
    facts: list[dict[str, Any]] = [
        {"classification": classification, "region": region, "tags": tags}
        for classification in ("pii", "public")
        for region in ("", "us", "eu")
        for tags in ((), ("a",), ("a", "b"))
    ]
    made = [make_dataset(tenant, **one) for one in facts]
    with acting(tenant):
        for number, one in enumerate(made[:6]):
            declared = {"subject": "/data/customer" if number % 3 else "", "releases_unlinked": number % 2 == 0}
            ConsentLink.objects.create(dataset=one, subject_type="CUSTOMER", declared_by=one.created_by, **declared)
    return made


def listed(tenant: Tenant, principal: Principal) -> set[Any]:
    with acting(tenant, principal):
        return set(Dataset.objects.visible_to(principal).values_list("pk", flat=True))


def read_one_by_one(tenant: Tenant, principal: Principal) -> set[Any]:
    with acting(tenant, principal):
        found = resource_source().datasets(after=None, limit=100)
        return {
            one.dataset_id
            for one in found
            if decide(principal, ask(principal, "dataset.read", one, None))[1].effect != "deny"
        }


def test_lists_and_single_reads_agree_under_every_policy(tenant: Tenant, datasets: list[Dataset]) -> None:
    owner = datasets[0].created_by
    people = [
        principal_with(tenant, "viewer"),
        principal_with(tenant, "data_steward", id=owner, mfa=True, attributes={"department": "us"}),
        principal_with(tenant),
        principal_with(tenant, id=owner, attributes={"clearance": "low"}),
        principal_with(tenant, "viewer", datasets=frozenset({datasets[3].pk, datasets[9].pk, uuid4()})),
        principal_with(tenant, "viewer", scopes=frozenset({"dataset.list"})),
    ]
    seen = []
    for text in POLICIES:
        version = put_in_force(tenant, text)
        for person in people:
            found = listed(tenant, person)
            assert found == read_one_by_one(tenant, person), (text, person.name)
            seen.append(len(found))
        admin = principal_with(tenant, "tenant_admin")
        with acting(tenant, admin):
            from_now = version.policy.versions.get(number=1)
            from_now.state = "retired"
            from_now.save(update_fields=["state"])
    assert 0 in seen
    assert len(datasets) in seen
    assert any(0 < count < len(datasets) for count in seen)


def test_a_list_is_one_query(tenant: Tenant, datasets: list[Dataset]) -> None:
    for text in POLICIES[:3]:
        put_in_force(tenant, text)
    somebody = principal_with(tenant, "viewer")
    with acting(tenant, somebody):
        policies_in_force()
        with CaptureQueriesContext(connection) as asked:
            list(Dataset.objects.visible_to(somebody))
    assert len(asked) == 1


def test_a_dataset_that_a_policy_hides_does_not_exist(tenant: Tenant) -> None:
    hidden = make_dataset(tenant, classification="public")
    put_in_force(tenant, f'forbid(principal, {READ}, resource) when {{ resource.classification == "public" }};')
    assert hidden.pk not in listed(tenant, principal_with(tenant, "data_steward"))
