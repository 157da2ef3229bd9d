"""Event subscriptions."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_delivery")]

    operations = [
        migrations.CreateModel(
            name="EventSubscription",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("topics", models.JSONField(blank=True, default=list)),
                ("types", models.JSONField(blank=True, default=list)),
                ("expression", models.TextField(blank=True, default="")),
                ("format", models.CharField(max_length=16)),
                ("vocabulary", models.CharField(max_length=16)),
                ("endpoint_id", models.UUIDField(default=None, null=True)),
                ("route", models.CharField(blank=True, default="", max_length=64)),
                ("is_active", models.BooleanField(default=True)),
                ("created_by", models.UUIDField(editable=False)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
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
            ],
            options={"verbose_name": "event subscription", "abstract": False},
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                name="audit_eventsubscription_rls", system=("SELECT",)
            ),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.UniqueConstraint(fields=("tenant", "id"), name="audit_eventsubscription_tenant_id"),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.UniqueConstraint(fields=("tenant", "name"), name="audit_eventsubscription_name"),
        ),
        migrations.AddConstraint(
            model_name="eventsubscription",
            constraint=models.CheckConstraint(
                condition=models.Q(("endpoint_id__isnull", True), ("route", ""), _connector="XOR"),
                name="audit_eventsubscription_one_place",
            ),
        ),
    ]
