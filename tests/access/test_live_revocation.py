"""T18: what is taken away while a stream runs cuts the stream within a second, and the next action is denied."""

import time

import pytest

from access.errors import AccessDenied
from access.leases.errors import LeaseEnded
from access.models import RoleBinding, User
from access.selectors import api_key_principal, user_principal
from access.services.api_keys import revoke_api_key
from access.services.deprovisioning import deactivate_user
from access.services.grants import revoke_binding
from access.services.leases import revoke_lease
from access.services.tenants import operator
from datasets.errors import DatasetNotFound
from datasets.services.permissions import grant_permission, revoke_permissions
from datasets.services.read import stream_data
from tests.factories.access import acting, make_api_key
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import PURPOSE, lease_for, open_as, person
from vaultsite.kernel.tenancy.principal import RequestFacts

#: Lines of 20 ms and more that are read in a second, and as many again for a look at the database.
AT_MOST = 100


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(150)))
    return dataset


def cut_after(tenant, dataset, reader, take_away):
    """Lines from taking away to the cut, while somebody reads them one by one without haste."""
    stream = stream_data(open_as(tenant, dataset, reader), reader, RequestFacts())
    next(stream)
    take_away()
    lines = 0
    with pytest.raises((AccessDenied, LeaseEnded)):
        for _ in stream:
            lines += 1
            time.sleep(0.02)
    return lines


def by_operator(tenant, act, **facts):
    with acting(tenant):
        act(operator(tenant.pk), **facts)


def test_a_role_taken_away_cuts_the_stream(tenant, filled):
    reader = person(tenant, "data_steward")
    with acting(tenant):
        binding = RoleBinding.objects.get(user=reader.id)
    assert (
        cut_after(tenant, filled, reader, lambda: by_operator(tenant, revoke_binding, binding_id=binding.pk)) < AT_MOST
    )
    with acting(tenant):
        stripped = user_principal(User.objects.get(pk=reader.id), purpose=PURPOSE)
    with pytest.raises(DatasetNotFound):
        open_as(tenant, filled, stripped)


def test_a_disabled_user_is_cut_off(tenant, filled):
    reader = person(tenant, "data_scientist")
    assert cut_after(tenant, filled, reader, lambda: by_operator(tenant, deactivate_user, user_id=reader.id)) < AT_MOST


def test_a_revoked_key_is_cut_off(tenant, filled):
    key, _ = make_api_key(tenant, "service", default_purpose=PURPOSE)
    with acting(tenant):
        reader = api_key_principal(key)
    assert cut_after(tenant, filled, reader, lambda: by_operator(tenant, revoke_api_key, key_id=key.pk)) < AT_MOST


def test_a_lease_taken_away_cuts_the_stream(tenant, filled):
    reader, steward = person(tenant, "viewer"), person(tenant, "data_steward")
    lease = lease_for(tenant, filled, reader)

    def revoke():
        with acting(tenant, steward):
            revoke_lease(steward, lease_id=lease.pk, reason="over")

    assert cut_after(tenant, filled, reader, revoke) < AT_MOST
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, reader)


def test_a_standing_permission_taken_away_cuts_the_stream(tenant, filled):
    reader, steward = person(tenant, "viewer"), person(tenant, "data_steward")
    with acting(tenant, steward):
        grant_permission(steward, dataset_id=filled.pk, user_id=reader.id, level="read_raw")

    def revoke():
        with acting(tenant, steward):
            revoke_permissions(steward, dataset_id=filled.pk, user_id=reader.id)

    assert cut_after(tenant, filled, reader, revoke) < AT_MOST
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, reader)


def test_who_loses_raw_reading_is_not_streamed_raw_though_a_lesser_role_stays(tenant, filled):
    reader = person(tenant, "data_steward", "data_scientist")
    with acting(tenant):
        binding = RoleBinding.objects.get(user=reader.id, role__code="data_steward")
    assert (
        cut_after(tenant, filled, reader, lambda: by_operator(tenant, revoke_binding, binding_id=binding.pk)) < AT_MOST
    )
