from django.db import migrations

# The planner takes an organization that its statistics do not name for one of a single row. While an organization is
# new, that of every event is asked for by going through all of them: sealing 5,000 events took minutes. Without
# statistics of this column it takes every organization for a two-hundredth of the table, and uses whole keys.
UNCOUNTED = """
CREATE OR REPLACE FUNCTION audit_close_partition(partition regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format('CREATE POLICY owner ON %s TO vault_owner USING (true) WITH CHECK (true)', partition);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, vault_app, vault_system', partition);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()', partition);
    EXECUTE format('ALTER TABLE %s ALTER COLUMN tenant_id SET STATISTICS 0', partition);
END $$;
ALTER TABLE audit_leaf ALTER COLUMN tenant_id SET STATISTICS 0;
ALTER TABLE audit_event ALTER COLUMN tenant_id SET STATISTICS 0;
"""
# What was counted before stays until it is taken away; before PostgreSQL 18 only a superuser can.
FORGOTTEN = """
DO $$
DECLARE one record;
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        FOR one IN
            SELECT n.nspname, c.relname, inherited
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN (VALUES (true), (false)) AS v (inherited)
             WHERE c.oid = 'audit_leaf'::regclass OR c.oid IN (SELECT relid FROM pg_partition_tree('audit_event'))
        LOOP
            PERFORM pg_clear_attribute_stats(one.nspname::text, one.relname::text, 'tenant_id', one.inherited);
        END LOOP;
    END IF;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0012_archive")]

    operations = [
        migrations.RunSQL(UNCOUNTED, migrations.RunSQL.noop),
        migrations.RunSQL(FORGOTTEN, migrations.RunSQL.noop),
    ]
