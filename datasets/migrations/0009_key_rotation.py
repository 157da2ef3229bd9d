"""Key rotation."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0008_erasures")]

    operations = [
        migrations.CreateModel(
            name='KeyRotation',
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
                ('purpose', models.CharField(choices=[('kek', 'kek'), ('platform', 'platform'), ('dataset', 'dataset'), ('content', 'content'), ('boundary', 'boundary'), ('index', 'index'), ('pseudonym', 'pseudonym'), ('signing', 'signing')], max_length=20)),
                ('reason', models.CharField(choices=[('requested', 'requested'), ('age', 'due by age'), ('use', 'due by number of objects')], default='requested', max_length=9)),
                ('new_key', models.UUIDField(null=True)),
                ('moved_count', models.PositiveIntegerField(default=0)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='key_rotations', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='chunk',
            index=models.Index(fields=['tenant', 'dataset', 'key_id'], name='datasets_chunk_key'),
        ),
        migrations.AddIndex(
            model_name='keyrotation',
            index=models.Index(fields=['tenant', 'created_at'], name='datasets_keyrotation_created'),
        ),
        migrations.AddIndex(
            model_name='keyrotation',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_keyrotation_lease'),
        ),
        migrations.AddConstraint(
            model_name='keyrotation',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_keyrotation_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='keyrotation',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_keyrotation_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='keyrotation',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_keyrotation_dataset_fk', to='datasets.Dataset'),
        ),
    ]
