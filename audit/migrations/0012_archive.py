"""Months of events that lie in the blob store instead of the database."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0019_restricted_purposes'),
        ('audit', '0011_saved_views'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditArchivePart',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('month', models.DateField()),
                ('number', models.IntegerField()),
                ('first_seq', models.BigIntegerField()),
                ('last_seq', models.BigIntegerField()),
                ('first_time', models.DateTimeField()),
                ('last_time', models.DateTimeField()),
                ('events', models.IntegerField()),
                ('name', models.TextField()),
                ('size', models.BigIntegerField(default=0)),
                ('sha256', models.CharField(blank=True, default='', max_length=64)),
                ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('moved_at', models.DateTimeField(default=None, null=True)),
                ('removed_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'verbose_name': "part of the audit's archive",
                'verbose_name_plural': "parts of the audit's archive",
                'db_table': 'audit_archive_part',
                'ordering': ['month', 'number'],
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT',), name='audit_auditarchivepart_rls', system=('SELECT',)), models.UniqueConstraint(fields=('tenant', 'id'), name='audit_auditarchivepart_tenant_id'), models.UniqueConstraint(fields=('tenant', 'month', 'number'), name='audit_archive_part_once')],
            },
        ),
    ]
