"""The audit's tables: events in monthly partitions that nobody may change, and the outbox."""

import django.db.models.deletion
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from vaultsite.kernel.tenancy.rls import BY_TENANT, protect_sql

EVENT_TABLE = """
CREATE TABLE audit_event (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    time timestamptz NOT NULL,
    type text NOT NULL,
    status text NOT NULL,
    severity text NOT NULL,
    operation text NOT NULL,
    actor_id uuid NOT NULL,
    actor_kind text NOT NULL,
    resource_type text NOT NULL,
    resource_id text NOT NULL,
    dataset_id uuid NULL,
    classification text NOT NULL,
    version text NOT NULL,
    purpose text NOT NULL,
    policy text NOT NULL,
    request_id text NOT NULL,
    failure_reason text NOT NULL,
    body bytea NOT NULL,
    CONSTRAINT audit_event_pkey PRIMARY KEY (tenant_id, id, time)
) PARTITION BY RANGE (time);
CREATE INDEX audit_event_by_time ON audit_event (tenant_id, time DESC, id DESC);
CREATE INDEX audit_event_by_dataset ON audit_event (tenant_id, dataset_id, time DESC) WHERE dataset_id IS NOT NULL;
CREATE INDEX audit_event_by_actor ON audit_event (tenant_id, actor_id, time DESC);
CREATE INDEX audit_event_by_type ON audit_event (tenant_id, type, time DESC);
"""
DROP_ALL = """
DROP TABLE audit_event;
DROP FUNCTION audit_create_partition(date);
DROP FUNCTION audit_close_partition(regclass);
DROP FUNCTION audit_refuse_change();
"""

# A fence, not a proof: an owner can take a trigger away again.
FENCE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit events are never changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE ALL ON FUNCTION audit_refuse_change() FROM PUBLIC;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""

# A policy of the parent does not protect a partition that is addressed by its own name, so each one is closed to the
# serving roles. A row trigger is inherited from the parent, a truncate trigger is not. A partition is made apart and
# then attached: creating it in place would lock the whole audit exclusively.
PARTITIONS = """
CREATE FUNCTION audit_close_partition(partition regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', partition);
    EXECUTE format('CREATE POLICY owner ON %s TO vault_owner USING (true) WITH CHECK (true)', partition);
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, vault_app, vault_system', partition);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change()', partition);
END $$;
REVOKE ALL ON FUNCTION audit_close_partition(regclass) FROM PUBLIC;

CREATE FUNCTION audit_create_partition(month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', month::timestamp)::date;
    next_month date := (date_trunc('month', month::timestamp) + interval '1 month')::date;
    partition text := 'audit_event_' || to_char(first_day, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_create_partition'));
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE audit_event INCLUDING ALL)', partition);
    PERFORM audit_close_partition(partition::regclass);
    EXECUTE format('ALTER TABLE audit_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first_day || ' 00:00:00+00', next_month || ' 00:00:00+00');
    RETURN true;
END $$;
REVOKE ALL ON FUNCTION audit_create_partition(date) FROM PUBLIC;

CREATE TABLE audit_event_default PARTITION OF audit_event DEFAULT;
SELECT audit_close_partition('audit_event_default');
SELECT audit_create_partition((now() AT TIME ZONE 'UTC' + make_interval(months => month))::date)
  FROM generate_series(-1, 12) AS month;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("access", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(EVENT_TABLE, DROP_ALL),
                migrations.RunSQL(
                    protect_sql("audit_event", using=BY_TENANT, grants=("SELECT", "INSERT"), system=("SELECT",)),
                    migrations.RunSQL.noop,
                ),
                migrations.RunSQL(FENCE, migrations.RunSQL.noop),
                migrations.RunSQL(PARTITIONS, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                        ("time", models.DateTimeField()),
                        ("type", models.TextField()),
                        ("status", models.TextField()),
                        ("severity", models.TextField()),
                        ("operation", models.TextField()),
                        ("actor_id", models.UUIDField()),
                        ("actor_kind", models.TextField()),
                        ("resource_type", models.TextField()),
                        ("resource_id", models.TextField()),
                        ("dataset_id", models.UUIDField(null=True)),
                        ("classification", models.TextField()),
                        ("version", models.TextField()),
                        ("purpose", models.TextField()),
                        ("policy", models.TextField()),
                        ("request_id", models.TextField()),
                        ("failure_reason", models.TextField()),
                        ("body", models.BinaryField()),
                        ("tenant", models.ForeignKey(db_constraint=False, db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="access.tenant")),
                    ],
                    options={
                        "verbose_name": "audit event",
                        "db_table": "audit_event",
                        "ordering": ["-time", "-id"],
                        "abstract": False,
                        "indexes": [
                            models.Index(fields=["tenant", "-time", "-id"], name="audit_event_by_time"),
                            models.Index(condition=models.Q(("dataset_id__isnull", False)), fields=["tenant", "dataset_id", "-time"], name="audit_event_by_dataset"),
                            models.Index(fields=["tenant", "actor_id", "-time"], name="audit_event_by_actor"),
                            models.Index(fields=["tenant", "type", "-time"], name="audit_event_by_type"),
                        ],
                        "constraints": [
                            vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT"), name="audit_event_rls", system=("SELECT",)),
                        ],
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="OutboxEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("event_id", models.UUIDField()),
                ("event_time", models.DateTimeField()),
                ("dataset_id", models.UUIDField(null=True)),
                ("attempts", models.PositiveIntegerField(db_default=0)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("tenant", models.ForeignKey(db_constraint=False, db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="access.tenant")),
            ],
            options={
                "verbose_name": "outbox entry",
                "verbose_name_plural": "outbox entries",
                "db_table": "audit_outbox",
                "abstract": False,
                "indexes": [
                    models.Index(condition=models.Q(("delivered_at__isnull", True)), fields=["id"], name="audit_outbox_waiting"),
                    models.Index(condition=models.Q(("delivered_at__isnull", False)), fields=["delivered_at"], name="audit_outbox_done"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("INSERT",), name="audit_outbox_rls", system=("SELECT", "UPDATE", "DELETE")),
                ],
            },
        ),
    ]
