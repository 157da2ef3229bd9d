"""Identity providers, who people are to them, and what their groups mean."""

import django.db.models.deletion
import django.db.models.functions.datetime
import vaultsite.kernel.identifiers
import vaultsite.kernel.tenancy.keys
import vaultsite.kernel.tenancy.rls
import vaultsite.kernel.tenancy.scope
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0012_credentials'),
    ]

    operations = [
        migrations.CreateModel(
            name='IdentityProvider',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('slug', models.CharField(max_length=63)),
                ('name', models.CharField(max_length=100)),
                ('kind', models.CharField(choices=[('oidc', 'OpenID Connect'), ('saml', 'SAML 2.0'), ('ldap', 'LDAP or Active Directory')], max_length=8)),
                ('is_active', models.BooleanField(default=False)),
                ('creates_users', models.BooleanField(default=False)),
                ('settings', models.JSONField(default=dict)),
                ('attributes', models.JSONField(default=dict)),
                ('mfa_values', models.JSONField(default=list)),
                ('sealed', models.BinaryField(default=None, null=True)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('updated_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='GroupMapping',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('external_group', models.CharField(db_collation='C', max_length=500)),
                ('created_by', models.UUIDField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('group', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='mappings', to='access.group')),
                ('role', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, default=None, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='mappings', to='access.role')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('provider', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='mappings', to='access.identityprovider')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='ExternalIdentity',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('issuer', models.CharField(db_collation='C', max_length=500)),
                ('subject', models.CharField(db_collation='C', max_length=500)),
                ('linked_by', models.UUIDField(editable=False)),
                ('linked_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('last_arrived_at', models.DateTimeField(default=None, null=True)),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
                ('user', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='identities', to=settings.AUTH_USER_MODEL)),
                ('provider', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='identities', to='access.identityprovider')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SpentToken',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('token_hash', models.BinaryField(max_length=32)),
                ('expires_at', models.DateTimeField()),
                ('provider', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.identityprovider')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='FederatedSession',
            fields=[
                ('id', models.UUIDField(default=vaultsite.kernel.identifiers.uuid7, editable=False, primary_key=True, serialize=False)),
                ('session_index', models.CharField(blank=True, db_collation='C', default='', max_length=500)),
                ('identity', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='access.externalidentity')),
                ('session', vaultsite.kernel.tenancy.keys.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='access.vaultsession')),
                ('tenant', models.ForeignKey(db_index=False, default=vaultsite.kernel.tenancy.scope.current_tenant_id, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='access.tenant')),
            ],
            options={
                'abstract': False,
                'indexes': [models.Index(fields=['tenant', 'identity'], name='access_fedsession_by_identity')],
                'constraints': [vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_federatedsession_rls'), models.UniqueConstraint(fields=('tenant', 'id'), name='access_federatedsession_tenant_id'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='session', name='access_federatedsession_session', on_delete='CASCADE', to='access.VaultSession'), vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='identity', name='access_federatedsession_identity', on_delete='CASCADE', to='access.ExternalIdentity'), models.UniqueConstraint(fields=('tenant', 'session'), name='access_federatedsession_one')],
            },
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'UPDATE'), name='access_identityprovider_rls'),
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_identityprovider_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=models.UniqueConstraint(fields=('tenant', 'slug'), name='access_identityprovider_slug'),
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=models.CheckConstraint(condition=models.Q(('slug__regex', '^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$')), name='access_identityprovider_slug_shape'),
        ),
        migrations.AddConstraint(
            model_name='identityprovider',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['oidc', 'saml', 'ldap'])), name='access_identityprovider_kind'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT', 'DELETE'), name='access_groupmapping_rls'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_groupmapping_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='provider', name='access_groupmapping_provider', to='access.IdentityProvider'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='role', name='access_groupmapping_role', to='access.Role'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='group', name='access_groupmapping_group', to='access.Group'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.UniqueConstraint(fields=('tenant', 'provider', 'external_group', 'role'), name='access_groupmapping_role_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.UniqueConstraint(fields=('tenant', 'provider', 'external_group', 'group'), name='access_groupmapping_group_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmapping',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('group__isnull', True), ('role__isnull', False)), models.Q(('group__isnull', False), ('role__isnull', True)), _connector='OR'), name='access_groupmapping_one_meaning'),
        ),
        migrations.AddIndex(
            model_name='externalidentity',
            index=models.Index(fields=['tenant', 'user'], name='access_identity_by_user'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(name='access_externalidentity_rls'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_externalidentity_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='provider', name='access_externalidentity_provider', to='access.IdentityProvider'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='user', name='access_externalidentity_user', to='access.User'),
        ),
        migrations.AddConstraint(
            model_name='externalidentity',
            constraint=models.UniqueConstraint(fields=('tenant', 'provider', 'issuer', 'subject'), name='access_externalidentity_one'),
        ),
        migrations.AddConstraint(
            model_name='spenttoken',
            constraint=vaultsite.kernel.tenancy.rls.RowLevelSecurity(grants=('SELECT', 'INSERT'), name='access_spenttoken_rls', system=('SELECT', 'DELETE')),
        ),
        migrations.AddConstraint(
            model_name='spenttoken',
            constraint=models.UniqueConstraint(fields=('tenant', 'id'), name='access_spenttoken_tenant_id'),
        ),
        migrations.AddConstraint(
            model_name='spenttoken',
            constraint=vaultsite.kernel.tenancy.keys.CompositeForeignKey(field='provider', name='access_spenttoken_provider', to='access.IdentityProvider'),
        ),
        migrations.AddConstraint(
            model_name='spenttoken',
            constraint=models.UniqueConstraint(fields=('tenant', 'provider', 'token_hash'), name='access_spenttoken_once'),
        ),
    ]
