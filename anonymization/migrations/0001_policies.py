"""Anonymization policies, their versions, and what they are attached to."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0007_privacy_keys")]

    operations = [
        migrations.CreateModel(
            name='AnonymizationPolicy',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64)),
                ('description', models.CharField(blank=True, default='', max_length=1000)),
                ('preset', models.CharField(blank=True, default='', max_length=64)),
                ('active_version', models.PositiveIntegerField(default=None, null=True)),
                ('created_by', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PolicyAttachment',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('dataset', 'Dataset'), ('role', 'Role'), ('purpose', 'Purpose')], max_length=8)),
                ('target', models.CharField(max_length=64)),
                ('binds_raw_readers', models.BooleanField(default=False)),
                ('created_by', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('policy', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='anonymization.anonymizationpolicy')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='PolicyVersion',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('document', models.BinaryField()),
                ('digest', models.BinaryField(max_length=32)),
                ('message', models.CharField(blank=True, default='', max_length=1000)),
                ('created_by', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('policy', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='anonymization.anonymizationpolicy')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='anonymizationpolicy',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='anonymization_anonymizationpolicy_rls'),
        ),
        migrations.AddConstraint(
            model_name='anonymizationpolicy',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_anonymizationpolicy_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='anonymizationpolicy',
            constraint=models.UniqueConstraint(fields=('tenant', 'name'), name='anonymization_policy_name'),
        ),
        migrations.AddConstraint(
            model_name='policyattachment',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'DELETE'), name='anonymization_policyattachment_rls'),
        ),
        migrations.AddConstraint(
            model_name='policyattachment',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_policyattachment_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='policyattachment',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='policy', name='anonymization_policyattachment_policy', to='anonymization.AnonymizationPolicy'),
        ),
        migrations.AddConstraint(
            model_name='policyattachment',
            constraint=models.UniqueConstraint(fields=('tenant', 'kind', 'target', 'policy'), name='anonymization_policyattachment_target'),
        ),
        migrations.AddConstraint(
            model_name='policyversion',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'DELETE'), name='anonymization_policyversion_rls'),
        ),
        migrations.AddConstraint(
            model_name='policyversion',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_policyversion_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='policyversion',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='policy', name='anonymization_policyversion_policy', to='anonymization.AnonymizationPolicy'),
        ),
        migrations.AddConstraint(
            model_name='policyversion',
            constraint=models.UniqueConstraint(fields=('tenant', 'policy', 'number'), name='anonymization_policyversion_number'),
        ),
    ]
