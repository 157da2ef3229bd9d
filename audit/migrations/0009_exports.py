"""Exports of the audit."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0008_notifications"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditExport",
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
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "queued"),
                            ("running", "running"),
                            ("succeeded", "succeeded"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="queued",
                        max_length=9,
                    ),
                ),
                ("progress", models.JSONField(default=dict)),
                ("checkpoint", models.JSONField(default=dict)),
                ("lease_until", models.DateTimeField()),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("fence", models.PositiveIntegerField(default=0)),
                ("error_code", models.CharField(blank=True, default="", max_length=20)),
                ("error", models.JSONField(default=None, null=True)),
                ("requested_by", models.UUIDField()),
                ("idempotency_key", models.CharField(blank=True, default="", max_length=255)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("started_at", models.DateTimeField(default=None, null=True)),
                ("finished_at", models.DateTimeField(default=None, null=True)),
                (
                    "format",
                    models.CharField(
                        choices=[
                            ("csv", "CSV"),
                            ("jsonl", "JSON lines"),
                            ("ocsf", "OCSF 1.6 (JSON lines)"),
                            ("cef", "CEF"),
                            ("bundle", "Signed bundle (ZIP)"),
                        ],
                        max_length=6,
                    ),
                ),
                ("criteria", models.JSONField(default=dict)),
                ("until_seq", models.BigIntegerField()),
                ("parts", models.JSONField(default=list)),
                ("record_count", models.BigIntegerField(default=0)),
                ("size", models.BigIntegerField(default=0)),
                ("sha256", models.CharField(blank=True, default="", max_length=64)),
                ("expires_at", models.DateTimeField(default=None, null=True)),
                ("removed_at", models.DateTimeField(default=None, null=True)),
            ],
            options={
                "verbose_name": "audit export",
                "db_table": "audit_export",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["tenant", "requested_by"], name="audit_export_by_requester"),
                    models.Index(fields=["status", "lease_until"], name="audit_export_lease"),
                    models.Index(fields=["expires_at"], name="audit_export_expiry"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        name="audit_auditexport_rls", system=("SELECT", "UPDATE")
                    ),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_auditexport_tenant_id"),
                ],
            },
        ),
    ]
