"""What people are called on the pages of their tenant."""

from uuid import uuid4

from access.selectors import people_named
from access.services.deprovisioning import deactivate_user
from tests.factories.access import acting, make_api_key, make_user, principal_with
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID


def test_everybody_has_a_name_from_one_query(tenant, rival, django_assert_num_queries):
    named, plain = make_user(tenant, full_name="Grace Hopper"), make_user(tenant, username="ada")
    key, _ = make_api_key(tenant)
    stranger, gone = make_user(rival, full_name="Somebody Else"), uuid4()
    reader = principal_with(tenant, "data_scientist")
    ids = [named.pk, plain.pk, key.pk, stranger.pk, gone, SYSTEM_PRINCIPAL_ID, reader.id, None, named.pk]
    with acting(tenant, reader), django_assert_num_queries(1):
        people = people_named(reader, ids)
    assert [people[each] for each in ids if each] == [
        "Grace Hopper", "ada", "a key (API key)", "unknown", "unknown", "the vault", "you", "Grace Hopper",
    ]  # fmt: skip


def test_who_was_disabled_keeps_the_name(tenant):
    user, reader = make_user(tenant, username="eve"), principal_with(tenant, "tenant_admin")
    with acting(tenant, reader):
        deactivate_user(reader, user_id=user.pk)
        assert people_named(reader, [user.pk])[user.pk] == "eve"


def test_nobody_is_looked_up_for_a_page_without_people(tenant, django_assert_num_queries):
    reader = principal_with(tenant, "viewer")
    with acting(tenant, reader), django_assert_num_queries(0):
        people_named(reader, [None, reader.id])
