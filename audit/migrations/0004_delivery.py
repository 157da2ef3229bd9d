"""What waits for the message broker, its dead letters, and an outbox whose waiting entries the application may count."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope

ADDRESSED = [
    ("event_id", models.UUIDField()),
    ("event_time", models.DateTimeField()),
    ("event_type", models.CharField(max_length=100)),
    ("dataset_id", models.UUIDField(null=True)),
    ("lane", models.UUIDField()),
    ("topics", models.JSONField()),
    ("content_type", models.CharField(max_length=60)),
    ("body", models.BinaryField()),
    ("reason", models.CharField(blank=True, default="", max_length=20)),
]


class Migration(migrations.Migration):
    dependencies = [("audit", "0003_rollups")]

    operations = [
        migrations.CreateModel(
            name="BrokerDelivery",
            fields=[
                *ADDRESSED,
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=None, null=True)),
                ("tenant", models.ForeignKey(db_constraint=False, db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="access.tenant")),
            ],
            options={
                "verbose_name": "broker delivery",
                "verbose_name_plural": "broker deliveries",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["tenant", "event_time"], name="audit_brokerdelivery_age"),
                    models.Index(condition=models.Q(("next_try_at__isnull", False)), fields=["lane", "next_try_at"], name="audit_brokerdelivery_refused"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT", "DELETE"), name="audit_brokerdelivery_rls", system=("SELECT", "INSERT", "UPDATE", "DELETE")),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeadLetter",
            fields=[
                ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                *ADDRESSED,
                ("tries", models.PositiveSmallIntegerField()),
                ("died_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("replayed_at", models.DateTimeField(default=None, null=True)),
                ("replayed_by", models.UUIDField(default=None, null=True)),
                ("tenant", models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.tenant")),
            ],
            options={
                "verbose_name": "dead letter",
                "abstract": False,
                "indexes": [
                    models.Index(condition=models.Q(("replayed_at__isnull", True)), fields=["tenant", "-id"], name="audit_deadletter_waiting"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT", "UPDATE"), name="audit_deadletter_rls", system=("SELECT", "DELETE")),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_deadletter_tenant_id"),
                ],
            },
        ),
        migrations.RemoveField(model_name="outboxentry", name="attempts"),
        migrations.RemoveConstraint(model_name="outboxentry", name="audit_outbox_rls"),
        migrations.AddConstraint(
            model_name="outboxentry",
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT"), name="audit_outbox_rls", system=("SELECT", "UPDATE", "DELETE")),
        ),
    ]
