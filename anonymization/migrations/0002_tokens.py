"""The token vault."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models

#: Counters of a row change without touching an index: room on its page keeps the new version there.
FILLFACTOR_UP = "ALTER TABLE anonymization_token SET (fillfactor = 85)"
FILLFACTOR_DOWN = "ALTER TABLE anonymization_token RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0001_policies")]

    operations = [
        migrations.CreateModel(
            name='TokenSpace',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('dataset_id', models.UUIDField(default=None, null=True)),
                ('purpose', models.CharField(blank=True, default='', max_length=63)),
                ('expired_before', models.DateTimeField(default=None, null=True)),
                ('frequent_reason', models.CharField(blank=True, default='', max_length=1000)),
                ('frequent_by', models.UUIDField(default=None, null=True)),
                ('frequent_at', models.DateTimeField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='TokenGeneration',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('index_key', models.UUIDField()),
                ('format_key', models.UUIDField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('space', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='generations', to='anonymization.tokenspace')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Token',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('generation', models.PositiveSmallIntegerField()),
                ('kind', models.CharField(choices=[('r', 'random'), ('d', 'deterministic'), ('f', 'format')], max_length=1)),
                ('value_index', models.BinaryField(max_length=16)),
                ('slot', models.BinaryField(max_length=16)),
                ('token_index', models.BinaryField(max_length=16)),
                ('sealed', models.BinaryField()),
                ('uses', models.PositiveIntegerField(default=1)),
                ('reveals', models.PositiveIntegerField(default=0)),
                ('expires_at', models.DateTimeField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('space', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tokens', to='anonymization.tokenspace')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='TokenUse',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('principal_id', models.UUIDField()),
                ('kind', models.CharField(blank=True, choices=[('r', 'random'), ('d', 'deterministic'), ('f', 'format')], default='', max_length=1)),
                ('issued', models.PositiveBigIntegerField(default=0)),
                ('repeated', models.PositiveBigIntegerField(default=0)),
                ('refused', models.PositiveBigIntegerField(default=0)),
                ('revealed', models.PositiveBigIntegerField(default=0)),
                ('removed', models.PositiveBigIntegerField(default=0)),
                ('last_issued_at', models.DateTimeField(default=None, null=True)),
                ('last_revealed_at', models.DateTimeField(default=None, null=True)),
                ('space', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='anonymization.tokenspace')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='TokenResealing',
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
                ('key_scope', models.UUIDField()),
                ('new_key', models.UUIDField(default=None, null=True)),
                ('moved_count', models.PositiveBigIntegerField(default=0)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'created_at'], name='anonymization_resealing_made'), models.Index(fields=['status', 'lease_until'], name='anonymization_resealing_lease')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='anonymization_tokenresealing_rls', system=('SELECT', 'UPDATE')), models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_tokenresealing_tenant_id')],
            },
        ),
        migrations.AddConstraint(
            model_name='tokenspace',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='anonymization_tokenspace_rls', system=('SELECT',)),
        ),
        migrations.AddConstraint(
            model_name='tokenspace',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_tokenspace_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='tokenspace',
            constraint=models.UniqueConstraint(fields=('tenant', 'dataset_id', 'purpose'), name='anonymization_tokenspace_scope', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='tokengeneration',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='anonymization_tokengeneration_rls'),
        ),
        migrations.AddConstraint(
            model_name='tokengeneration',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_tokengeneration_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='tokengeneration',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='space', name='anonymization_tokengeneration_space', to='anonymization.TokenSpace'),
        ),
        migrations.AddConstraint(
            model_name='tokengeneration',
            constraint=models.UniqueConstraint(fields=('tenant', 'space', 'number'), name='anonymization_tokengeneration_number'),
        ),
        migrations.AddIndex(
            model_name='token',
            index=models.Index(condition=models.Q(('expires_at__isnull', False)), fields=['expires_at'], name='anonymization_token_expiry'),
        ),
        migrations.AddConstraint(
            model_name='token',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='anonymization_token_rls', system=('SELECT',)),
        ),
        migrations.AddConstraint(
            model_name='token',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_token_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='token',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='space', name='anonymization_token_space', to='anonymization.TokenSpace'),
        ),
        migrations.AddConstraint(
            model_name='token',
            constraint=models.UniqueConstraint(fields=('tenant', 'space', 'token_index'), name='anonymization_token_text'),
        ),
        migrations.AddConstraint(
            model_name='token',
            constraint=models.UniqueConstraint(fields=('tenant', 'space', 'value_index', 'slot'), name='anonymization_token_value'),
        ),
        migrations.AddConstraint(
            model_name='tokenuse',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='anonymization_tokenuse_rls'),
        ),
        migrations.AddConstraint(
            model_name='tokenuse',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_tokenuse_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='tokenuse',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='space', name='anonymization_tokenuse_space', to='anonymization.TokenSpace'),
        ),
        migrations.AddConstraint(
            model_name='tokenuse',
            constraint=models.UniqueConstraint(fields=('tenant', 'space', 'principal_id', 'kind'), name='anonymization_tokenuse_who'),
        ),
        migrations.RunSQL(FILLFACTOR_UP, FILLFACTOR_DOWN),
    ]
