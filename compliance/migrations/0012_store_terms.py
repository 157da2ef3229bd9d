"""Terms of an organization over its stores, and what runs did about them."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0018_lawful_basis'),
        ('compliance', '0011_request_searches'),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionStoreStep',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('store', models.CharField(max_length=16)),
                ('days', models.PositiveIntegerField()),
                ('shortened', models.PositiveBigIntegerField()),
                ('ended', models.PositiveBigIntegerField()),
                ('held', models.PositiveBigIntegerField()),
                ('standing', models.PositiveBigIntegerField()),
                ('decided_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('run', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='store_steps', to='compliance.retentionrun')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='compliance_retentionstorestep_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_retentionstorestep_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='run', name='compliance_store_step_run', to='compliance.RetentionRun'), models.UniqueConstraint(fields=('tenant', 'run', 'store'), name='compliance_store_step_once')],
            },
        ),
        migrations.CreateModel(
            name='StoreTerm',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('store', models.CharField(max_length=16)),
                ('days', models.PositiveIntegerField()),
                ('grace_days', models.PositiveIntegerField()),
                ('legal_basis', models.CharField(max_length=500)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('changed_by', models.UUIDField()),
                ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('shortened', models.PositiveBigIntegerField(default=0)),
                ('ended', models.PositiveBigIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='compliance_storeterm_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='compliance_storeterm_tenant_id'), models.UniqueConstraint(fields=('tenant', 'store'), name='compliance_store_term_once')],
            },
        ),
    ]
