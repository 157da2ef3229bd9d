"""A running export stops once its owner has no right to it any more; nothing of it stays."""

from datetime import timedelta

import pytest

from access.models import RoleBinding, User
from access.services.leases import revoke_lease
from access.services.policies import retire_version
from datasets.models import Blob, BlobState
from datasets.services.exports import work
from datasets.services.exports.run import run_export
from datasets.services.guaranteed.run import run_guaranteed_export
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, age, principal_with
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.exports import queue_export, reload_export
from tests.factories.guaranteed import people, queue_guaranteed, reload_guaranteed
from tests.factories.leases import fresh, lease_for, person
from vaultsite.kernel.jobs import JobStatus

GONE = ("failed", "VAULT_AUTHZ_2001")


@pytest.fixture
def filled(tenant, monkeypatch):
    """Every part of an export is a turn of its own."""
    monkeypatch.setattr(work, "PART_BYTES", 2_000)
    monkeypatch.setattr(work, "TURN_SECONDS", 0.0)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(200)))
    return dataset


def stopped_by(tenant, queued, take_away):
    """Status and error of an export from whose owner something is taken after its first part."""
    run_export(tenant.pk, queued.pk)
    begun = reload_export(tenant, queued)
    assert begun.status == JobStatus.QUEUED
    assert begun.progress["read"] > 0
    take_away()
    run_export(tenant.pk, queued.pk)
    done = reload_export(tenant, queued)
    with acting(tenant):
        assert not Blob.objects.filter(job=queued.pk).exclude(state=BlobState.DEAD).exists()
    return done.status, done.error_code


def without_roles(tenant, owner, **which):
    with acting(tenant):
        RoleBinding.objects.filter(user=owner.id, **which).delete()


def test_a_role_that_is_taken_away_stops_it(tenant, filled):
    owner = person(tenant, "data_steward")
    queued = queue_export(tenant, filled, principal=owner)
    assert stopped_by(tenant, queued, lambda: without_roles(tenant, owner)) == GONE


def test_who_may_read_still_but_export_no_more_is_stopped(tenant, filled):
    owner = person(tenant, "privacy_officer", "data_steward")
    queued = queue_export(tenant, filled, principal=owner)
    assert stopped_by(tenant, queued, lambda: without_roles(tenant, owner, role__code="data_steward")) == GONE


def test_who_is_shown_less_now_is_stopped(tenant, filled):
    owner = person(tenant, "data_scientist", "data_steward")
    queued = queue_export(tenant, filled, principal=owner)
    assert stopped_by(tenant, queued, lambda: without_roles(tenant, owner, role__code="data_steward")) == GONE


def test_a_disabled_owner_stops_it(tenant, filled):
    owner = person(tenant, "data_scientist")
    queued = queue_export(tenant, filled, principal=owner)

    def disable():
        with acting(tenant):
            User.objects.filter(pk=owner.id).update(is_active=False)

    assert stopped_by(tenant, queued, disable) == GONE


def test_a_revoked_lease_stops_what_rests_on_it(tenant, filled):
    owner, steward = person(tenant, "data_scientist"), person(tenant, "data_steward")
    lease = lease_for(tenant, filled, owner)
    queued = queue_export(tenant, filled, principal=owner)
    assert queued.operator == ""

    def revoke():
        with acting(tenant, steward):
            revoke_lease(steward, lease_id=lease.pk, reason="over")

    assert stopped_by(tenant, queued, revoke) == ("failed", "VAULT_AUTHZ_2235")


def test_a_lease_that_ends_by_time_stops_it_too(tenant, filled):
    owner = person(tenant, "data_scientist")
    lease = lease_for(tenant, filled, owner)
    queued = queue_export(tenant, filled, principal=owner)

    def end():
        age(fresh(tenant, lease), expires_at=timedelta(seconds=1))

    assert stopped_by(tenant, queued, end) == ("failed", "VAULT_AUTHZ_2235")


def test_a_permit_that_it_rests_on_is_retired(tenant, filled):
    owner, admin = person(tenant, "viewer"), principal_with(tenant, "tenant_admin")
    version = put_in_force(
        tenant,
        'permit(principal in Role::"viewer", action in [Action::"record.read", Action::"export.create"], resource);',
    )
    queued = queue_export(tenant, filled, principal=owner)

    def retire():
        with acting(tenant, admin):
            retire_version(admin, policy_id=version.policy_id, number=1)

    assert stopped_by(tenant, queued, retire) == GONE


def test_an_owner_who_keeps_the_right_gets_the_whole(tenant, filled, monkeypatch):
    monkeypatch.setattr(work, "TURN_SECONDS", 480.0)
    owner = person(tenant, "data_scientist")
    queued = queue_export(tenant, filled, principal=owner)
    run_export(tenant.pk, queued.pk)
    done = reload_export(tenant, queued)
    assert (done.status, done.record_count) == ("succeeded", 200)


def test_a_table_under_a_guarantee_stops_as_well(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(people(60)))
    owner = person(tenant, "data_steward")
    queued = queue_guaranteed(tenant, dataset, principal=owner)
    without_roles(tenant, owner)
    run_guaranteed_export(tenant.pk, queued.pk)
    done = reload_guaranteed(tenant, queued)
    assert (done.status, done.error_code) == GONE
