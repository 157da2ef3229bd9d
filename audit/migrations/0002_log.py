"""The Merkle log: leaves, tiles, checkpoints and the receipts of witnesses, all insert-only."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope

TABLES = ("audit_leaf", "audit_tile", "audit_checkpoint", "audit_witness_receipt")

# Like the fence of the events (0001): it stops mistakes, not an owner who takes it away.
UP = """
CREATE FUNCTION audit_refuse_log_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of the audit is never changed: % of % refused', TG_OP, TG_TABLE_NAME
          USING ERRCODE = 'insufficient_privilege';
END $$;
REVOKE ALL ON FUNCTION audit_refuse_log_change() FROM PUBLIC;
-- Hashes do not compress.
ALTER TABLE audit_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
""" + "".join(
    f"""
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION audit_refuse_log_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_log_change();
"""
    for table in TABLES
)
DOWN = (
    "".join(
        f"DROP TRIGGER append_only ON {table}; DROP TRIGGER append_only_truncate ON {table};\n" for table in TABLES
    )
    + "DROP FUNCTION audit_refuse_log_change();"
)


def tenant(on_delete, **options):
    return models.ForeignKey(
        db_index=False,
        default=vaultsite.kernel.tenancy.scope.current_tenant_id,
        editable=False,
        on_delete=on_delete,
        related_name="+",
        to="access.tenant",
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("access", "0001_initial"), ("audit", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="AuditLeaf",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant_id", "seq", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", tenant(django.db.models.deletion.DO_NOTHING, db_constraint=False)),
                ("seq", models.BigIntegerField()),
                ("event_id", models.UUIDField()),
                ("event_time", models.DateTimeField()),
                ("leaf", models.BinaryField()),
            ],
            options={
                "verbose_name": "audit leaf",
                "verbose_name_plural": "audit leaves",
                "db_table": "audit_leaf",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT",), name="audit_leaf_rls", system=("SELECT", "INSERT")),
                    models.UniqueConstraint(fields=("tenant", "event_id"), name="audit_leaf_event"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditTile",
            fields=[
                ("pk", models.CompositePrimaryKey("tenant_id", "level", "index", blank=True, editable=False, primary_key=True, serialize=False)),
                ("tenant", tenant(django.db.models.deletion.DO_NOTHING, db_constraint=False)),
                ("level", models.PositiveSmallIntegerField()),
                ("index", models.BigIntegerField()),
                ("hashes", models.BinaryField()),
                ("root", models.BinaryField()),
            ],
            options={
                "verbose_name": "audit tile",
                "db_table": "audit_tile",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT",), name="audit_tile_rls", system=("SELECT", "INSERT")),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant", tenant(django.db.models.deletion.PROTECT)),
                ("size", models.BigIntegerField()),
                ("root", models.BinaryField()),
                ("time", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("note", models.TextField()),
                ("verifiers", models.TextField()),
            ],
            options={
                "verbose_name": "audit checkpoint",
                "db_table": "audit_checkpoint",
                "ordering": ["-size"],
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT",), name="audit_auditcheckpoint_rls", system=("SELECT", "INSERT")),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_auditcheckpoint_tenant_id"),
                    models.UniqueConstraint(fields=("tenant", "size"), name="audit_checkpoint_size"),
                ],
            },
        ),
        migrations.CreateModel(
            name="WitnessReceipt",
            fields=[
                ("id", models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ("tenant", tenant(django.db.models.deletion.PROTECT)),
                ("checkpoint", vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="audit.auditcheckpoint")),
                ("witness", models.TextField()),
                ("place", models.TextField()),
                ("held_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("locked_until", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "witness receipt",
                "db_table": "audit_witness_receipt",
                "abstract": False,
                "constraints": [
                    vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=("SELECT",), name="audit_witnessreceipt_rls", system=("SELECT", "INSERT")),
                    models.UniqueConstraint(fields=("tenant", "id"), name="audit_witnessreceipt_tenant_id"),
                    vaultsite.kernel.tenancy.keys.CompositeForeignKey(field="checkpoint", name="audit_witness_receipt_checkpoint", to="audit.AuditCheckpoint"),
                    models.UniqueConstraint(fields=("tenant", "checkpoint", "witness"), name="audit_witness_receipt_once"),
                ],
            },
        ),
        migrations.RunSQL(UP, DOWN),
    ]
