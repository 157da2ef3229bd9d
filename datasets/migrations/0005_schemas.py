"""Schemas of records."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0004_merges")]

    operations = [
        migrations.CreateModel(
            name='RecordSchema',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('document', models.BinaryField()),
                ('digest', models.BinaryField(max_length=32)),
                ('compatibility', models.CharField(choices=[('none', 'none'), ('backward', 'backward: old records fit the new schema'), ('forward', 'forward: new records fit the old schema'), ('full', 'full: both')], default='none', max_length=8)),
                ('message', models.CharField(blank=True, default='', max_length=1000)),
                ('created_by', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='schemas', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={'abstract': False},
        ),
        migrations.AddConstraint(
            model_name='recordschema',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'DELETE'), name='datasets_recordschema_rls', system=()),
        ),
        migrations.AddConstraint(
            model_name='recordschema',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_recordschema_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='recordschema',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_schema_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddConstraint(
            model_name='recordschema',
            constraint=models.UniqueConstraint(fields=('tenant', 'dataset', 'version'), name='datasets_schema_version'),
        ),
    ]
