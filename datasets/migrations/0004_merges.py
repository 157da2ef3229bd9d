"""Merge requests, merges and conflicts."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0004_idempotent_requests"), ("datasets", "0003_drafts")]

    operations = [
        migrations.CreateModel(
            name='MergeRequest',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('title', models.CharField(max_length=200)),
                ('description', models.TextField(blank=True, default='', max_length=4000)),
                ('source', models.CharField(db_collation='C', max_length=100)),
                ('target', models.CharField(db_collation='C', max_length=100)),
                ('author', models.UUIDField()),
                ('state', models.CharField(choices=[('open', 'open'), ('merged', 'merged'), ('closed', 'closed')], default='open', max_length=6)),
                ('ended_by', models.UUIDField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='merge_requests', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Merge',
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
                ('source_name', models.CharField(db_collation='C', max_length=128)),
                ('target', models.CharField(db_collation='C', max_length=100)),
                ('strategy', models.CharField(choices=[('manual', 'list conflicts'), ('ours', "keep the target's"), ('theirs', "take the source's")], default='manual', max_length=6)),
                ('outcome', models.CharField(blank=True, choices=[('', 'not yet known'), ('merged', 'merged'), ('fast_forward', 'branch moved forward'), ('unchanged', 'nothing to merge'), ('conflicted', 'conflicts to resolve')], default='', max_length=12)),
                ('is_pinned', models.BooleanField(default=False)),
                ('message', models.CharField(blank=True, default='', max_length=1000)),
                ('label', models.CharField(blank=True, db_collation='C', default='', max_length=32)),
                ('purpose', models.CharField(blank=True, default='', max_length=64)),
                ('seed', models.BinaryField(null=True)),
                ('result', models.JSONField(default=dict)),
                ('base', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='merges', to='datasets.dataset')),
                ('ours', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
                ('source', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
                ('request', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='merges', to='datasets.mergerequest')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MergeReview',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('reviewer', models.UUIDField()),
                ('verdict', models.CharField(choices=[('approve', 'approve'), ('request_changes', 'request changes')], max_length=15)),
                ('comment', models.TextField(blank=True, default='', max_length=4000)),
                ('head', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('request', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='reviews', to='datasets.mergerequest')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='MergeConflict',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('record_id', models.CharField(db_collation='C', max_length=128)),
                ('kind', models.CharField(choices=[('members', 'both sides changed one member'), ('deleted_ours', 'the target deleted what the source changed'), ('deleted_theirs', 'the source deleted what the target changed'), ('refused', 'the merged record may not be stored')], max_length=14)),
                ('sides', models.BinaryField(max_length=32)),
                ('resolution', models.CharField(blank=True, choices=[('', 'unresolved'), ('ours', "the target's record"), ('theirs', "the source's record"), ('base', 'the record before both'), ('record', 'a record of its own')], default='', max_length=6)),
                ('record', models.BinaryField(null=True)),
                ('secret', models.BinaryField(max_length=32, null=True)),
                ('resolved_by', models.UUIDField(null=True)),
                ('resolved_at', models.DateTimeField(null=True)),
                ('merge', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='conflicts', to='datasets.merge')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_mergeconflict_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_mergeconflict_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='merge', name='datasets_mergeconflict_merge_fk', to='datasets.Merge'), models.UniqueConstraint(fields=('tenant', 'merge', 'record_id'), name='datasets_mergeconflict_record')],
            },
        ),
        migrations.AddIndex(
            model_name='mergerequest',
            index=models.Index(fields=['tenant', 'dataset', 'state', 'id'], name='datasets_mergerequest_state'),
        ),
        migrations.AddConstraint(
            model_name='mergerequest',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_mergerequest_rls'),
        ),
        migrations.AddConstraint(
            model_name='mergerequest',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_mergerequest_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='mergerequest',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_mergerequest_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddConstraint(
            model_name='mergerequest',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='datasets_mergerequest_version_fk', to='datasets.Version'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(fields=['tenant', 'dataset', 'id'], name='datasets_merge_dataset'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_merge_lease'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_merge_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_merge_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_merge_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='request', name='datasets_merge_request_fk', to='datasets.MergeRequest'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='source', name='datasets_merge_source_fk', to='datasets.Version'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='ours', name='datasets_merge_ours_fk', to='datasets.Version'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='base', name='datasets_merge_base_fk', to='datasets.Version'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='datasets_merge_version_fk', to='datasets.Version'),
        ),
        migrations.AddIndex(
            model_name='mergereview',
            index=models.Index(fields=['tenant', 'request', 'id'], name='datasets_mergereview_request'),
        ),
        migrations.AddConstraint(
            model_name='mergereview',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'DELETE'), name='datasets_mergereview_rls'),
        ),
        migrations.AddConstraint(
            model_name='mergereview',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_mergereview_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='mergereview',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='request', name='datasets_mergereview_request_fk', to='datasets.MergeRequest'),
        ),
    ]
