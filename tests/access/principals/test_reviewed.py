"""Access reviews of what groups and service accounts hold."""

from dataclasses import replace

import pytest

from access.errors import SamePerson
from access.models import GrantKind, RoleBinding, User, Verdict
from access.selectors import people_named, user_principal
from access.services.service_accounts import create_service_account
from access.services.tenants import operator
from datasets.models import DatasetGroupPermission
from datasets.services.group_permissions import grant_to_group
from tests.access.principals.test_groups import group_with
from tests.access.test_reviews import decide, items_of, start
from tests.factories.access import acting
from tests.factories.datasets import make_dataset
from tests.factories.leases import person


@pytest.fixture
def officer(tenant):
    return person(tenant, "security_officer")


def test_what_a_group_holds_is_decided_on_by_who_is_not_in_it(tenant, officer):
    member, other = person(tenant, "data_steward"), person(tenant, "privacy_officer")
    group = group_with(tenant, "viewer", members=[User(pk=member.id)], name="Team")
    with acting(tenant):
        account = create_service_account(operator(tenant.pk), name="loader", roles=["service"])
        inside = replace(
            user_principal(User.objects.get(pk=member.id)), mfa=True, authenticated_at=member.authenticated_at
        )
    review = start(tenant, officer, [member, other], GrantKind.ROLE)
    items = items_of(tenant, review)
    assert {items[group.pk].holder_kind, items[account.pk].holder_kind} == {"group", "service_account"}
    with pytest.raises(SamePerson):
        decide(tenant, review, items[group.pk], inside, Verdict.KEEP)
    decide(tenant, review, items[group.pk], other, Verdict.REVOKE)
    with acting(tenant):
        assert not RoleBinding.objects.filter(group=group).exists()
        assert people_named(other, [group.pk])[group.pk] == "Team (group)"


def test_a_permission_of_a_group_lapses_and_is_revoked_like_a_persons(tenant, officer):
    steward, dataset = person(tenant, "data_steward"), make_dataset(tenant)
    reviewers = [person(tenant, "data_steward"), person(tenant, "privacy_officer")]
    group = group_with(tenant, name="Team")
    with acting(tenant, steward):
        grant_to_group(steward, dataset_id=dataset.pk, group_id=group.pk, level="view")
    review = start(tenant, officer, reviewers, GrantKind.PERMISSION)
    with acting(tenant):
        assert DatasetGroupPermission.objects.get().expires_at == review.deadline
    (item,) = items_of(tenant, review).values()
    decide(tenant, review, item, reviewers[0], Verdict.REVOKE)
    with acting(tenant):
        assert not DatasetGroupPermission.objects.exists()
