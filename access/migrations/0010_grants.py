"""Leases, requests for them, emergencies and reviews."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models

from vaultsite.kernel.tenancy.rls import expose_sql, protect_sql


#: Guardian's own tables know no tenants: datasets have direct relations in their place, and nobody sees a row here.
CLOSED = ("guardian_groupobjectpermission", "guardian_userobjectpermission")
UP = [statement for table in CLOSED for statement in protect_sql(table, using="false", grants=(), system=())]
DOWN = [statement for table in CLOSED for statement in expose_sql(table, system=False)]


class Migration(migrations.Migration):
    dependencies = [
        ("access", "0009_policies"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
    ]

    operations = [
        migrations.CreateModel(
            name='Lease',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('lease', 'lease'), ('break_glass', 'emergency')], default='lease', max_length=11)),
                ('holder', models.UUIDField()),
                ('holder_kind', models.CharField(choices=[('user', 'person'), ('service', 'program')], max_length=7)),
                ('dataset_id', models.UUIDField()),
                ('actions', models.JSONField()),
                ('shown', models.CharField(choices=[('raw', 'raw'), ('mask', 'masked'), ('redact', 'redacted')], max_length=6)),
                ('purpose', models.CharField(max_length=63)),
                ('row_quota', models.BigIntegerField(default=None, null=True)),
                ('rows_used', models.BigIntegerField(default=0)),
                ('epsilon', models.DecimalField(decimal_places=18, default=None, max_digits=24, null=True)),
                ('epsilon_used', models.DecimalField(decimal_places=18, default=0, max_digits=24)),
                ('last_used_at', models.DateTimeField(default=None, null=True)),
                ('granted_by', models.JSONField()),
                ('starts_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('expires_at', models.DateTimeField()),
                ('suspended_at', models.DateTimeField(default=None, null=True)),
                ('suspended_for', models.CharField(blank=True, default='', max_length=200)),
                ('revoked_at', models.DateTimeField(default=None, null=True)),
                ('revoked_by', models.UUIDField(default=None, null=True)),
                ('revoke_reason', models.CharField(blank=True, default='', max_length=1000)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'holder', 'dataset_id'], name='access_lease_holder'), models.Index(fields=['tenant', 'dataset_id', 'expires_at'], name='access_lease_dataset')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_lease_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_lease_tenant_id'), models.CheckConstraint(condition=models.Q(('rows_used__gte', 0)), name='access_lease_rows_used'), models.CheckConstraint(condition=models.Q(('row_quota', None), ('rows_used__lte', models.F('row_quota')), _connector='OR'), name='access_lease_within_quota'), models.CheckConstraint(condition=models.Q(('epsilon', None), ('epsilon_used__lte', models.F('epsilon')), _connector='OR'), name='access_lease_within_epsilon')],
            },
        ),
        migrations.CreateModel(
            name='AccessRequest',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('requester', models.UUIDField()),
                ('requester_kind', models.CharField(choices=[('user', 'person'), ('service', 'program')], max_length=7)),
                ('dataset_id', models.UUIDField()),
                ('actions', models.JSONField()),
                ('shown', models.CharField(choices=[('raw', 'raw'), ('mask', 'masked'), ('redact', 'redacted')], max_length=6)),
                ('purpose', models.CharField(max_length=63)),
                ('justification', models.CharField(max_length=1000)),
                ('seconds', models.PositiveIntegerField()),
                ('row_quota', models.BigIntegerField(default=None, null=True)),
                ('epsilon', models.DecimalField(decimal_places=18, default=None, max_digits=24, null=True)),
                ('approvals_needed', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('pending', 'waits for approval'), ('approved', 'approved'), ('refused', 'refused'), ('withdrawn', 'withdrawn')], default='pending', max_length=9)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('decide_by', models.DateTimeField()),
                ('closed_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('extends', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='extensions', to='access.lease')),
                ('lease', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='access.lease')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'state', 'id'], name='access_request_state'), models.Index(fields=['tenant', 'requester', 'id'], name='access_request_requester')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_accessrequest_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_accessrequest_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='extends', name='access_accessrequest_extends', to='access.Lease'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='lease', name='access_accessrequest_lease', to='access.Lease')],
            },
        ),
        migrations.CreateModel(
            name='RequestVerdict',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('approver', models.UUIDField()),
                ('is_approval', models.BooleanField()),
                ('reason', models.CharField(max_length=1000)),
                ('decided_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('request', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='access.accessrequest')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='access_requestverdict_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_requestverdict_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='request', name='access_requestverdict_request', to='access.AccessRequest'), models.UniqueConstraint(fields=('tenant', 'request', 'approver'), name='access_requestverdict_once')],
            },
        ),
        migrations.CreateModel(
            name='BreakGlass',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('requester', models.UUIDField()),
                ('requester_kind', models.CharField(choices=[('user', 'person'), ('service', 'program')], max_length=7)),
                ('dataset_id', models.UUIDField()),
                ('purpose', models.CharField(max_length=63)),
                ('reason', models.CharField(max_length=1000)),
                ('seconds', models.PositiveIntegerField()),
                ('requested_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('confirm_by', models.DateTimeField()),
                ('refused_by', models.UUIDField(default=None, null=True)),
                ('refused_at', models.DateTimeField(default=None, null=True)),
                ('confirmed_by', models.UUIDField(default=None, null=True)),
                ('confirmed_at', models.DateTimeField(default=None, null=True)),
                ('reviewed_by', models.UUIDField(default=None, null=True)),
                ('reviewed_at', models.DateTimeField(default=None, null=True)),
                ('review_note', models.CharField(blank=True, default='', max_length=1000)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('lease', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='emergencies', to='access.lease')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'dataset_id', 'id'], name='access_breakglass_dataset')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_breakglass_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_breakglass_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='lease', name='access_breakglass_lease', to='access.Lease'), models.CheckConstraint(condition=models.Q(('confirmed_by', None), models.Q(('confirmed_by', models.F('requester')), _negated=True), _connector='OR'), name='access_breakglass_two_people'), models.CheckConstraint(condition=models.Q(('lease', None), ('confirmed_by__isnull', False), _connector='OR'), name='access_breakglass_confirmed'), models.CheckConstraint(condition=models.Q(('reviewed_by', None), models.Q(models.Q(('reviewed_by', models.F('requester')), _negated=True), models.Q(('reviewed_by', models.F('confirmed_by')), _negated=True)), _connector='OR'), name='access_breakglass_third_person')],
            },
        ),
        migrations.CreateModel(
            name='AccessReview',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('kinds', models.JSONField()),
                ('datasets', models.JSONField(default=list)),
                ('reviewers', models.JSONField()),
                ('deadline', models.DateTimeField()),
                ('started_by', models.UUIDField()),
                ('started_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('closed_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'started_at'], name='access_review_started'), models.Index(fields=['closed_at', 'deadline'], name='access_review_due')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_accessreview_rls', system=('SELECT',)), models.UniqueConstraint(fields=('tenant', 'id'), name='access_accessreview_tenant_id')],
            },
        ),
        migrations.CreateModel(
            name='ReviewItem',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('role', 'role'), ('permission', 'standing permission'), ('lease', 'lease')], max_length=10)),
                ('grant', models.UUIDField()),
                ('holder', models.UUIDField()),
                ('holder_kind', models.CharField(max_length=15)),
                ('dataset_id', models.UUIDField(default=None, null=True)),
                ('what', models.CharField(max_length=300)),
                ('ended_at', models.DateTimeField(default=None, null=True)),
                ('verdict', models.CharField(choices=[('open', 'not decided'), ('keep', 'keep'), ('revoke', 'revoke'), ('lapsed', 'revoked: nobody decided'), ('gone', 'ended before it was decided on')], default='open', max_length=6)),
                ('reason', models.CharField(blank=True, default='', max_length=1000)),
                ('decided_by', models.UUIDField(default=None, null=True)),
                ('decided_at', models.DateTimeField(default=None, null=True)),
                ('review', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='access.accessreview')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'review', 'verdict', 'id'], name='access_reviewitem_open')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_reviewitem_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_reviewitem_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='review', name='access_reviewitem_review', to='access.AccessReview'), models.UniqueConstraint(fields=('tenant', 'review', 'kind', 'grant'), name='access_reviewitem_once')],
            },
        ),
        migrations.RunSQL(UP, DOWN),
    ]
