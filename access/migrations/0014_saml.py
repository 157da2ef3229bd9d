"""What a SAML provider has beside its settings: its metadata, and the keys of the vault towards it."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0013_federation'),
    ]

    operations = [
        migrations.CreateModel(
            name='SamlKey',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('next', 'next'), ('current', 'current'), ('past', 'past')], max_length=8)),
                ('certificate', models.TextField()),
                ('sealed', models.BinaryField()),
                ('expires_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('provider', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.identityprovider')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_samlkey_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_samlkey_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='provider', name='access_samlkey_provider', to='access.IdentityProvider'), models.UniqueConstraint(fields=('tenant', 'provider', 'state'), name='access_samlkey_one_of_each')],
            },
        ),
        migrations.CreateModel(
            name='SamlMetadata',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('address', models.CharField(blank=True, max_length=1024)),
                ('document', models.TextField()),
                ('accepted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('asked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('provider', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.identityprovider')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_samlmetadata_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_samlmetadata_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='provider', name='access_samlmetadata_provider', to='access.IdentityProvider'), models.UniqueConstraint(fields=('tenant', 'provider'), name='access_samlmetadata_one')],
            },
        ),
    ]
