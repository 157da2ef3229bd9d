"""Families of datasets; every existing dataset gets one, by its lineage."""

from itertools import groupby
from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from datasets.family_graph import Crossing, joined_datasets
from django.db import migrations, models

CROSSINGS = """
    SELECT edge.tenant_id, source.id, source.dataset_id, target.id, target.dataset_id
      FROM lineage_edges edge
      JOIN lineage_nodes source ON source.tenant_id = edge.tenant_id AND source.id = edge.source_id
      JOIN lineage_nodes target ON target.tenant_id = edge.tenant_id AND target.id = edge.target_id
     WHERE source.dataset_id IS NULL OR target.dataset_id IS NULL OR source.dataset_id <> target.dataset_id
     ORDER BY edge.tenant_id
"""


def fill(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    member = apps.get_model("datasets", "FamilyMember").objects.using(alias)
    families: dict[Any, Any] = {}
    tenants: dict[Any, Any] = {}
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(CROSSINGS)
        for tenant_id, rows in groupby(cursor.fetchall(), key=lambda row: row[0]):
            for datasets in joined_datasets(Crossing(*row[1:]) for row in rows):
                families.update(dict.fromkeys(datasets, min(datasets)))
                tenants.update(dict.fromkeys(datasets, tenant_id))
    known = apps.get_model("datasets", "Dataset").objects.using(alias).values_list("pk", "tenant_id")
    tenants |= dict(known.iterator())
    rows = (
        member.model(tenant_id=tenant_id, dataset_id=pk, family_id=families.get(pk, pk))
        for pk, tenant_id in tenants.items()
    )
    member.bulk_create(rows, batch_size=1000)


class Migration(migrations.Migration):
    dependencies = [("datasets", "0012_history")]

    operations = [
        migrations.CreateModel(
            name='FamilyMember',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('dataset_id', models.UUIDField()),
                ('family_id', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'family_id'], name='datasets_family_members')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='datasets_familymember_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_familymember_tenant_id'), models.UniqueConstraint(fields=('tenant', 'dataset_id'), name='datasets_family_dataset')],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
