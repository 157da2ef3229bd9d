"""Alerts: what somebody has to look at."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("access", "0017_own_permissions"), ("audit", "0006_webhooks")]

    operations = [
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=40)),
                ("cause", models.CharField(max_length=200)),
                ("severity", models.CharField(choices=[("info", "info"), ("warning", "warning"), ("critical", "critical")], max_length=8)),
                ("state", models.CharField(choices=[("open", "open"), ("acknowledged", "acknowledged"), ("resolved", "resolved")], default="open", max_length=12)),
                ("summary", models.CharField(max_length=500)),
                ("facts", models.JSONField(default=dict)),
                ("count", models.PositiveIntegerField(default=1)),
                ("principal_id", models.UUIDField(default=None, null=True)),
                ("dataset_id", models.UUIDField(default=None, null=True)),
                ("since", models.DateTimeField(default=None, null=True)),
                ("until", models.DateTimeField(default=None, null=True)),
                ("first_seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("last_seen_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("acknowledged_by", models.UUIDField(default=None, null=True)),
                ("acknowledged_at", models.DateTimeField(default=None, null=True)),
                ("resolved_by", models.UUIDField(default=None, null=True)),
                ("resolved_at", models.DateTimeField(default=None, null=True)),
                ("verdict", models.CharField(blank=True, choices=[("mended", "mended"), ("expected", "as expected"), ("incident", "an incident"), ("ended", "ended by itself")], default="", max_length=8)),
                ("reason", models.CharField(blank=True, default="", max_length=1000)),
                ("tenant", models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.tenant")),
            ],
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["tenant", "state", "-id"], name="audit_alert_by_state"),
                    models.Index(fields=["tenant", "kind", "cause", "-id"], name="audit_alert_by_cause"),
                    models.Index(fields=["tenant", "principal_id", "-id"], name="audit_alert_by_principal"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT", "UPDATE"), name="audit_alert_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_alert_tenant_id"),
                    models.UniqueConstraint(condition=models.Q(("state", "resolved"), _negated=True), fields=("tenant", "kind", "cause"), name="audit_alert_one_open"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ActivityWatch",
            fields=[
                ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ("judged_until", models.DateTimeField()),
                ("principals", models.PositiveIntegerField(default=0)),
                ("learning", models.PositiveIntegerField(default=0)),
                ("tenant", models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="access.tenant")),
            ],
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT", "INSERT", "UPDATE"), name="audit_activitywatch_rls", system=("SELECT",)),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_activitywatch_tenant_id"),
                    models.UniqueConstraint(fields=("tenant",), name="audit_activitywatch_one"),
                ],
            },
        ),
    ]
