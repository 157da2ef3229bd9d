"""Privacy budgets."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0007_privacy_keys"), ("anonymization", "0002_tokens")]

    operations = [
        migrations.CreateModel(
            name='PrivacyBudget',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('family_id', models.UUIDField()),
                ('merged_into', models.UUIDField(default=None, null=True)),
                ('epsilon_total', models.DecimalField(decimal_places=18, max_digits=30)),
                ('delta_total', models.DecimalField(decimal_places=18, max_digits=30)),
                ('epsilon_spent', models.DecimalField(decimal_places=18, default=0, max_digits=30)),
                ('delta_spent', models.DecimalField(decimal_places=18, default=0, max_digits=30)),
                ('recipient_epsilon', models.DecimalField(decimal_places=18, max_digits=30)),
                ('recipient_delta', models.DecimalField(decimal_places=18, max_digits=30)),
                ('renewed_at', models.DateTimeField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'db_table': 'privacy_budgets',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='BudgetSpend',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('recipient', models.UUIDField()),
                ('dataset_id', models.UUIDField(null=True)),
                ('purpose', models.CharField(blank=True, db_collation='C', default='', max_length=64)),
                ('epsilon', models.DecimalField(decimal_places=18, max_digits=30)),
                ('delta', models.DecimalField(decimal_places=18, max_digits=30)),
                ('queries', models.PositiveSmallIntegerField(default=1)),
                ('query_digest', models.BinaryField(max_length=32)),
                ('answer', models.BinaryField(default=None, null=True)),
                ('is_renewed', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('answered_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('budget', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='spends', to='anonymization.privacybudget')),
            ],
            options={
                'db_table': 'privacy_budget_spends',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='BudgetShare',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('recipient', models.UUIDField()),
                ('epsilon_total', models.DecimalField(decimal_places=18, default=None, max_digits=30, null=True)),
                ('delta_total', models.DecimalField(decimal_places=18, default=None, max_digits=30, null=True)),
                ('epsilon_spent', models.DecimalField(decimal_places=18, default=0, max_digits=30)),
                ('delta_spent', models.DecimalField(decimal_places=18, default=0, max_digits=30)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('budget', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='shares', to='anonymization.privacybudget')),
            ],
            options={
                'db_table': 'privacy_budget_shares',
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='privacybudget',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='anonymization_privacybudget_rls'),
        ),
        migrations.AddConstraint(
            model_name='privacybudget',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_privacybudget_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='privacybudget',
            constraint=models.UniqueConstraint(fields=('tenant', 'family_id'), name='privacy_budget_family'),
        ),
        migrations.AddConstraint(
            model_name='privacybudget',
            constraint=models.CheckConstraint(condition=models.Q(('delta_spent__gte', 0), ('delta_total__gte', 0), ('epsilon_spent__gte', 0), ('epsilon_total__gte', 0)), name='privacy_budget_not_negative'),
        ),
        migrations.AddIndex(
            model_name='budgetspend',
            index=models.Index(fields=['tenant', 'budget', 'query_digest'], name='privacy_spend_query'),
        ),
        migrations.AddIndex(
            model_name='budgetspend',
            index=models.Index(fields=['tenant', 'budget', 'created_at'], name='privacy_spend_history'),
        ),
        migrations.AddIndex(
            model_name='budgetspend',
            index=models.Index(models.F('tenant'), models.F('recipient'), models.OrderBy(models.F('created_at'), descending=True), name='privacy_spend_recipient'),
        ),
        migrations.AddConstraint(
            model_name='budgetspend',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='anonymization_budgetspend_rls'),
        ),
        migrations.AddConstraint(
            model_name='budgetspend',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_budgetspend_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='budgetspend',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='budget', name='privacy_spend_budget_fk', to='anonymization.PrivacyBudget'),
        ),
        migrations.AddConstraint(
            model_name='budgetspend',
            constraint=models.CheckConstraint(condition=models.Q(('delta__gte', 0), ('epsilon__gte', 0), models.Q(('epsilon__gt', 0), ('delta__gt', 0), _connector='OR')), name='privacy_spend_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='budgetshare',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='anonymization_budgetshare_rls'),
        ),
        migrations.AddConstraint(
            model_name='budgetshare',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_budgetshare_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='budgetshare',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='budget', name='privacy_share_budget_fk', to='anonymization.PrivacyBudget'),
        ),
        migrations.AddConstraint(
            model_name='budgetshare',
            constraint=models.UniqueConstraint(fields=('tenant', 'budget', 'recipient'), name='privacy_share_recipient'),
        ),
        migrations.AddConstraint(
            model_name='budgetshare',
            constraint=models.CheckConstraint(condition=models.Q(('delta_spent__gte', 0), ('epsilon_spent__gte', 0)), name='privacy_share_not_negative'),
        ),
    ]
