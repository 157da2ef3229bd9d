"""Bulk evaluations; what is over may be deleted by the housekeeping of all tenants."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0015_scim'),
    ]

    operations = [
        migrations.CreateModel(
            name='BulkEvaluation',
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
                ('questions', models.PositiveIntegerField()),
                ('allowed', models.PositiveIntegerField(default=0)),
                ('conditional', models.PositiveIntegerField(default=0)),
                ('denied', models.PositiveIntegerField(default=0)),
                ('first_epoch', models.BigIntegerField(default=None, null=True)),
                ('last_epoch', models.BigIntegerField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='BulkQuestion',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('sealed', models.BinaryField()),
                ('effect', models.CharField(blank=True, default='', max_length=21)),
                ('reason', models.CharField(blank=True, default='', max_length=100)),
                ('obligations', models.JSONField(default=list)),
                ('policies', models.JSONField(default=list)),
                ('ttl_seconds', models.PositiveIntegerField(default=0)),
                ('bulk', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='asked', to='access.bulkevaluation')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.RemoveConstraint(
            model_name='accessrequest',
            name='access_accessrequest_rls',
        ),
        migrations.RemoveConstraint(
            model_name='policyreplay',
            name='access_policyreplay_rls',
        ),
        migrations.RemoveConstraint(
            model_name='replaydifference',
            name='access_replaydifference_rls',
        ),
        migrations.RemoveConstraint(
            model_name='requestverdict',
            name='access_requestverdict_rls',
        ),
        migrations.AddConstraint(
            model_name='accessrequest',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_accessrequest_rls', system=('SELECT', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='policyreplay',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_policyreplay_rls', system=('SELECT', 'UPDATE', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='replaydifference',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_replaydifference_rls', system=('SELECT', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='requestverdict',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='access_requestverdict_rls', system=('SELECT', 'DELETE')),
        ),
        migrations.AddIndex(
            model_name='bulkevaluation',
            index=models.Index(fields=['tenant', 'requested_by', 'id'], name='access_bulk_requester'),
        ),
        migrations.AddConstraint(
            model_name='bulkevaluation',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_bulkevaluation_rls', system=('SELECT', 'UPDATE', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='bulkevaluation',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_bulkevaluation_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='bulkquestion',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_bulkquestion_rls', system=('SELECT', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='bulkquestion',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_bulkquestion_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='bulkquestion',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='bulk', name='access_bulkquestion_bulk', on_delete='CASCADE', to='access.BulkEvaluation'),
        ),
        migrations.AddConstraint(
            model_name='bulkquestion',
            constraint=models.UniqueConstraint(fields=('tenant', 'bulk', 'number'), name='access_bulkquestion_number'),
        ),
    ]
