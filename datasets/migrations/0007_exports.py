"""Exports."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0006_lineage")]

    operations = [
        migrations.AlterField(
            model_name='blob',
            name='kind',
            field=models.CharField(choices=[('pack', 'pack of sealed chunks and nodes'), ('part', 'sealed part of an upload'), ('run', 'sealed sorted run of an ingest'), ('report', 'sealed report of rejected lines'), ('export', 'sealed part of an export')], max_length=6),
        ),
        migrations.CreateModel(
            name='Export',
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
                ('format', models.CharField(choices=[('jsonl', 'JSON lines'), ('csv', 'CSV'), ('parquet', 'Parquet')], max_length=7)),
                ('compression', models.CharField(blank=True, choices=[('', 'none'), ('gzip', 'gzip'), ('zstd', 'zstd')], default='', max_length=4)),
                ('options', models.JSONField(default=dict)),
                ('filter', models.BinaryField(null=True)),
                ('survey', models.BinaryField(null=True)),
                ('seed', models.BinaryField(null=True)),
                ('purpose', models.CharField(max_length=64)),
                ('operator', models.CharField(blank=True, default='', max_length=16)),
                ('policies', models.JSONField(default=list)),
                ('obligations', models.JSONField(default=list)),
                ('epoch', models.PositiveIntegerField()),
                ('files', models.JSONField(default=list)),
                ('record_count', models.BigIntegerField(default=0)),
                ('size', models.BigIntegerField(default=0)),
                ('expires_at', models.DateTimeField(default=None, null=True)),
                ('removed_at', models.DateTimeField(default=None, null=True)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='datasets.version')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'dataset', 'requested_by'], name='datasets_export_dataset'), models.Index(fields=['tenant', 'version'], name='datasets_export_version'), models.Index(fields=['status', 'lease_until'], name='datasets_export_lease'), models.Index(fields=['expires_at'], name='datasets_export_expiry')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_export_rls', system=('SELECT', 'UPDATE')), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_export_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_export_dataset_fk', to='datasets.Dataset'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='datasets_export_version_fk', to='datasets.Version')],
            },
        ),
    ]
