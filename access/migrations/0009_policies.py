"""Access policies, the epoch that tells them apart, and replays of a draft."""

import uuid

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models

# Whatever changes a tenant's policies, roles or purposes gives it a new stamp, in the same transaction.
EPOCH_UP = """
CREATE FUNCTION access_new_policy_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed uuid := coalesce(NEW.tenant_id, OLD.tenant_id);
BEGIN
  INSERT INTO access_policyepoch (id, tenant_id, number, stamp) VALUES (changed, changed, 1, gen_random_uuid())
  ON CONFLICT (id) DO UPDATE SET number = access_policyepoch.number + 1, stamp = gen_random_uuid();
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION access_new_policy_epoch() FROM PUBLIC;
CREATE TRIGGER new_policy_epoch AFTER INSERT OR UPDATE OR DELETE ON access_accesspolicyversion
  FOR EACH ROW EXECUTE FUNCTION access_new_policy_epoch();
CREATE TRIGGER new_policy_epoch AFTER INSERT OR UPDATE OR DELETE ON access_role
  FOR EACH ROW EXECUTE FUNCTION access_new_policy_epoch();
CREATE TRIGGER new_policy_epoch AFTER INSERT OR UPDATE OR DELETE ON access_purpose
  FOR EACH ROW EXECUTE FUNCTION access_new_policy_epoch();
"""
EPOCH_DOWN = """
DROP TRIGGER new_policy_epoch ON access_purpose;
DROP TRIGGER new_policy_epoch ON access_role;
DROP TRIGGER new_policy_epoch ON access_accesspolicyversion;
DROP FUNCTION access_new_policy_epoch();
"""


class Migration(migrations.Migration):
    dependencies = [("access", "0008_principals")]

    operations = [
        migrations.CreateModel(
            name='AccessPolicy',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(db_collation='C', max_length=63)),
                ('description', models.CharField(blank=True, default='', max_length=300)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'verbose_name_plural': 'access policies',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='AccessPolicyVersion',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('state', models.CharField(choices=[('draft', 'draft'), ('active', 'active'), ('retired', 'retired')], default='draft', max_length=7)),
                ('text', models.TextField(max_length=20000)),
                ('form', models.JSONField(default=None, null=True)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('activated_by', models.UUIDField(default=None, editable=False, null=True)),
                ('activated_at', models.DateTimeField(default=None, editable=False, null=True)),
                ('retired_by', models.UUIDField(default=None, editable=False, null=True)),
                ('retired_at', models.DateTimeField(default=None, editable=False, null=True)),
                ('policy', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='access.accesspolicy')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PolicyEpoch',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.BigIntegerField(default=0)),
                ('stamp', models.UUIDField(default=uuid.uuid4)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PolicyReplay',
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
                ('without', models.BooleanField(default=False)),
                ('days', models.PositiveSmallIntegerField()),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField()),
                ('replayed', models.PositiveIntegerField(default=0)),
                ('differing', models.PositiveIntegerField(default=0)),
                ('drifted', models.PositiveIntegerField(default=0)),
                ('unreplayable', models.PositiveIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='replays', to='access.accesspolicyversion')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ReplayDifference',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('principal_kind', models.CharField(max_length=7)),
                ('principal', models.UUIDField()),
                ('action', models.CharField(max_length=63)),
                ('resource_type', models.CharField(max_length=63)),
                ('resource_id', models.CharField(max_length=200)),
                ('before', models.CharField(max_length=300)),
                ('after', models.CharField(max_length=300)),
                ('decisions', models.PositiveIntegerField(default=0)),
                ('replay', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='differences', to='access.policyreplay')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='accesspolicy',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_accesspolicy_rls'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicy',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_accesspolicy_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicy',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='access_accesspolicy_name'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicyversion',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_accesspolicyversion_rls'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicyversion',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_accesspolicyversion_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicyversion',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='policy', name='access_policyversion_policy', to='access.AccessPolicy'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicyversion',
            constraint=models.UniqueConstraint(fields=('tenant', 'policy', 'number'), name='access_policyversion_number'),
        ),
        migrations.AddConstraint(
            model_name='accesspolicyversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'active')), fields=('tenant', 'policy'), name='access_policyversion_one_active'),
        ),
        migrations.AddConstraint(
            model_name='policyepoch',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_policyepoch_rls'),
        ),
        migrations.AddConstraint(
            model_name='policyepoch',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_policyepoch_tenant_id'),
        ),
        migrations.AddIndex(
            model_name='policyreplay',
            index=models.Index(fields=['tenant', 'version', 'created_at'], name='access_replay_by_version'),
        ),
        migrations.AddConstraint(
            model_name='policyreplay',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_policyreplay_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='policyreplay',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_policyreplay_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='policyreplay',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='access_replay_version', to='access.AccessPolicyVersion'),
        ),
        migrations.AddConstraint(
            model_name='replaydifference',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_replaydifference_rls'),
        ),
        migrations.AddConstraint(
            model_name='replaydifference',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_replaydifference_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='replaydifference',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='replay', name='access_difference_replay', to='access.PolicyReplay'),
        ),
        migrations.AddConstraint(
            model_name='replaydifference',
            constraint=models.UniqueConstraint(fields=('tenant', 'replay', 'principal', 'action', 'resource_type', 'resource_id', 'before', 'after'), name='access_difference_once'),
        ),
        migrations.RunSQL(EPOCH_UP, EPOCH_DOWN),
    ]
