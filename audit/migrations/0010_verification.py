"""Runs of the verification, months dropped by retention, and the function that drops one."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope

FENCE = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_month_drop
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit_month_drop
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();
"""

DROP_PARTITION = """
CREATE FUNCTION audit_drop_partition(month date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'audit_event_' || to_char(month, 'YYYY_MM');
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('audit_create_partition'));
    EXECUTE format('ALTER TABLE audit_event DETACH PARTITION %I', partition);
    EXECUTE format('DROP TABLE %I', partition);
END $$;
REVOKE ALL ON FUNCTION audit_drop_partition(date) FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0017_own_permissions"), ("audit", "0009_exports")]

    operations = [
        migrations.CreateModel(
            name='AuditMonthDrop',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('events', models.BigIntegerField()),
                ('first_seq', models.BigIntegerField()),
                ('last_seq', models.BigIntegerField()),
                ('checkpoint_size', models.BigIntegerField()),
                ('witness', models.TextField()),
                ('event_id', models.UUIDField()),
                ('dropped_at', models.DateTimeField()),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'verbose_name': 'dropped month',
                'db_table': 'audit_month_drop',
                'ordering': ['-month'],
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT',), name='audit_auditmonthdrop_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='audit_auditmonthdrop_tenant_id'), models.UniqueConstraint(fields=('tenant', 'month'), name='audit_month_drop_once')],
            },
        ),
        migrations.CreateModel(
            name='AuditVerification',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='queued', max_length=9)),
                ('progress', models.JSONField(default=dict)),
                ('checkpoint', models.JSONField(default=dict)),
                ('lease_until', models.DateTimeField()),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('error_code', models.CharField(blank=True, default='', max_length=20)),
                ('error', models.JSONField(default=None, null=True)),
                ('requested_by', models.UUIDField()),
                ('idempotency_key', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(default=None, null=True)),
                ('finished_at', models.DateTimeField(default=None, null=True)),
                ('target', models.BigIntegerField(default=0)),
                ('verified', models.BigIntegerField(default=0)),
                ('checkpoints', models.BigIntegerField(default=0)),
                ('witnesses', models.JSONField(default=list)),
                ('findings', models.JSONField(default=list)),
                ('first_bad_seq', models.BigIntegerField(default=None, null=True)),
                ('damage', models.TextField(blank=True, default='')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'verbose_name': 'verification of the audit',
                'verbose_name_plural': 'verifications of the audit',
                'db_table': 'audit_verification',
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', '-created_at'], name='audit_verification_by_time'), models.Index(fields=['status', 'lease_until'], name='audit_verification_lease')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='audit_auditverification_rls', system=('SELECT', 'INSERT', 'UPDATE')), models.UniqueConstraint(fields=('tenant', 'id'), name='audit_auditverification_tenant_id')],
            },
        ),
        migrations.RunSQL(FENCE, migrations.RunSQL.noop),
        migrations.RunSQL(DROP_PARTITION, "DROP FUNCTION audit_drop_partition(date)"),
    ]
