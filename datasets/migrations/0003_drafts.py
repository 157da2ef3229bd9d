"""Drafts and staged records."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models
from vaultsite.kernel.tenancy.rls import ALL, BY_TENANT, protect_sql

# The key leads with the draft: all of one is read in order of id, and removed at once.
RECORDS = """
CREATE TABLE records (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL REFERENCES access_tenant (id) DEFERRABLE INITIALLY DEFERRED,
    dataset_id uuid NOT NULL,
    draft_id uuid NOT NULL,
    record_id text COLLATE "C" NOT NULL,
    kind varchar(7) NOT NULL,
    body bytea NULL,
    key_id uuid NULL,
    secret bytea NULL,
    detector bytea NULL,
    size integer NOT NULL CHECK (size >= 0),
    updated_at timestamptz NOT NULL DEFAULT statement_timestamp(),
    CONSTRAINT records_unique PRIMARY KEY (tenant_id, draft_id, record_id, dataset_id),
    CONSTRAINT records_dataset_fk FOREIGN KEY (tenant_id, dataset_id)
        REFERENCES datasets_dataset (tenant_id, id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT records_draft_fk FOREIGN KEY (tenant_id, draft_id)
        REFERENCES datasets_draft (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
) PARTITION BY HASH (dataset_id);
CREATE INDEX records_by_id ON records (tenant_id, id);
"""
DROP_RECORDS = "DROP TABLE records"

# A policy of the parent does not protect a partition that is addressed by its own name, so each is closed to the
# serving roles.
PARTITIONS = """
DO $$
DECLARE
    partition text;
BEGIN
    FOR slot IN 0..15 LOOP
        partition := 'records_' || lpad(slot::text, 2, '0');
        EXECUTE format('CREATE TABLE %I PARTITION OF records FOR VALUES WITH (MODULUS 16, REMAINDER %s)',
                       partition, slot);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', partition);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', partition);
        EXECUTE format('CREATE POLICY owner ON %I TO vault_owner USING (true) WITH CHECK (true)', partition);
        EXECUTE format('REVOKE ALL ON %I FROM PUBLIC, vault_app, vault_system', partition);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("datasets", "0002_branches")]

    operations = [
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('branch', models.CharField(db_collation='C', default='main', max_length=100)),
                ('label', models.CharField(blank=True, db_collation='C', default='', max_length=32)),
                ('description', models.CharField(blank=True, default='', max_length=1000)),
                ('status', models.CharField(choices=[('draft', 'draft'), ('publishing', 'publishing'), ('published', 'published')], default='draft', max_length=10)),
                ('opened_by', models.UUIDField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('warned_at', models.DateTimeField(default=None, null=True)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='datasets.dataset')),
                ('parent', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='datasets.version')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Publication',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('cancelled', 'cancelled')], default='queued', max_length=9)),
                ('progress', models.JSONField(default=dict)),
                ('checkpoint', models.JSONField(default=dict)),
                ('lease_until', models.DateTimeField()),
                ('attempt', models.PositiveSmallIntegerField(default=0)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('error_code', models.CharField(blank=True, default='', max_length=20)),
                ('error', models.JSONField(default=None, null=True)),
                ('requested_by', models.UUIDField()),
                ('idempotency_key', models.CharField(blank=True, default='', max_length=255)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('started_at', models.DateTimeField(default=None, null=True)),
                ('finished_at', models.DateTimeField(default=None, null=True)),
                ('kind', models.CharField(choices=[('ingest', 'upload'), ('publish', 'published draft'), ('patch', 'change of records'), ('merge', 'merge'), ('rollback', 'rollback')], default='publish', max_length=8)),
                ('branch', models.CharField(db_collation='C', max_length=100)),
                ('rebase', models.BooleanField(default=False)),
                ('label', models.CharField(blank=True, db_collation='C', default='', max_length=32)),
                ('message', models.CharField(blank=True, default='', max_length=1000)),
                ('seed', models.BinaryField(null=True)),
                ('staged_count', models.PositiveIntegerField(default=0)),
                ('purpose', models.CharField(blank=True, default='', max_length=64)),
                ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='datasets.dataset')),
                ('draft', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.draft')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('version', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='datasets.version')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.AddIndex(
            model_name='draft',
            index=models.Index(fields=['tenant', 'dataset', 'id'], name='datasets_draft_dataset'),
        ),
        migrations.AddIndex(
            model_name='draft',
            index=models.Index(fields=['status', 'expires_at'], name='datasets_draft_expiry'),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_draft_rls', system=('SELECT',)),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_draft_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_draft_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='parent', name='datasets_draft_parent_fk', to='datasets.Version'),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='datasets_draft_version_fk', to='datasets.Version'),
        ),
        migrations.AddConstraint(
            model_name='draft',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('label', ''), _negated=True), models.Q(('status', 'published'), _negated=True)), fields=('tenant', 'dataset', 'label'), name='datasets_draft_label'),
        ),
        migrations.AddIndex(
            model_name='publication',
            index=models.Index(fields=['tenant', 'draft', 'created_at'], name='datasets_publication_draft'),
        ),
        migrations.AddIndex(
            model_name='publication',
            index=models.Index(fields=['status', 'lease_until'], name='datasets_publication_lease'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_publication_rls', system=('SELECT', 'UPDATE')),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='datasets_publication_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='datasets_publication_dataset_fk', to='datasets.Dataset'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='draft', name='datasets_publication_draft_fk', to='datasets.Draft'),
        ),
        migrations.AddConstraint(
            model_name='publication',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='version', name='datasets_publication_version_fk', to='datasets.Version'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(RECORDS, DROP_RECORDS),
                migrations.RunSQL(
                    protect_sql("records", using=BY_TENANT, grants=ALL, system=()), migrations.RunSQL.noop
                ),
                migrations.RunSQL(PARTITIONS, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.CreateModel(
                    name='StagedRecord',
                    fields=[
                        ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                        ('record_id', models.TextField(db_collation='C')),
                        ('kind', models.CharField(choices=[('added', 'added'), ('updated', 'updated'), ('deleted', 'deleted')], max_length=7)),
                        ('body', models.BinaryField(null=True)),
                        ('key_id', models.UUIDField(null=True)),
                        ('secret', models.BinaryField(null=True)),
                        ('detector', models.BinaryField(null=True)),
                        ('size', models.PositiveIntegerField(default=0)),
                        ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                        ('dataset', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='datasets.dataset')),
                        ('draft', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='datasets.draft')),
                        ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                    ],
                    options={
                        'db_table': 'records',
                        'abstract': False,
                    },
                ),
                migrations.AddIndex(
                    model_name='stagedrecord',
                    index=models.Index(fields=['tenant', 'id'], name='records_by_id'),
                ),
                migrations.AddConstraint(
                    model_name='stagedrecord',
                    constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='datasets_stagedrecord_rls'),
                ),
                migrations.AddConstraint(
                    model_name='stagedrecord',
                    constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='dataset', name='records_dataset_fk', to='datasets.Dataset'),
                ),
                migrations.AddConstraint(
                    model_name='stagedrecord',
                    constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='draft', name='records_draft_fk', to='datasets.Draft'),
                ),
                migrations.AddConstraint(
                    model_name='stagedrecord',
                    constraint=models.UniqueConstraint(fields=('tenant', 'dataset', 'draft', 'record_id'), name='records_unique'),
                ),
            ],
        ),
    ]
