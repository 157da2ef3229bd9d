"""The planner must not take an organization that is new for one without leaves: it would go through all of them."""

from django.db import connections

_COUNTED = """
    SELECT attstattarget FROM pg_attribute WHERE attrelid = 'audit_leaf'::regclass AND attname = 'tenant_id'
"""


def test_no_statistics_of_leaves_tell_organizations_apart() -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(_COUNTED)
        assert cursor.fetchall() == [(0,)]
