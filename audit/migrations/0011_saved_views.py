"""Searches of the audit that people want to find again."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0010_verification"),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedView",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                ("owner_id", models.UUIDField()),
                ("name", models.CharField(max_length=80)),
                ("query", models.CharField(max_length=4000)),
                ("is_shared", models.BooleanField(default=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "verbose_name": "saved view",
                "db_table": "audit_saved_view",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="audit_savedview_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_savedview_tenant_id"),
                    models.UniqueConstraint(fields=("tenant", "owner_id", "name"), name="audit_saved_view_name"),
                ],
                "indexes": [],
            },
        ),
    ]
