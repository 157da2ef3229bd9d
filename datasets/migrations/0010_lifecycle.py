"""Archive, deletion, purge and quotas."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0009_key_rotation")]

    operations = [
        migrations.AddField(
            model_name='dataset',
            name='archived_at',
            field=models.DateTimeField(default=None, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='deleted_at',
            field=models.DateTimeField(default=None, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='dataset',
            name='purged_at',
            field=models.DateTimeField(default=None, editable=False, null=True),
        ),
        migrations.CreateModel(
            name='Purge',
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
                ('dataset_id', models.UUIDField()),
                ('versions', models.PositiveIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Quota',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('max_bytes', models.BigIntegerField(null=True)),
                ('max_datasets', models.BigIntegerField(null=True)),
                ('max_records', models.BigIntegerField(null=True)),
                ('updated_by', models.UUIDField()),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='purge',
            index=models.Index(fields=['tenant', 'dataset_id'], name='datasets_purge_dataset'),
        ),
        migrations.AddIndex(
            model_name='purge',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_purge_lease'),
        ),
        migrations.AddConstraint(
            model_name='purge',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_purge_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='purge',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_purge_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_quota_rls'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_quota_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.UniqueConstraint(fields=('tenant',), name='datasets_quota_tenant'),
        ),
    ]
