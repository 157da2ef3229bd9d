"""Retention: policies, announcements, runs and the clock they trust."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0017_own_permissions'),
        ('compliance', '0001_reports'),
        ('datasets', '0022_keeping'),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionPolicy',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('legal_basis', models.CharField(max_length=500)),
                ('starts', models.CharField(choices=[('created', 'the dataset was created'), ('ingest', 'its newest version was made'), ('access', 'its records were last read or written'), ('event', 'an event was recorded for it')], max_length=7)),
                ('event', models.CharField(blank=True, default='', max_length=64)),
                ('minimum_days', models.PositiveIntegerField(default=None, null=True)),
                ('duration_days', models.PositiveIntegerField(default=None, null=True)),
                ('action', models.CharField(blank=True, choices=[('archive', 'archive'), ('delete', 'delete, with time to undo'), ('crypto_shred', 'destroy the keys at once')], default='', max_length=12)),
                ('grace_days', models.PositiveIntegerField(default=14)),
                ('classifications', models.JSONField(default=list)),
                ('tags', models.JSONField(default=list)),
                ('purposes', models.JSONField(default=list)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('ended_at', models.DateTimeField(default=None, editable=False, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RetentionNotice',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('dataset_id', models.UUIDField()),
                ('revision', models.PositiveIntegerField()),
                ('action', models.CharField(choices=[('archive', 'archive'), ('delete', 'delete, with time to undo'), ('crypto_shred', 'destroy the keys at once')], max_length=12)),
                ('state', models.CharField(choices=[('announced', 'announced'), ('applied', 'applied'), ('withdrawn', 'withdrawn')], default='announced', max_length=9)),
                ('announced_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('acts_after', models.DateTimeField()),
                ('ended_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('policy', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.retentionpolicy')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RetentionRun',
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
                ('counts', models.JSONField(default=dict)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RetentionStep',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('dataset_id', models.UUIDField()),
                ('action', models.CharField(choices=[('archive', 'archive'), ('delete', 'delete, with time to undo'), ('crypto_shred', 'destroy the keys at once')], max_length=12)),
                ('outcome', models.CharField(choices=[('announced', 'announced to its owner'), ('waiting', 'in its grace period'), ('applied', 'done'), ('withdrawn', 'no longer due'), ('refused', 'refused')], max_length=9)),
                ('error_code', models.CharField(blank=True, default='', max_length=20)),
                ('decided_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('policy', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='compliance.retentionpolicy')),
                ('run', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='steps', to='compliance.retentionrun')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='RetentionClock',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('seen_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('suspected_at', models.DateTimeField(default=None, null=True)),
                ('suspicion', models.CharField(blank=True, default='', max_length=16)),
                ('events_until', models.DateTimeField(default=None, null=True)),
                ('confirmed_by', models.UUIDField(default=None, null=True)),
                ('confirmed_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='compliance_retentionclock_rls', system=('SELECT',)), models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionclock_tenant_id'), models.UniqueConstraint(fields=('tenant',), name='compliance_retention_clock_once')],
            },
        ),
        migrations.CreateModel(
            name='RetentionEvent',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64)),
                ('occurred_at', models.DateTimeField()),
                ('recorded_by', models.UUIDField(editable=False)),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='retention_events', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='compliance_retentionevent_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionevent_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='compliance_retention_event_fk', to='datasets.Dataset'), models.UniqueConstraint(fields=('tenant', 'dataset', 'name'), name='compliance_retention_event_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='compliance_retentionpolicy_rls'),
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionpolicy_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='retentionpolicy',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('tenant', 'name'), name='compliance_retention_policy_name'),
        ),
        migrations.AddConstraint(
            model_name='retentionnotice',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='compliance_retentionnotice_rls'),
        ),
        migrations.AddConstraint(
            model_name='retentionnotice',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionnotice_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='retentionnotice',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='policy', name='compliance_retention_notice_fk', to='compliance.RetentionPolicy'),
        ),
        migrations.AddConstraint(
            model_name='retentionnotice',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'announced')), fields=('tenant', 'dataset_id'), name='compliance_retention_notice_open'),
        ),
        migrations.AddIndex(
            model_name='retentionrun',
            index=models.Index(fields=['tenant', '-id'], name='compliance_retention_run_new'),
        ),
        migrations.AddIndex(
            model_name='retentionrun',
            index=models.Index(fields=['status', 'lease_until'], name='compliance_retentionrun_lease'),
        ),
        migrations.AddConstraint(
            model_name='retentionrun',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='compliance_retentionrun_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='retentionrun',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionrun_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='retentionrun',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('succeeded', 'failed', 'cancelled')), _negated=True), fields=('tenant',), name='compliance_retention_run_alone'),
        ),
        migrations.AddConstraint(
            model_name='retentionstep',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='compliance_retentionstep_rls'),
        ),
        migrations.AddConstraint(
            model_name='retentionstep',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionstep_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='retentionstep',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='run', name='compliance_retention_step_run', to='compliance.RetentionRun'),
        ),
        migrations.AddConstraint(
            model_name='retentionstep',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='policy', name='compliance_retention_step_policy', to='compliance.RetentionPolicy'),
        ),
        migrations.AddConstraint(
            model_name='retentionstep',
            constraint=models.UniqueConstraint(fields=('tenant', 'run', 'dataset_id'), name='compliance_retention_step_once'),
        ),
    ]
