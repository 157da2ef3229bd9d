"""The planner must not take an organization that is new for one without events: it would go through all of them."""

from datetime import date

from django.db import connections

from audit.services.partitions import create_partition

_COUNTED = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
     WHERE (c.oid = 'audit_leaf'::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree('audit_event')))
       AND a.attstattarget IS DISTINCT FROM 0
"""


def test_no_statistics_tell_organizations_apart() -> None:
    create_partition(date(2042, 7, 1))
    with connections["owner"].cursor() as cursor:
        cursor.execute(_COUNTED)
        assert cursor.fetchall() == []
