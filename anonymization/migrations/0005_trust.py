"""Lists, field rules, thresholds, feedback and test cases of detection."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0004_releases")]

    operations = [
        migrations.CreateModel(
            name="DetectionCase",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("dataset_id", models.UUIDField(default=None, null=True)),
                ("record_id", models.CharField(blank=True, default="", max_length=128)),
                ("entity_type", models.CharField(max_length=64)),
                ("is_expected", models.BooleanField()),
                ("sealed", models.BinaryField()),
                ("outcome", models.CharField(blank=True, default="", max_length=7)),
                ("detector", models.BinaryField(default=None, max_length=64, null=True)),
                ("checked_at", models.DateTimeField(default=None, null=True)),
                ("created_by", models.UUIDField()),
                (
                    "created_at",
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
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["tenant", "dataset_id", "record_id"], name="anonymization_case_record")
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="anonymization_detectioncase_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="anonymization_detectioncase_tenant_id"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FieldEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("field", models.CharField(max_length=500)),
                (
                    "decision",
                    models.CharField(
                        choices=[("type", "Is of a type"), ("always", "Always personal"), ("never", "Never personal")],
                        max_length=6,
                    ),
                ),
                ("entity_type", models.CharField(blank=True, default="", max_length=64)),
                ("dataset_id", models.UUIDField(default=None, null=True)),
                ("reason", models.CharField(max_length=1000)),
                ("expires_at", models.DateTimeField(default=None, null=True)),
                ("created_by", models.UUIDField()),
                (
                    "created_at",
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
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="anonymization_fieldentry_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="anonymization_fieldentry_tenant_id"),
                    models.UniqueConstraint(
                        fields=("tenant", "field", "dataset_id"),
                        name="anonymization_fieldentry_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FindingFeedback",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("dataset_id", models.UUIDField(default=None, null=True)),
                ("version_id", models.UUIDField(default=None, null=True)),
                ("record_id", models.CharField(blank=True, default="", max_length=128)),
                (
                    "verdict",
                    models.CharField(
                        choices=[("false_positive", "Not personal data"), ("missed", "Was not found")], max_length=14
                    ),
                ),
                ("entity_type", models.CharField(max_length=64)),
                ("recognizer", models.CharField(blank=True, default="", max_length=128)),
                ("score", models.FloatField(default=None, null=True)),
                ("sealed", models.BinaryField()),
                ("comment", models.CharField(blank=True, default="", max_length=1000)),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "Open"), ("settled", "Settled"), ("dismissed", "Dismissed")],
                        default="open",
                        max_length=9,
                    ),
                ),
                ("settled_as", models.CharField(blank=True, default="", max_length=10)),
                ("settled_id", models.UUIDField(default=None, null=True)),
                ("settled_by", models.UUIDField(default=None, null=True)),
                ("settled_at", models.DateTimeField(default=None, null=True)),
                ("created_by", models.UUIDField()),
                (
                    "created_at",
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
            options={
                "abstract": False,
                "indexes": [
                    models.Index(fields=["tenant", "state", "id"], name="anonymization_feedback_state"),
                    models.Index(fields=["tenant", "dataset_id", "record_id"], name="anonymization_feedback_record"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="anonymization_findingfeedback_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="anonymization_findingfeedback_tenant_id"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ListEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("list_name", models.CharField(choices=[("allow", "Allow-list"), ("deny", "Deny-list")], max_length=5)),
                (
                    "kind",
                    models.CharField(
                        choices=[("value", "Value"), ("regex", "Pattern"), ("field", "Field")], max_length=5
                    ),
                ),
                ("dataset_id", models.UUIDField(default=None, null=True)),
                ("entity_type", models.CharField(blank=True, default="", max_length=64)),
                ("field", models.CharField(blank=True, default="", max_length=500)),
                ("normalizer", models.CharField(blank=True, default="", max_length=16)),
                ("digest", models.BinaryField(max_length=32)),
                ("sealed", models.BinaryField(default=None, null=True)),
                ("reason", models.CharField(max_length=1000)),
                ("expires_at", models.DateTimeField(default=None, null=True)),
                ("created_by", models.UUIDField()),
                (
                    "created_at",
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
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="anonymization_listentry_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="anonymization_listentry_tenant_id"),
                    models.UniqueConstraint(
                        fields=("tenant", "list_name", "kind", "digest", "dataset_id", "entity_type", "field"),
                        name="anonymization_listentry_once",
                        nulls_distinct=False,
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ThresholdEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("entity_type", models.CharField(max_length=64)),
                ("score", models.FloatField()),
                ("dataset_id", models.UUIDField(default=None, null=True)),
                ("reason", models.CharField(max_length=1000)),
                ("created_by", models.UUIDField()),
                (
                    "created_at",
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
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="anonymization_thresholdentry_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="anonymization_thresholdentry_tenant_id"),
                    models.UniqueConstraint(
                        fields=("tenant", "entity_type", "dataset_id"),
                        name="anonymization_thresholdentry_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("score__gte", 0.2), ("score__lte", 1.0)),
                        name="anonymization_thresholdentry_score",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="TrustEpoch",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("stamp", models.UUIDField()),
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
            options={
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(name="anonymization_trustepoch_rls"),
                    models.UniqueConstraint(fields=("tenant", "id"), name="anonymization_trustepoch_tenant_id"),
                    models.UniqueConstraint(fields=("tenant",), name="anonymization_trustepoch_one"),
                ],
            },
        ),
    ]
