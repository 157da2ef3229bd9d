"""Canaries: records nobody has a reason to read, and who may read them all the same."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


def _own_fields() -> list[tuple[str, models.Field]]:
    return [
        ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
        ("tenant", models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.tenant")),
    ]


class Migration(migrations.Migration):
    dependencies = [("datasets", "0020_policy_violations")]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="has_canaries",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.CreateModel(
            name="Canary",
            fields=[
                *_own_fields(),
                ("mac", models.BinaryField()),
                ("sealed_id", models.BinaryField()),
                ("placed_by", models.UUIDField(editable=False)),
                ("placed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("dataset", vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="canaries", to="datasets.dataset")),
            ],
            options={
                "verbose_name_plural": "canaries",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT", "DELETE"), name="datasets_canary_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="datasets_canary_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(field="dataset", name="datasets_canary_dataset_fk", to="datasets.Dataset"),
                    models.UniqueConstraint(fields=("tenant", "dataset", "mac"), name="datasets_canary_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CanaryReader",
            fields=[
                *_own_fields(),
                ("principal_id", models.UUIDField()),
                ("added_by", models.UUIDField(editable=False)),
                ("added_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ("dataset", vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="canary_readers", to="datasets.dataset")),
            ],
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT", "DELETE"), name="datasets_canaryreader_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="datasets_canaryreader_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(field="dataset", name="datasets_canaryreader_dataset_fk", to="datasets.Dataset"),
                    models.UniqueConstraint(fields=("tenant", "dataset", "principal_id"), name="datasets_canaryreader_once"),
                ],
            },
        ),
    ]
