"""Erasure, garbage collection and scrubbing."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0007_exports")]

    operations = [
        migrations.AddField(
            model_name='chunk',
            name='damaged_at',
            field=models.DateTimeField(default=None, null=True),
        ),
        migrations.AddField(
            model_name='findingsblob',
            name='damaged_at',
            field=models.DateTimeField(default=None, null=True),
        ),
        migrations.CreateModel(
            name='Erasure',
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
                ('reason', models.CharField(max_length=1000)),
                ('purpose', models.CharField(blank=True, default='', max_length=64)),
                ('epoch', models.PositiveIntegerField()),
                ('id_count', models.PositiveIntegerField()),
                ('record_count', models.PositiveIntegerField(default=0)),
                ('chunk_count', models.PositiveIntegerField(default=0)),
                ('version_count', models.PositiveIntegerField(default=0)),
                ('receipt', models.BinaryField(null=True)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='erasures', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ErasedRecord',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('record_id', models.CharField(db_collation='C', max_length=128)),
                ('content_keys', models.BinaryField(default=bytes)),
                ('leaves', models.BinaryField(default=bytes)),
                ('erased_at', models.DateTimeField()),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('erasure', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='records', to='datasets.erasure')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='GarbageCollection',
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
                ('swept_count', models.PositiveIntegerField(default=0)),
                ('dead_pack_count', models.PositiveIntegerField(default=0)),
                ('moved_bytes', models.BigIntegerField(default=0)),
                ('freed_bytes', models.BigIntegerField(default=0)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='garbage_collections', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Scrub',
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
                ('object_count', models.PositiveIntegerField(default=0)),
                ('damaged_count', models.PositiveIntegerField(default=0)),
                ('healed_count', models.PositiveIntegerField(default=0)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='scrubs', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(fields=['tenant', 'dataset', 'created_at'], name='datasets_erasure_dataset'),
        ),
        migrations.AddIndex(
            model_name='erasure',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_erasure_lease'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_erasure_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_erasure_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='erasure',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_erasure_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddIndex(
            model_name='erasedrecord',
            index=models.Index(fields=['tenant', 'dataset', 'erased_at'], name='datasets_erased_since'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecord',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_erasedrecord_rls'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecord',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_erasedrecord_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecord',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_erased_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecord',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='erasure', name='datasets_erased_erasure_fk', to='datasets.Erasure'),
        ),
        migrations.AddConstraint(
            model_name='erasedrecord',
            constraint=models.UniqueConstraint(fields=('tenant', 'erasure', 'record_id'), name='datasets_erased_record'),
        ),
        migrations.AddIndex(
            model_name='garbagecollection',
            index=models.Index(fields=['tenant', 'dataset', 'created_at'], name='datasets_gc_dataset'),
        ),
        migrations.AddIndex(
            model_name='garbagecollection',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_gc_lease'),
        ),
        migrations.AddConstraint(
            model_name='garbagecollection',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_garbagecollection_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='garbagecollection',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_garbagecollection_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='garbagecollection',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_gc_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddIndex(
            model_name='scrub',
            index=models.Index(fields=['tenant', 'dataset', 'created_at'], name='datasets_scrub_dataset'),
        ),
        migrations.AddIndex(
            model_name='scrub',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_scrub_lease'),
        ),
        migrations.AddConstraint(
            model_name='scrub',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_scrub_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='scrub',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_scrub_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='scrub',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_scrub_dataset_fk', to='datasets.Dataset'),
        ),
    ]
