"""Release rules, and whether they bound an export under a guarantee."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0015_rescans")]

    operations = [
        migrations.AddField(
            model_name='guaranteedexport',
            name='is_bound',
            field=models.BooleanField(default=True),
        ),
        migrations.CreateModel(
            name='ReleaseRules',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=1024)),
                ('sensitive', models.JSONField(default=list)),
                ('insensitive', models.JSONField(default=list)),
                ('minimum_k', models.PositiveIntegerField(default=None, null=True)),
                ('allows_id_filters', models.BooleanField(default=False)),
                ('hierarchies', models.BinaryField(default=None, null=True)),
                ('declared_by', models.UUIDField()),
                ('declared_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='release_rules', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_releaserules_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_releaserules_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='release_rules_dataset_fk', to='datasets.Dataset'), models.UniqueConstraint(fields=('tenant', 'dataset'), name='release_rules_dataset'), models.CheckConstraint(condition=models.Q(('minimum_k', None), ('minimum_k__gte', 2), _connector='OR'), name='release_rules_minimum_k')],
            },
        ),
    ]
