"""The release ledger."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("anonymization", "0003_privacy_budget")]

    operations = [
        migrations.CreateModel(
            name='RecipientAttestation',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('recipient', models.UUIDField()),
                ('reason', models.CharField(max_length=500)),
                ('attested_by', models.UUIDField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(default=None, null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'db_table': 'release_attestations',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('family_id', models.UUIDField()),
                ('recipient', models.UUIDField()),
                ('dataset_id', models.UUIDField(null=True)),
                ('version', models.CharField(blank=True, db_collation='C', default='', max_length=100)),
                ('export_id', models.UUIDField(null=True)),
                ('k', models.PositiveIntegerField()),
                ('l_diversity', models.PositiveIntegerField(default=1)),
                ('subjects', models.PositiveIntegerField()),
                ('classes', models.PositiveIntegerField()),
                ('expires_at', models.DateTimeField(null=True)),
                ('withdrawn_at', models.DateTimeField(default=None, null=True)),
                ('withdrawn_by', models.UUIDField(default=None, null=True)),
                ('withdrawal_reason', models.CharField(blank=True, default='', max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'db_table': 'privacy_releases',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ReleaseFamily',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('family_id', models.UUIDField()),
                ('merged_into', models.UUIDField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'db_table': 'release_families',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ReleaseSegment',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('sealed', models.BinaryField()),
                ('release', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='anonymization.release')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'db_table': 'privacy_release_segments',
                'abstract': False,
            },
        ),
        migrations.AddConstraint(
            model_name='recipientattestation',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='anonymization_recipientattestation_rls'),
        ),
        migrations.AddConstraint(
            model_name='recipientattestation',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_recipientattestation_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='recipientattestation',
            constraint=models.UniqueConstraint(condition=models.Q(('revoked_at', None)), fields=('tenant', 'recipient'), name='release_attestation_recipient'),
        ),
        migrations.AddIndex(
            model_name='release',
            index=models.Index(fields=['tenant', 'family_id', 'created_at'], name='privacy_release_family'),
        ),
        migrations.AddIndex(
            model_name='release',
            index=models.Index(fields=['tenant', 'created_at'], name='privacy_release_created'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='anonymization_release_rls'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_release_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.CheckConstraint(condition=models.Q(('k__gte', 1), ('l_diversity__gte', 1)), name='privacy_release_guarantee'),
        ),
        migrations.AddConstraint(
            model_name='releasefamily',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='anonymization_releasefamily_rls'),
        ),
        migrations.AddConstraint(
            model_name='releasefamily',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_releasefamily_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='releasefamily',
            constraint=models.UniqueConstraint(fields=('tenant', 'family_id'), name='release_family'),
        ),
        migrations.AddConstraint(
            model_name='releasesegment',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'DELETE'), name='anonymization_releasesegment_rls'),
        ),
        migrations.AddConstraint(
            model_name='releasesegment',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='anonymization_releasesegment_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='releasesegment',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='release', name='release_segment_release_fk', on_delete='CASCADE', to='anonymization.Release'),
        ),
        migrations.AddConstraint(
            model_name='releasesegment',
            constraint=models.UniqueConstraint(fields=('tenant', 'release', 'number'), name='release_segment_number'),
        ),
    ]
