from django.db import migrations

# The planner takes an organization that its statistics do not name for one of a single leaf, and then any index of it
# will do: of an organization that is new every search would go through all of its leaves. Without statistics of this
# column it takes each for a two-hundredth of the table, and uses whole keys.
UNCOUNTED = "ALTER TABLE audit_leaf ALTER COLUMN tenant_id SET STATISTICS 0"
# What was counted before stays until it is taken away; before PostgreSQL 18 only a superuser can.
FORGOTTEN = """
DO $$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        PERFORM pg_clear_attribute_stats(relnamespace::regnamespace::text, relname::text, 'tenant_id', false)
           FROM pg_class WHERE oid = 'audit_leaf'::regclass;
    END IF;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0012_archive")]

    operations = [
        migrations.RunSQL(UNCOUNTED, migrations.RunSQL.noop),
        migrations.RunSQL(FORGOTTEN, migrations.RunSQL.noop),
    ]
