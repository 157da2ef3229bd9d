"""Counts of sealed events by hour and by day, and the columns and indexes of events that they and the listing need."""

import django.db.models.deletion
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_log"),
    ]

    operations = [
        migrations.AddField(
            model_name="auditevent",
            name="records",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="bytes",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="duration_ms",
            field=models.BigIntegerField(db_default=0),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("status", "success"), _negated=True),
                fields=["tenant", "status", "-time"],
                name="audit_event_by_outcome",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("severity", "info"), _negated=True),
                fields=["tenant", "severity", "-time"],
                name="audit_event_by_severity",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("classification", ""), _negated=True),
                fields=["tenant", "classification", "-time"],
                name="audit_event_by_class",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("purpose", ""), _negated=True),
                fields=["tenant", "purpose", "-time"],
                name="audit_event_by_purpose",
            ),
        ),
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(
                condition=models.Q(("request_id", ""), _negated=True),
                fields=["tenant", "request_id"],
                name="audit_event_by_request",
            ),
        ),
        migrations.CreateModel(
            name="RollupFacet",
            fields=[
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.IntegerField()),
                ("type", models.TextField()),
                ("operation", models.TextField()),
                ("status", models.TextField()),
                ("severity", models.TextField()),
                ("classification", models.TextField()),
                ("purpose", models.TextField()),
                ("actor_kind", models.TextField()),
            ],
            options={
                "verbose_name": "facet of events",
                "verbose_name_plural": "facets of events",
                "db_table": "audit_rollup_facet",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        grants=("SELECT",), name="audit_rollup_facet_rls", system=("SELECT", "INSERT", "UPDATE")
                    ),
                    models.UniqueConstraint(
                        fields=(
                            "tenant",
                            "type",
                            "operation",
                            "status",
                            "severity",
                            "classification",
                            "purpose",
                            "actor_kind",
                        ),
                        name="audit_rollup_facet_once",
                    ),
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="RollupHour",
            fields=[
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                ("facet", models.IntegerField()),
                ("events", models.BigIntegerField()),
                ("records", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "facet", "hour", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("hour", models.DateTimeField()),
            ],
            options={
                "verbose_name": "events of an hour",
                "verbose_name_plural": "events of hours",
                "db_table": "audit_rollup_hour",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        grants=("SELECT",), name="audit_rollup_hour_rls", system=("SELECT", "INSERT", "UPDATE")
                    )
                ],
                "indexes": [],
            },
        ),
        migrations.CreateModel(
            name="RollupActorDay",
            fields=[
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                ("facet", models.IntegerField()),
                ("events", models.BigIntegerField()),
                ("records", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "facet",
                        "day",
                        "actor_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("actor_id", models.UUIDField()),
            ],
            options={
                "verbose_name": "an actor's day",
                "verbose_name_plural": "days of actors",
                "db_table": "audit_rollup_actor_day",
                "abstract": False,
                "indexes": [models.Index(fields=["tenant", "actor_id", "day"], name="audit_actor_day_by_actor")],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        grants=("SELECT",), name="audit_rollup_actor_day_rls", system=("SELECT", "INSERT", "UPDATE")
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupDatasetDay",
            fields=[
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                ("facet", models.IntegerField()),
                ("events", models.BigIntegerField()),
                ("records", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "facet",
                        "day",
                        "dataset_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("dataset_id", models.UUIDField()),
            ],
            options={
                "verbose_name": "a dataset's day",
                "verbose_name_plural": "days of datasets",
                "db_table": "audit_rollup_dataset_day",
                "abstract": False,
                "indexes": [models.Index(fields=["tenant", "dataset_id", "day"], name="audit_dataset_day_by_dataset")],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        grants=("SELECT",), name="audit_rollup_dataset_day_rls", system=("SELECT", "INSERT", "UPDATE")
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupAccessHour",
            fields=[
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                ("facet", models.IntegerField()),
                ("events", models.BigIntegerField()),
                ("records", models.BigIntegerField()),
                ("bytes", models.BigIntegerField()),
                ("duration_ms", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "actor_id",
                        "hour",
                        "dataset_id",
                        "facet",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("hour", models.DateTimeField()),
                ("actor_id", models.UUIDField()),
                ("dataset_id", models.UUIDField()),
            ],
            options={
                "verbose_name": "an access hour",
                "db_table": "audit_rollup_access_hour",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["tenant", "hour"], name="audit_access_by_hour"),
                    models.Index(fields=["tenant", "dataset_id", "hour"], name="audit_access_by_dataset"),
                ],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        grants=("SELECT",), name="audit_rollup_access_hour_rls", system=("SELECT", "INSERT", "UPDATE")
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RollupPolicyHour",
            fields=[
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
                        editable=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="access.tenant",
                    ),
                ),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id",
                        "policy",
                        "hour",
                        "facet",
                        "actor_id",
                        "dataset_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("policy", models.TextField()),
                ("hour", models.DateTimeField()),
                ("facet", models.IntegerField()),
                ("actor_id", models.UUIDField()),
                ("dataset_id", models.UUIDField()),
                ("events", models.BigIntegerField()),
            ],
            options={
                "verbose_name": "a policy's hour",
                "verbose_name_plural": "hours of policies",
                "db_table": "audit_rollup_policy_hour",
                "abstract": False,
                "indexes": [models.Index(fields=["tenant", "facet", "hour"], name="audit_policy_by_facet")],
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(
                        grants=("SELECT",), name="audit_rollup_policy_hour_rls", system=("SELECT", "INSERT", "UPDATE")
                    )
                ],
            },
        ),
    ]
