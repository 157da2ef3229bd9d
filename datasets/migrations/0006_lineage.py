"""Lineage."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0005_schemas")]

    operations = [
        migrations.CreateModel(
            name='LineageNode',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(choices=[('version', 'version'), ('export', 'export'), ('transformation', 'transformation'), ('source', 'external data'), ('model', 'model'), ('run', 'training run')], max_length=14)),
                ('object_id', models.UUIDField(null=True)),
                ('dataset_id', models.UUIDField(null=True)),
                ('namespace', models.CharField(blank=True, db_collation='C', default='', max_length=200)),
                ('name', models.CharField(db_collation='C', max_length=200)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'db_table': 'lineage_nodes',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='LineageEdge',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('derived_from', 'derived from'), ('copied_from', 'copied from'), ('transformed_by', 'transformed by'), ('merged_from', 'merged from'), ('anonymized_from', 'anonymized from'), ('sampled_from', 'sampled from'), ('filtered_from', 'filtered from'), ('trained', 'trained')], max_length=16)),
                ('facts', models.JSONField(default=dict)),
                ('reported_by', models.UUIDField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('source', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='outgoing', to='datasets.lineagenode')),
                ('target', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='incoming', to='datasets.lineagenode')),
            ],
            options={
                'db_table': 'lineage_edges',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='DatasetUse',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(db_collation='C', max_length=64)),
                ('first_read_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_read_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='datasets.dataset')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_datasetuse_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_datasetuse_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_use_dataset_fk', to='datasets.Dataset'), models.UniqueConstraint(fields=('tenant', 'dataset', 'purpose'), name='datasets_use_purpose')],
            },
        ),
        migrations.AddIndex(
            model_name='lineagenode',
            index=models.Index(fields=['tenant', 'dataset_id'], name='lineage_node_dataset'),
        ),
        migrations.AddConstraint(
            model_name='lineagenode',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='datasets_lineagenode_rls'),
        ),
        migrations.AddConstraint(
            model_name='lineagenode',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_lineagenode_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='lineagenode',
            constraint=models.UniqueConstraint(condition=models.Q(('object_id__isnull', False)), fields=('tenant', 'type', 'object_id'), name='lineage_node_object'),
        ),
        migrations.AddConstraint(
            model_name='lineagenode',
            constraint=models.UniqueConstraint(condition=models.Q(('object_id__isnull', True)), fields=('tenant', 'type', 'namespace', 'name'), name='lineage_node_external'),
        ),
        migrations.AddIndex(
            model_name='lineageedge',
            index=models.Index(fields=['tenant', 'target'], name='lineage_edge_target'),
        ),
        migrations.AddConstraint(
            model_name='lineageedge',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='datasets_lineageedge_rls'),
        ),
        migrations.AddConstraint(
            model_name='lineageedge',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_lineageedge_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='lineageedge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='source', name='lineage_edge_source_fk', to='datasets.LineageNode'),
        ),
        migrations.AddConstraint(
            model_name='lineageedge',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='target', name='lineage_edge_target_fk', to='datasets.LineageNode'),
        ),
        migrations.AddConstraint(
            model_name='lineageedge',
            constraint=models.UniqueConstraint(fields=('tenant', 'source', 'target', 'kind'), name='lineage_edge_unique'),
        ),
    ]
