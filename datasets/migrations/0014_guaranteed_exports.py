"""Exports under a guarantee, and their schedules."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("datasets", "0013_families")]

    operations = [
        migrations.CreateModel(
            name='ExportSchedule',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('owner', models.UUIDField()),
                ('owner_kind', models.CharField(max_length=7)),
                ('purpose', models.CharField(max_length=64)),
                ('interval_hours', models.PositiveIntegerField()),
                ('request', models.BinaryField()),
                ('next_at', models.DateTimeField()),
                ('last_export', models.UUIDField(default=None, null=True)),
                ('failure', models.CharField(blank=True, default='', max_length=20)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='export_schedules', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'dataset', 'owner'], name='export_schedule_dataset'), models.Index(fields=['next_at'], name='export_schedule_next')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_exportschedule_rls', system=('SELECT',)), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_exportschedule_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='export_schedule_dataset_fk', to='datasets.Dataset')],
            },
        ),
        migrations.CreateModel(
            name='GuaranteedExport',
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
                ('schedule_id', models.UUIDField(default=None, null=True)),
                ('purpose', models.CharField(max_length=64)),
                ('target', models.CharField(blank=True, default='', max_length=100)),
                ('format', models.CharField(choices=[('jsonl', 'JSON lines'), ('csv', 'CSV'), ('parquet', 'Parquet')], max_length=7)),
                ('method', models.CharField(max_length=6)),
                ('guarantee', models.JSONField(default=dict)),
                ('columns', models.JSONField(default=list)),
                ('request', models.BinaryField(null=True)),
                ('seed', models.BinaryField(null=True)),
                ('policies', models.JSONField(default=list)),
                ('obligations', models.JSONField(default=list)),
                ('epoch', models.PositiveIntegerField()),
                ('attained', models.JSONField(default=dict)),
                ('utility', models.JSONField(default=dict)),
                ('risk', models.JSONField(default=dict)),
                ('counts', models.JSONField(default=dict)),
                ('files', models.JSONField(default=list)),
                ('record_count', models.BigIntegerField(default=0)),
                ('size', models.BigIntegerField(default=0)),
                ('release_id', models.UUIDField(default=None, null=True)),
                ('retention_days', models.PositiveIntegerField()),
                ('delete_by', models.DateTimeField(default=None, null=True)),
                ('deleted_at', models.DateTimeField(default=None, null=True)),
                ('expires_at', models.DateTimeField(default=None, null=True)),
                ('removed_at', models.DateTimeField(default=None, null=True)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='guaranteed_exports', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='guaranteed_exports', to='datasets.version')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'dataset', 'requested_by'], name='guaranteed_export_dataset'), models.Index(fields=['status', 'lease_until'], name='guaranteed_export_lease'), models.Index(fields=['expires_at'], name='guaranteed_export_expiry')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_guaranteedexport_rls', system=('SELECT', 'UPDATE')), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_guaranteedexport_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='guaranteed_export_dataset_fk', to='datasets.Dataset'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='guaranteed_export_version_fk', to='datasets.Version')],
            },
        ),
    ]
