"""Standing permissions on one dataset, guardian's direct relation inside a tenant."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone
from guardian.core import ObjectPermissionChecker

from access.errors import AccessDenied, GrantTooWide, UserNotFound
from access.leases.errors import ObjectPermissionNotFound
from access.models import User
from access.services.authorize import authorize
from audit.models import AuditEvent
from datasets.errors import DatasetNotFound
from datasets.models import Dataset, DatasetUserPermission
from datasets.selectors import resource_of
from datasets.services.datasets import DatasetFacts, update_dataset
from datasets.services.permissions import LEVELS, grant_permission, list_permissions, revoke_permissions
from tests.factories.access import acting, age
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import open_as, person
from vaultsite.kernel.errors import InvalidInput


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(3)))
    return dataset


@pytest.fixture
def steward(tenant):
    return person(tenant, "data_steward")


def give(tenant, giver, dataset, holder, level, **facts):
    with acting(tenant, giver):
        return grant_permission(giver, dataset_id=dataset.pk, user_id=holder.id, level=level, **facts)


def test_each_way_of_reading_shows_records_its_own_way(tenant, filled, steward):
    for level, operator in (("read_raw", None), ("read_masked", "mask"), ("read_redacted", "redact")):
        viewer = person(tenant, "viewer")
        with pytest.raises(AccessDenied):
            open_as(tenant, filled, viewer)
        row = give(tenant, steward, filled, viewer, level)
        release = open_as(tenant, filled, viewer)
        assert release.operator == operator
        assert f"permission:{row.pk}" in release.decision.policy_ids


def test_it_is_for_one_dataset(tenant, filled, steward):
    viewer = person(tenant, "viewer")
    give(tenant, steward, filled, viewer, "read_raw")
    other = make_dataset(tenant)
    upload(tenant, other, jsonl(rows_of(1)))
    with pytest.raises(AccessDenied):
        open_as(tenant, other, viewer)


def test_who_holds_one_sees_that_dataset_and_no_other(tenant, filled, steward):
    make_dataset(tenant)
    officer = person(tenant, "security_officer")
    with acting(tenant, officer):
        assert not Dataset.objects.visible_to(officer).exists()
    give(tenant, steward, filled, officer, "view")
    with acting(tenant, officer):
        assert list(Dataset.objects.visible_to(officer)) == [filled]
        authorize(officer, "dataset.read", resource_of(filled))


def test_managing_one_dataset_changes_that_one(tenant, filled, steward):
    viewer = person(tenant, "viewer")
    give(tenant, steward, filled, viewer, "manage")
    with acting(tenant, viewer):
        update_dataset(viewer, dataset_id=filled.pk, facts=DatasetFacts(description="kept by a viewer"))
    other = make_dataset(tenant)
    with pytest.raises(AccessDenied), acting(tenant, viewer):
        update_dataset(viewer, dataset_id=other.pk, facts=DatasetFacts(description="not theirs"))


def test_nobody_gives_more_than_they_have_or_to_themselves(tenant, filled, steward):
    admin = person(tenant, "data_steward")
    narrow = type(admin)(**(vars(admin) | {"permissions": admin.permissions - {"record.read.raw", "record.write"}}))
    for level in ("read_raw", "write"):
        with pytest.raises(GrantTooWide):
            give(tenant, narrow, filled, person(tenant, "viewer"), level)
    with pytest.raises(GrantTooWide):
        give(tenant, steward, filled, steward, "view")


def test_it_ends_by_the_clock_of_the_database(tenant, filled, steward):
    viewer = person(tenant, "viewer")
    row = give(tenant, steward, filled, viewer, "read_raw", expires_at=timezone.now() + timedelta(hours=1))
    assert open_as(tenant, filled, viewer).is_raw
    age(row, expires_at=timedelta(seconds=1))
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)


def test_taken_away_it_opens_nothing(tenant, filled, steward):
    viewer = person(tenant, "viewer")
    for level in ("read_raw", "write"):
        give(tenant, steward, filled, viewer, level)
    with acting(tenant, steward):
        assert revoke_permissions(steward, dataset_id=filled.pk, user_id=viewer.id, level="write") == 1
        assert [row.permission.codename for row in list_permissions(filled)] == ["read_raw"]
        assert revoke_permissions(steward, dataset_id=filled.pk, user_id=viewer.id) == 1
        with pytest.raises(ObjectPermissionNotFound):
            revoke_permissions(steward, dataset_id=filled.pk, user_id=viewer.id)
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)
    with acting(tenant):
        types = list(AuditEvent.objects.filter(dataset_id=filled.pk).values_list("type", flat=True))
    assert types.count("data.access.granted") == types.count("data.access.revoked") == 2


def test_what_does_not_fit_is_refused(tenant, rival, filled, steward):
    viewer = person(tenant, "viewer")
    with pytest.raises(InvalidInput):
        give(tenant, steward, filled, viewer, "everything")
    with pytest.raises(InvalidInput):
        give(tenant, steward, filled, viewer, "view", expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(UserNotFound):
        give(tenant, steward, filled, person(rival, "viewer"), "view")
    with pytest.raises(DatasetNotFound):
        give(rival, person(rival, "data_steward"), filled, person(rival, "viewer"), "view")
    with pytest.raises(AccessDenied):
        give(tenant, person(tenant, "ml_engineer"), filled, viewer, "view")


def test_the_database_keeps_it_inside_the_tenant(tenant, rival, filled, steward):
    row = give(tenant, steward, filled, person(tenant, "viewer"), "view")
    foreigner = person(rival, "viewer")
    with pytest.raises(IntegrityError, match="datasets_userpermission_user"), acting(tenant):
        DatasetUserPermission.objects.filter(pk=row.pk).update(user_id=foreigner.id)


def test_guardians_own_check_reads_the_same_rows(tenant, rival, filled, steward):
    viewer = person(tenant, "viewer")
    give(tenant, steward, filled, viewer, "read_masked")
    with acting(tenant):
        checker = ObjectPermissionChecker(User.objects.get(pk=viewer.id))
        assert list(checker.get_user_perms(filled)) == ["read_masked"]
        # Our users have no groups of Django's: its check of both together fails rather than answers.
        with pytest.raises(AttributeError):
            checker.has_perm("read_masked", filled)


def test_every_level_is_a_permission_that_migrate_made(tenant, filled, steward):
    viewer = person(tenant, "viewer")
    for level in LEVELS:
        give(tenant, steward, filled, viewer, level)
    with acting(tenant, steward):
        assert [row.permission.codename for row in list_permissions(filled)] == [
            level.codename for level in LEVELS.values()
        ]
