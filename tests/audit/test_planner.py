"""The planner must not take an organization that is new for one without leaves: it would go through all of them."""

from django.db import connections

from audit.log.status import unsealed_events
from tests.audit.proofs.logs import grow
from tests.factories.audit import make_principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_COUNTED = """
    SELECT attstattarget FROM pg_attribute WHERE attrelid = 'audit_leaf'::regclass AND attname = 'tenant_id'
"""


def test_no_statistics_of_leaves_tell_organizations_apart() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(_COUNTED)
        assert cursor.fetchall() == [(0,)]


def test_the_leaf_of_an_event_is_probed_for_and_not_joined(tenant) -> None:
    grow(tenant.pk)
    with tenant_scope(tenant.pk, make_principal(tenant.pk)):
        plan = unsealed_events().explain()
    assert "SubPlan" in plan
    assert "Join" not in plan
